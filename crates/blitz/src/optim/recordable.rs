//! What a CUDA graph of a training step asks of an optimizer.

use tch::Tensor;

use super::Sgd;
use crate::error::Result;

/// An optimizer whose step can be recorded as a CUDA graph and repeated: it reads the learning rate
/// from the GPU's memory, and changes parameters and momentum where they lie. See
/// [`GraphedStep`](crate::train::step::GraphedStep).
pub trait Recordable {
    /// The parameters, in the optimizer's order. They share memory with the net.
    fn parameters(&self) -> &[Tensor];

    /// The learning rate of the steps to come.
    fn lr(&self) -> f64;

    /// What a recording depends on and a program may change: how often the momentum has been
    /// replaced, and where the parameters lie.
    fn addresses(&self) -> (usize, Vec<usize>);

    /// Computes the gradients of `loss` (one element) anew; its graph is freed.
    ///
    /// # Errors
    ///
    /// As [`Sgd::backward_step`].
    fn backward(&mut self, loss: &Tensor) -> Result<()>;

    /// The step by the gradients of [`Recordable::backward`], in one kernel that may round in
    /// another way. `lr` is f32 of shape [] on the parameters' device.
    ///
    /// # Errors
    ///
    /// As [`Sgd::backward_step`].
    fn fused_step(&mut self, lr: &Tensor) -> Result<()>;
}

impl Recordable for Sgd {
    fn parameters(&self) -> &[Tensor] {
        Sgd::parameters(self)
    }

    fn lr(&self) -> f64 {
        Sgd::lr(self)
    }

    fn addresses(&self) -> (usize, Vec<usize>) {
        Sgd::addresses(self)
    }

    fn backward(&mut self, loss: &Tensor) -> Result<()> {
        Sgd::backward(self, loss)
    }

    fn fused_step(&mut self, lr: &Tensor) -> Result<()> {
        Sgd::fused_step(self, lr)
    }
}
