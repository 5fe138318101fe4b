//! What tch lacks of `torch.autograd`: the graph, gradients of vectors, higher derivatives, hooks,
//! and functions with a backward of one's own.
//!
//! ```
//! use blitz::autograd::Autograd;
//! use blitz::tch::Tensor;
//!
//! let x = Tensor::from_slice(&[1.0, 2.0, 3.0]).set_requires_grad(true);
//! let y = &x * 2.0;
//! println!("{}", y.grad_fn().expect("y was computed")); // <MulBackward1>
//! y.backward_with(&Tensor::from_slice(&[0.1, 1.0, 0.001]))?;
//! assert_eq!(x.grad(), Tensor::from_slice(&[0.2, 2.0, 0.002]));
//! # Ok::<(), blitz::Error>(())
//! ```
//!
//! Everything works on graphs that any notebook cell has made. Each cell has its own copy of this
//! crate, and libtorch is the one thing that they share. A node, a hook or a function is therefore
//! reached through pointers that the object itself carries, to the code of the cell that made it;
//! cells are never unloaded. Nothing asks whether two C++ types or two function addresses are the
//! same, and an error crosses from cell to cell as the message of a `std::exception`.

mod backward;
mod callback;
mod context;
mod describe;
mod function;
mod function_node;
mod gradcheck;
pub mod graph;
mod hook;
mod node;
mod saved_tensors;

use tch::Tensor;

pub use backward::{BackwardOptions, GradOptions, backward, grad, grad_allow_unused};
pub use context::Context;
pub use function::{Function, Outputs};
pub use gradcheck::{GradcheckOptions, gradcheck};
pub use hook::HookHandle;
pub use node::{Edge, Node};

use crate::error::Result;

/// PyTorch's methods on tensors that tch does not have.
pub trait Autograd {
    /// The function that made this tensor, as `tensor.grad_fn`; `None` for leaves and for what was
    /// computed without recording.
    ///
    /// # Panics
    ///
    /// Where libtorch refuses, as for a view made under `no_grad` whose base was then modified in
    /// place.
    fn grad_fn(&self) -> Option<Node>;

    /// Adds to the `grad` of the leaves the product of `gradient`, which has this tensor's shape,
    /// kind and device, with the Jacobian: `tensor.backward(gradient)`. Frees the graph.
    ///
    /// # Errors
    ///
    /// As [`backward`].
    fn backward_with(&self, gradient: &Tensor) -> Result<()>;

    /// Makes backward passes keep this tensor's gradient, so that `grad()` shows it; leaves keep it
    /// anyway. `tensor.retain_grad()`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`](crate::Error::Shape) where the tensor does not require grad.
    fn retain_grad(&self) -> Result<()>;

    /// Has backward passes call `hook` with this tensor's gradient; `Some` replaces the gradient
    /// from here on. Several hooks run in the order of their registration.
    /// `tensor.register_hook(hook)`.
    ///
    /// The hook may run on another thread (on CUDA it does). Where it panics, or replaces the
    /// gradient by a tensor of another shape, kind or device, the backward pass fails.
    ///
    /// ```
    /// use blitz::autograd::Autograd;
    /// use blitz::tch::Tensor;
    ///
    /// let x = Tensor::from_slice(&[1.0, 2.0]).set_requires_grad(true);
    /// let handle = x.register_hook(|gradient| Some(gradient * 10.0))?;
    /// (&x * 3.0).sum(None).backward();
    /// assert_eq!(x.grad(), Tensor::from_slice(&[30.0, 30.0]));
    /// handle.remove();
    /// # Ok::<(), blitz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Shape`](crate::Error::Shape) where the tensor does not require grad.
    fn register_hook(
        &self,
        hook: impl Fn(&Tensor) -> Option<Tensor> + Send + 'static,
    ) -> Result<HookHandle>;
}

impl Autograd for Tensor {
    fn grad_fn(&self) -> Option<Node> {
        Node::of(self).unwrap_or_else(|error| panic!("{error}"))
    }

    fn backward_with(&self, gradient: &Tensor) -> Result<()> {
        let gradients = Some(&[gradient][..]);
        backward(&[self], &BackwardOptions { gradients, ..Default::default() })
    }

    fn retain_grad(&self) -> Result<()> {
        backward::retain_grad(self)
    }

    fn register_hook(
        &self,
        hook: impl Fn(&Tensor) -> Option<Tensor> + Send + 'static,
    ) -> Result<HookHandle> {
        hook::register(self, Box::new(hook))
    }
}
