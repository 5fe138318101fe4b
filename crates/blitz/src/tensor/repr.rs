//! The printed form of a tensor: what Python's `print(x)` and a notebook's last line show; and that
//! of sizes, kinds, devices and arrays ([`Printed`]).
//!
//! ```
//! use blitz::prelude::*;
//!
//! let x = Tensor::from_slice(&[0.5f32, -1.25, 3.0, 4.0]).view([2, 2]);
//! assert_eq!(
//!     repr(&x).to_string(),
//!     "tensor([[ 0.5000, -1.2500],\n        [ 3.0000,  4.0000]])"
//! );
//! ```
//!
//! Source: PyTorch's `torch/_tensor_str.py`, followed rule by rule.

mod array;
mod dense;
mod elements;
pub(crate) mod facts;
mod layout;
mod number;
mod options;
mod printed;
mod show;
mod sparse;

use std::fmt;

use tch::{TchError, Tensor};

use crate::display::{Bundle, Output, Show};
use dense::dense;
use elements::Elements;
use facts::{Facts, Layout};
use layout::PREFIX;
pub(crate) use number::python_float;

pub use options::ReprOptions;
pub use printed::Printed;
pub use show::EvcxrDisplay;

/// A value's printed form, made by [`repr`]. It is a text of its own: the value may change or go.
#[derive(Clone, PartialEq, Eq)]
pub struct Repr(String);

/// What Python prints of a tensor of any kind, shape and device, of a size, a kind, a device or an
/// array: see [`Printed`]. PyTorch: `str(x)`, for tensors the same as `repr(x)`.
///
/// An undefined tensor, as [`Tensor::grad`] gives before the first `backward`, is `None`.
/// The value is not changed. Only what is shown is copied from a GPU.
///
/// ```
/// use blitz::prelude::*;
///
/// let x = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
/// assert_eq!(repr(&x.size()).to_string(), "torch.Size([2, 3])");
/// assert_eq!(repr(&x.kind()).to_string(), "torch.float32");
/// assert_eq!(repr(&x.device()).to_string(), "cpu");
/// assert_eq!(repr(&array::copy::<f32>(&x)?).to_string(), "[[0. 0. 0.]\n [0. 0. 0.]]");
/// # Ok::<(), blitz::Error>(())
/// ```
pub fn repr(value: &(impl Printed + ?Sized)) -> Repr {
    repr_with(value, &ReprOptions::default())
}

/// As [`repr`], with other digits, widths and limits. PyTorch: `torch.set_printoptions(...)`, then
/// `repr(tensor)`.
pub fn repr_with(value: &(impl Printed + ?Sized), options: &ReprOptions) -> Repr {
    Repr(value.printed(options))
}

impl fmt::Display for Repr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The same text as `Display`.
impl fmt::Debug for Repr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Repr {
    /// What evcxr calls when the value is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

impl Show for Repr {
    fn bundle(&self) -> Bundle {
        Bundle::new().with_alt(self.0.as_str())
    }
}

fn tensor_text(tensor: &Tensor, options: &ReprOptions) -> String {
    if !tensor.defined() {
        return "None".to_owned();
    }
    text(tensor, options).unwrap_or_else(|error| {
        // A form of storage that libtorch cannot read elements from.
        format!("{PREFIX}..., {})", crate::Error::from(error))
    })
}

/// Python's `_str_intern`.
fn text(tensor: &Tensor, options: &ReprOptions) -> Result<String, TchError> {
    let facts = Facts::of(tensor)?;
    let plain = tensor.f_detach()?;
    let mut suffixes = Vec::new();
    if facts.device != "cpu" {
        suffixes.push(format!("device='{}'", facts.device));
    }
    let contents = contents(&plain, &facts, options, &mut suffixes)?;
    if facts.layout != Layout::Strided {
        suffixes.push(format!("layout={}", facts.layout.name()));
    }
    if !facts.grad_fn.is_empty() {
        suffixes.push(format!("grad_fn=<{}>", facts.grad_fn));
    } else if facts.requires_grad {
        suffixes.push("requires_grad=True".to_owned());
    }
    let starts_new_line = facts.layout == Layout::Sparse;
    Ok(layout::with_suffixes(&format!("{PREFIX}{contents}"), &suffixes, options, starts_new_line))
}

/// The part between `tensor(` and the suffixes, and those suffixes that depend on it.
fn contents(
    tensor: &Tensor,
    facts: &Facts,
    options: &ReprOptions,
    suffixes: &mut Vec<String>,
) -> Result<String, TchError> {
    let size = || format!("size={}", layout::tuple(&tensor.size()));
    let dtype = || format!("dtype={}", facts.dtype());
    if facts.layout.is_sparse() {
        suffixes.push(size());
        suffixes.push(format!("nnz={}", sparse::stored(tensor, facts.layout)?));
        suffixes.extend((!facts.has_default_dtype()).then(dtype));
        return sparse::contents(tensor, facts.layout, options);
    }
    if facts.is_quantized() {
        suffixes.push(size());
        suffixes.push(dtype());
        suffixes.extend(quantization(tensor)?);
        return dense(&tensor.f_dequantize()?, PREFIX.len(), options);
    }
    let has_values = Elements::can_read(facts) && facts.device != "meta";
    if !has_values {
        suffixes.push(size());
        suffixes.extend((!facts.is_float32()).then(dtype));
        return Ok("...".to_owned());
    }
    if tensor.numel() == 0 {
        suffixes.extend((tensor.dim() != 1).then(size));
        suffixes.extend((!facts.is_float32()).then(dtype));
        return Ok("[]".to_owned());
    }
    suffixes.extend((options.edge_items == 0).then(size));
    suffixes.extend((!facts.has_default_dtype()).then(dtype));
    match facts.layout {
        Layout::Strided => dense(tensor, PREFIX.len(), options),
        _ => dense(&tensor.f_to_dense(None, false)?, PREFIX.len(), options),
    }
}

/// How the integers of a quantised tensor stand for numbers.
fn quantization(tensor: &Tensor) -> Result<Vec<String>, TchError> {
    let scheme = |name: &str| format!("quantization_scheme=torch.{name}");
    if let Ok(scale) = tensor.f_q_scale() {
        return Ok(vec![
            scheme("per_tensor_affine"),
            format!("scale={}", python_float(scale)),
            format!("zero_point={}", tensor.f_q_zero_point()?),
        ]);
    }
    Ok(vec![
        scheme("per_channel_affine"),
        format!("scale={}", repr(&tensor.f_q_per_channel_scales()?)),
        format!("zero_point={}", repr(&tensor.f_q_per_channel_zero_points()?)),
        format!("axis={}", tensor.f_q_per_channel_axis()?),
    ])
}
