//! The crates that notebooks use, [`blitz`] and [`tch`], in one library with what cells call, so that a
//! cell links against it and holds nothing of them.

// Of the crates themselves nothing is named here for others: rustc would find that path to their types.
pub use blitz_cell_support::*;

use ::blitz::tensor::repr::repr;
use ::tch::Tensor;
use blitz_cell_support::showing::show;
use std::any::type_name;
use std::fmt::Debug;
use std::ops::Deref;

pub mod instances;

/// A cell's last expression. It shows tensors as PyTorch prints them and leads to the value's own ways
/// otherwise: this need not be told from the trait for tensors in `blitz::prelude`, which a cell may have
/// in scope too.
pub struct EvcxrShown<'a, T: ?Sized>(&'a T);

/// Wraps a cell's last expression.
pub trait EvcxrShow {
    /// The wrapper.
    fn evcxr_shown(&self) -> EvcxrShown<'_, Self> {
        EvcxrShown(self)
    }
}

impl<T: ?Sized> EvcxrShow for T {}

impl<T: ?Sized> Deref for EvcxrShown<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

/// A value as it is shown in words: a tensor as PyTorch prints it, all else in its debug form.
pub fn shown<T: Debug>(value: &T) -> String {
    if type_name::<T>() != type_name::<Tensor>() {
        return format!("{value:?}");
    }
    // SAFETY: it is that type. cargo allows only one crate that links libtorch, and so only one `tch`.
    repr(unsafe { &*std::ptr::from_ref(value).cast::<Tensor>() }).to_string()
}

/// Shows a value whose type rustc learns after it would have looked for methods. Nothing is shown for `()`.
pub fn show_late<T: Debug>(value: &T) {
    if type_name::<T>() != "()" {
        show(format_args!("{}", shown(value)));
    }
}

impl EvcxrShown<'_, Tensor> {
    /// Shows the tensor.
    pub fn evcxr_display(&self) {
        repr(self.0).evcxr_display();
    }
}

impl EvcxrShown<'_, &Tensor> {
    /// Shows the tensor.
    pub fn evcxr_display(&self) {
        repr(self.0).evcxr_display();
    }
}

impl EvcxrShown<'_, &mut Tensor> {
    /// Shows the tensor.
    pub fn evcxr_display(&self) {
        repr(self.0).evcxr_display();
    }
}
