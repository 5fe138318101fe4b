//! The crates that notebooks use, [`blitz`] and [`tch`], in one library with what cells call, so that a
//! cell links against it and holds nothing of them.

// Of the crates themselves nothing is named here for others: rustc would find that path to their types.
pub use blitz_cell_support::*;

use ::tch::{Device, Kind, Tensor, nn};
use std::ops::Deref;

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

impl EvcxrShown<'_, Tensor> {
    /// Shows the tensor.
    pub fn evcxr_display(&self) {
        ::blitz::tensor::repr::repr(self.0).evcxr_display();
    }
}

impl EvcxrShown<'_, &Tensor> {
    /// Shows the tensor.
    pub fn evcxr_display(&self) {
        ::blitz::tensor::repr::repr(self.0).evcxr_display();
    }
}

impl EvcxrShown<'_, &mut Tensor> {
    /// Shows the tensor.
    pub fn evcxr_display(&self) {
        ::blitz::tensor::repr::repr(self.0).evcxr_display();
    }
}

/// Makes the compiler instantiate here what cells would each instantiate for the usual types.
pub fn instances(store: &mut VariableStore) {
    macro_rules! variables {
        ($($kind:ty),*) => {$(
            if store.check_variable::<$kind>("") {
                let value = store.take_variable::<$kind>("");
                store.put_variable::<$kind>("", value);
            }
        )*};
    }
    macro_rules! shown {
        ($($kind:ty),*) => {$(
            let value = store.take_variable::<$kind>("");
            value.evcxr_shown().evcxr_display();
        )*};
    }
    variables!(Tensor, Vec<Tensor>, (Tensor, Tensor), Device, Kind, nn::VarStore, nn::Sequential);
    variables!(nn::Linear, nn::Conv2D, nn::Optimizer, bool, i32, i64, usize, f32, f64, String);
    variables!(&'static str, Vec<i64>, Vec<usize>, Vec<f32>, Vec<f64>, Vec<String>);
    shown!(bool, i32, i64, usize, f32, f64, String, &'static str, Vec<i64>, Vec<f64>, Vec<usize>);
    shown!(Device, Kind, (i64, i64), (i64, i64, i64, i64), Vec<f32>, Option<i64>, Option<f64>);
}
