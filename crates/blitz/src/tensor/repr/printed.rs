//! What else a notebook prints that Python and Rust write differently.

use ndarray::{ArrayBase, Data, Dimension};
use tch::{Device, Kind, Tensor};

use super::options::ReprOptions;
use super::{array, tensor_text};
use crate::tensor::array::Element;
use crate::tensor::dtype::name_of_kind;

/// What [`repr`](super::repr) prints as Python does:
///
/// | value | text |
/// | --- | --- |
/// | a tensor | `tensor([1., 2.])` |
/// | its size, or another slice, array or `Vec` of `i64` | `torch.Size([2, 3])` |
/// | a kind | `torch.float32` |
/// | a device | `cpu`, `cuda:0` |
/// | an `ndarray` array or view, as Python's `print` shows NumPy's | `[1. 2.]` |
pub trait Printed {
    #[doc(hidden)]
    fn printed(&self, options: &ReprOptions) -> String;
}

impl Printed for Tensor {
    fn printed(&self, options: &ReprOptions) -> String {
        tensor_text(self, options)
    }
}

/// PyTorch: `str(x.size())`.
impl Printed for [i64] {
    fn printed(&self, _: &ReprOptions) -> String {
        let lengths: Vec<String> = self.iter().map(i64::to_string).collect();
        format!("torch.Size([{}])", lengths.join(", "))
    }
}

impl Printed for Vec<i64> {
    fn printed(&self, options: &ReprOptions) -> String {
        self.as_slice().printed(options)
    }
}

impl<const N: usize> Printed for [i64; N] {
    fn printed(&self, options: &ReprOptions) -> String {
        self.as_slice().printed(options)
    }
}

/// PyTorch: `str(x.dtype)`.
impl Printed for Kind {
    fn printed(&self, _: &ReprOptions) -> String {
        format!("torch.{}", name_of_kind(*self))
    }
}

/// PyTorch: `str(x.device)`.
impl Printed for Device {
    fn printed(&self, _: &ReprOptions) -> String {
        match self {
            Device::Cpu => "cpu".to_owned(),
            Device::Cuda(index) => format!("cuda:{index}"),
            Device::Mps => "mps:0".to_owned(),
            Device::Vulkan => "vulkan".to_owned(),
        }
    }
}

/// NumPy: `str(n)`; the options are PyTorch's, NumPy's own stay as they are.
impl<S: Data<Elem: Element>, D: Dimension> Printed for ArrayBase<S, D> {
    fn printed(&self, _: &ReprOptions) -> String {
        array::text(&self.view().into_dyn())
    }
}

impl<T: Printed + ?Sized> Printed for &T {
    fn printed(&self, options: &ReprOptions) -> String {
        (**self).printed(options)
    }
}

impl<T: Printed + ?Sized> Printed for &mut T {
    fn printed(&self, options: &ReprOptions) -> String {
        (**self).printed(options)
    }
}
