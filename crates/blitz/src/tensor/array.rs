//! `ndarray` arrays and tensors, by shared memory where Python shares it too.
//!
//! | Python | Rust | Memory |
//! | --- | --- | --- |
//! | `t.numpy()`, to read | [`view`]`::<f32>(&mut t)?` | shared |
//! | `t.numpy()`, to write | [`view_mut`]`::<f32>(&mut t)?` | shared |
//! | `t.detach().cpu().numpy().copy()` | [`copy`]`::<f32>(&t)?` | copied |
//! | `torch.from_numpy(n)`, `n` no longer used | [`from_array`]`(n)` | taken over |
//! | `torch.from_numpy(n)`, `n` used again | [`with_tensor`]`(&mut n, \|t\| ...)?` | shared for the call |
//! | `torch.tensor(n)` | [`to_tensor`]`(&n)` | copied |
//!
//! In Python array and tensor can be changed at any time, each behind the other's back. Here one of
//! them at a time has the memory: a view borrows its tensor, and a tensor over an array has the
//! array for the length of a call. Within that, a change on one side is seen on the other.
//!
//! ```
//! use blitz::prelude::*;
//! use blitz::{ndarray, tensor::array};
//!
//! let mut t = Tensor::ones([5], (Kind::Float, Device::Cpu));
//! let _ = t.g_add_scalar_(1);
//! assert_eq!(array::view::<f32>(&mut t)?, ndarray::array![2., 2., 2., 2., 2.].into_dyn());
//! array::view_mut::<f32>(&mut t)?[0] = 7.0;
//! assert_eq!(repr(&t).to_string(), "tensor([7., 2., 2., 2., 2.])");
//!
//! let mut n = ndarray::Array::<f64, _>::ones(5);
//! array::with_tensor(&mut n, |t| {
//!     let _ = t.g_add_scalar_(1);
//! })?;
//! assert_eq!(n, ndarray::array![2., 2., 2., 2., 2.]);
//! # Ok::<(), blitz::Error>(())
//! ```

mod element;
mod lent;
mod memory;
mod strides;

use ndarray::{Array, ArrayBase, ArrayD, ArrayViewD, ArrayViewMutD, Data, Dimension};
use tch::{Device, Tensor};

use crate::error::{Error, Result};
use memory::Memory;

pub use element::Element;
pub(super) use element::Number;
pub use half::{bf16, f16};

/// Reads a tensor as an array, without copying. Python: `t.numpy()`.
///
/// The tensor may have any shape and strides. It is borrowed exclusively, so that nothing changes
/// it while the view is there.
///
/// # Errors
///
/// [`Error::Shape`] where the kind is not `T`'s, or the tensor is not on the CPU, is sparse or
/// quantised, requires a gradient, is a lazy conjugate or negative, or shares its memory with
/// another tensor: a clone, a view, or one that autograd saved. [`copy`] refuses only other kinds
/// and tensors that are sparse or quantised.
///
/// ```
/// use blitz::prelude::*;
/// use blitz::{ndarray::Ix2, tensor::array};
///
/// let mut t = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 3]).tr();
/// let view = array::view::<f32>(&mut t)?.into_dimensionality::<Ix2>().expect("2 dimensions");
/// assert_eq!(view[[2, 1]], 5.0);
/// # Ok::<(), blitz::Error>(())
/// ```
pub fn view<T: Element>(tensor: &mut Tensor) -> Result<ArrayViewD<'_, T>> {
    Ok(Memory::alone("array::view", tensor)?.view())
}

/// Reads and writes a tensor as an array, without copying. Python: `t.numpy()`.
///
/// # Errors
///
/// As for [`view`], and where elements share memory among themselves, as after
/// [`Tensor::expand`].
pub fn view_mut<T: Element>(tensor: &mut Tensor) -> Result<ArrayViewMutD<'_, T>> {
    const OPERATION: &str = "array::view_mut";
    Memory::alone(OPERATION, tensor)?.view_mut(OPERATION)
}

