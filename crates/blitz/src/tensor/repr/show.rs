//! How a notebook shows a tensor.

use tch::Tensor;

use super::repr;

/// Shows a tensor that is the last expression of a notebook cell as [`repr`] prints it.
///
/// evcxr calls `evcxr_display` on the value where it finds such a method, and shows the `Debug`
/// form otherwise. With this trait in scope ([`blitz::prelude`](crate::prelude) has it) it finds
/// one on a tensor. This repository's kernel needs no import.
pub trait EvcxrDisplay {
    /// Writes the value for the kernel to show.
    fn evcxr_display(&self);
}

// For tensors alone. An implementation for all types would be tempting, but where the trait is not
// in scope rustc proposes to import it, and evcxr takes that for an error in the person's code: the
// Debug form of everything would be lost.
impl EvcxrDisplay for Tensor {
    fn evcxr_display(&self) {
        repr(self).evcxr_display();
    }
}
