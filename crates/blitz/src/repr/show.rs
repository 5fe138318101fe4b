//! How a notebook shows a cell's last expression.

use std::fmt::Debug;

use tch::Tensor;

use super::repr;
use crate::display::{Bundle, Output};

/// Shows the last expression of a notebook cell: a tensor as [`repr`] prints it, everything else in
/// its `Debug` form, and `()` not at all.
///
/// evcxr calls `evcxr_display` on the value. Types that show themselves ([`Picture`], [`Html`])
/// have a method of that name, which goes before this one.
///
/// [`Picture`]: crate::picture::Picture
/// [`Html`]: crate::display::Html
pub trait EvcxrDisplay {
    /// Writes the value for the kernel to show.
    fn evcxr_display(&self);
}

// For all types, because rustc would take a trait that only tensors have for the one that is meant
// whenever a value's type is not settled yet.
impl<T: Debug + ?Sized> EvcxrDisplay for T {
    fn evcxr_display(&self) {
        let text = match tensor(self) {
            Some(tensor) => repr(tensor).to_string(),
            None if typeid::of::<T>() == typeid::of::<()>() => return,
            None => format!("{self:?}"),
        };
        Output::standard().result(&Bundle::new().with_alt(text));
    }
}

/// The value as the tensor that it is, or refers to.
fn tensor<T: ?Sized>(value: &T) -> Option<&Tensor> {
    let is = |other| typeid::of::<T>() == other;
    let address = std::ptr::from_ref(value);
    // SAFETY: `T` is the very type that is read; `Tensor` has no lifetimes that could differ, and
    // the references here live as long as `value`, which holds them.
    unsafe {
        if is(typeid::of::<Tensor>()) {
            Some(&*address.cast::<Tensor>())
        } else if is(typeid::of::<&Tensor>()) || is(typeid::of::<&mut Tensor>()) {
            Some(&**address.cast::<&Tensor>())
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_told_from_everything_else() {
        let mut one = Tensor::from(1.0);
        assert!(tensor(&one).is_some() && tensor(&&one).is_some());
        assert!(tensor(&&mut one).is_some());
        let text = String::from("a b");
        assert!(tensor(&text.split(' ')).is_none() && tensor(text.as_str()).is_none());
        assert!(tensor(&Some(one)).is_none() && tensor(&()).is_none());
    }
}