/// Copies a tensor's elements to an array; gradients and the device stay behind. Python:
/// `t.detach().cpu().numpy().copy()`.
///
/// # Errors
///
/// [`Error::Shape`] where the kind is not `T`'s, or the tensor is sparse or quantised;
/// [`Error::Torch`] where libtorch cannot copy it to the CPU.
///
/// ```
/// use blitz::prelude::*;
/// use blitz::tensor::array;
///
/// let w = Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
/// assert_eq!(array::copy::<f32>(&w)?.shape(), [2]);
/// # Ok::<(), blitz::Error>(())
/// ```
pub fn copy<T: Element>(tensor: &Tensor) -> Result<ArrayD<T>> {
    const OPERATION: &str = "array::copy";
    memory::check_form::<T>(OPERATION, tensor)?;
    let on_cpu = || {
        let resolved = tensor.f_detach()?.f_resolve_conj()?.f_resolve_neg()?;
        resolved.f_to_device(Device::Cpu)?.f_contiguous()
    };
    memory::elements(&on_cpu().map_err(Error::torch(OPERATION))?)
}

/// Makes a tensor of an array, which gives its memory away. Python: `torch.from_numpy(n)` where `n`
/// is not used any more.
///
/// The tensor has the array's shape and strides. An array with a negative stride
/// (`slice![..;-1]`), which no tensor can have, is copied instead.
///
/// ```
/// use blitz::prelude::*;
/// use blitz::{ndarray, tensor::array};
///
/// let t = array::from_array(ndarray::array![[1f32, 2.], [3., 4.]]);
/// assert_eq!(repr(&t).to_string(), "tensor([[1., 2.],\n        [3., 4.]])");
/// ```
pub fn from_array<T: Element, D: Dimension + 'static>(array: Array<T, D>) -> Tensor {
    match lent::tensor(array) {
        Ok(tensor) => tensor,
        Err(array) => to_tensor(&array),
    }
}

/// Copies an array or a view of one to a tensor. Python: `torch.tensor(n)`.
///
/// ```
/// use blitz::{ndarray, tensor::array};
///
/// let n = ndarray::array![1i64, 2, 3];
/// assert_eq!(array::to_tensor(&n).size(), [3]);
/// ```
pub fn to_tensor<T, S, D>(array: &ArrayBase<S, D>) -> Tensor
where
    T: Element,
    S: Data<Elem = T>,
    D: Dimension,
{
    let elements: Vec<T> = array.iter().copied().collect();
    let rows = ArrayD::from_shape_vec(array.shape(), elements);
    let rows = rows.expect("there are as many elements as the shape says");
    lent::tensor(rows).unwrap_or_else(|_| unreachable!("rows in order have no negative stride"))
}

/// Calls `f` with a tensor that has the array's memory. Python: `torch.from_numpy(n)` where `n` is
/// used again.
///
/// What `f` does to the tensor in place is done to the array. A tensor that outlives the call (a
/// clone or view that `f` keeps or returns, a graph) keeps that memory; the array then goes on with
/// a copy, as it was at the end. The array is whole again also where `f` panics.
///
/// For a part of an array, [narrow](Tensor::narrow) the tensor. A borrowed part cannot be lent:
/// the tensor must own what it may keep.
///
/// # Errors
///
/// [`Error::Shape`] where the array has a negative stride.
///
/// ```
/// use blitz::{ndarray, tensor::array};
///
/// let mut n = ndarray::array![[1f32, 2.], [3., 4.]];
/// array::with_tensor(&mut n, |t| {
///     let _ = t.narrow(0, 1, 1).g_mul_scalar_(10);
/// })?;
/// assert_eq!(n, ndarray::array![[1., 2.], [30., 40.]]);
/// # Ok::<(), blitz::Error>(())
/// ```
pub fn with_tensor<T, D, R>(array: &mut Array<T, D>, f: impl FnOnce(&mut Tensor) -> R) -> Result<R>
where
    T: Element,
    D: Dimension + 'static,
{
    // The tensor goes before the loan ends.
    let loan = lent::Loan::of("array::with_tensor", array)?;
    let mut tensor = loan.tensor();
    Ok(f(&mut tensor))
}
