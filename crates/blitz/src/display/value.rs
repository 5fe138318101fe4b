//! What a cell's last expression shows, in a program.

use std::fmt::Debug;

use tch::Tensor;

use super::Show;
use crate::tensor::repr::repr;

/// Shows a value as the last expression of a cell is shown: tensors as [`repr`](crate::tensor::repr)
/// prints them, pictures, tables and whatever else implements [`Show`](crate::display::Show) as
/// [`display::show`](crate::display::show) does, other values in their `Debug` form, and `()` not at
/// all. It works in the middle of a cell, too.
///
/// ```
/// use blitz::prelude::*;
///
/// let x = Tensor::from_slice(&[1f32, 2.0]);
/// blitz::show!(x); // tensor([1., 2.])
/// blitz::show!(x.size()); // [2]
/// ```
#[macro_export]
macro_rules! show {
    ($value:expr) => {
        match &$value {
            value => {
                #[allow(unused_imports)]
                use $crate::display::value::{AsDebug, AsItself};
                (&$crate::display::value::Value(value)).show_value()
            }
        }
    };
}

/// A value to show. Of the traits below, method calls find [`AsItself`] first, where it is
/// implemented for the type, and [`AsDebug`] otherwise.
pub struct Value<'a, T: ?Sized>(pub &'a T);

/// For values that know how they are shown.
pub trait AsItself {
    /// Shows it.
    fn show_value(&self);
}

/// For all others.
pub trait AsDebug {
    /// Shows it.
    fn show_value(&self);
}

impl<T: Show + ?Sized> AsItself for Value<'_, T> {
    fn show_value(&self) {
        super::show(self.0);
    }
}

impl AsItself for Value<'_, Tensor> {
    fn show_value(&self) {
        super::show(repr(self.0));
    }
}

impl AsItself for Value<'_, ()> {
    fn show_value(&self) {}
}

impl<T: Debug + ?Sized> AsDebug for &Value<'_, T> {
    fn show_value(&self) {
        println!("{:?}", self.0);
    }
}
