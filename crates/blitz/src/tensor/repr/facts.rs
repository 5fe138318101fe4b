//! What the printed form says beside the numbers, and errors about a tensor say of it.

use std::ffi::c_char;

use tch::{TchError, Tensor};
use torch_sys::C_tensor;

use crate::autograd::Node;
use crate::ffi;
use crate::tensor::dtype::name_of_scalar_type;

/// As libtorch numbers them (`c10::Layout`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Strided,
    /// Coordinates.
    Sparse,
    Csr,
    Mkldnn,
    Csc,
    Bsr,
    Bsc,
    Jagged,
}

/// What C++ says of a tensor (`cpp/repr.cpp`).
pub(crate) struct Facts {
    /// `cpu`, `cuda:0`, `meta`.
    pub(crate) device: String,
    /// The name of the node that made the tensor; empty for a leaf.
    pub(super) grad_fn: String,
    pub(crate) layout: Layout,
    pub(crate) requires_grad: bool,
    /// As libtorch numbers them (`c10::ScalarType`); tch does not know all.
    pub(super) scalar_type: i32,
}

/// Kinds that are not named, because numbers of their form have them by default.
const DEFAULT_DTYPES: [&str; 4] = ["float32", "complex64", "int64", "bool"];

#[repr(C)]
struct RawFacts {
    device: *mut c_char,
    scalar_type: i32,
    layout: i32,
    requires_grad: bool,
}

unsafe extern "C" {
    fn blitz_repr_facts_of(tensor: *const C_tensor, facts: *mut RawFacts) -> *mut c_char;
}

impl Facts {
    /// The facts about a defined tensor.
    pub(crate) fn of(tensor: &Tensor) -> Result<Facts, TchError> {
        let mut raw = RawFacts {
            device: std::ptr::null_mut(),
            scalar_type: 0,
            layout: 0,
            requires_grad: false,
        };
        // SAFETY: C++ reads the tensor and fills the struct, which has the same fields there.
        ffi::check("repr", unsafe { blitz_repr_facts_of(ffi::lend(tensor), &mut raw) })
            .map_err(|error| TchError::Torch(error.to_string()))?;
        Ok(Facts {
            // SAFETY: C++ made it with malloc, or `check` would have returned.
            device: unsafe { ffi::take_text(raw.device) },
            grad_fn: grad_fn_name(tensor),
            layout: Layout::numbered(raw.layout),
            requires_grad: raw.requires_grad,
            scalar_type: raw.scalar_type,
        })
    }

    /// The kind as Python prints it.
    pub(crate) fn dtype(&self) -> String {
        format!("torch.{}", self.name())
    }

    pub(super) fn has_default_dtype(&self) -> bool {
        DEFAULT_DTYPES.contains(&self.name())
    }

    pub(super) fn is_float32(&self) -> bool {
        self.name() == "float32"
    }

    pub(super) fn is_quantized(&self) -> bool {
        self.name().starts_with('q')
    }

    pub(super) fn name(&self) -> &'static str {
        name_of_scalar_type(self.scalar_type)
    }
}

impl Layout {
    fn numbered(number: i32) -> Layout {
        use Layout::{Bsc, Bsr, Csc, Csr, Jagged, Mkldnn, Sparse, Strided};
        let layouts = [Strided, Sparse, Csr, Mkldnn, Csc, Bsr, Bsc];
        let index = usize::try_from(number).ok();
        index.and_then(|index| layouts.get(index)).copied().unwrap_or(Jagged)
    }

    pub(super) fn is_sparse(self) -> bool {
        !matches!(self, Layout::Strided | Layout::Mkldnn | Layout::Jagged)
    }

    /// The layout as Python prints it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Layout::Strided => "torch.strided",
            Layout::Sparse => "torch.sparse_coo",
            Layout::Csr => "torch.sparse_csr",
            Layout::Mkldnn => "torch._mkldnn",
            Layout::Csc => "torch.sparse_csc",
            Layout::Bsr => "torch.sparse_bsr",
            Layout::Bsc => "torch.sparse_bsc",
            Layout::Jagged => "torch.jagged",
        }
    }
}

/// The name of the node that made the tensor, empty for a leaf.
fn grad_fn_name(tensor: &Tensor) -> String {
    match Node::of(tensor) {
        Ok(node) => node.map_or(String::new(), |node| node.name()),
        // A view that was made and changed where no gradients are recorded has none.
        Err(_) => "Invalid".to_owned(),
    }
}
