//! What a training asks of an optimizer.

use tch::Tensor;
use tch::nn::{self, ModuleT};

use super::Sgd;
use super::learning::{THIS_LOSS, check_loss, no_gradient};
use super::recordable::Recordable;
use crate::data::loader::Batch;
use crate::error::{Error, Result};
use crate::nn::loss::cross_entropy;

/// An optimizer that [`fit`](crate::train::fit::fit) can use: [`Sgd`], which can do all of this, and
/// tch's own optimizers, which can only step.
pub trait Optimizer {
    /// One step on `batch`: the cross-entropy of the logits that `net` gives for its images and
    /// labels, its gradients, and the change of the parameters. Returns the loss, a scalar on the
    /// batch's device that is not read back and has no graph.
    ///
    /// # Errors
    ///
    /// [`Error::Torch`] where the net's logits do not fit the labels, and as
    /// [`Optimizer::backward_step`]. The parameters have not changed then.
    ///
    /// # Panics
    ///
    /// Where the net itself does, given images that it was not made for.
    fn train_step<M: ModuleT + ?Sized>(&mut self, net: &M, batch: &Batch) -> Result<Tensor>
    where
        Self: Sized,
    {
        let loss = cross_entropy(&net.forward_t(&batch.images, true), &batch.labels)?;
        self.backward_step(&loss)?;
        Ok(loss.detach())
    }

    /// Computes the gradients of `loss` anew and changes the parameters by them.
    ///
    /// # Errors
    ///
    /// Those of the backward pass and of the step.
    fn backward_step(&mut self, loss: &Tensor) -> Result<()>;

    /// The learning rate; `None` where it cannot be asked for. Then there is no schedule.
    fn lr(&self) -> Option<f64>;

    /// Sets the learning rate of the steps to come.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for a value that makes no sense.
    fn set_lr(&mut self, lr: f64) -> Result<()>;

    /// The options, learning rate included, in words: a training continues with the same ones.
    fn describe(&self) -> String;

    /// What the optimizer remembers from step to step, by name; `None` where it does not give it
    /// out. Then there are no checkpoints.
    fn state(&self) -> Option<Vec<(String, Tensor)>>;

    /// Continues from what [`Optimizer::state`] gave.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for names, shapes or kinds that do not fit the parameters.
    fn load_state(&mut self, state: &[(String, Tensor)]) -> Result<()>;

    /// Whether the last [`Optimizer::backward_step`] changed anything: [`fit`](crate::train::fit::fit)
    /// asks after its first step, where that has not said so itself. By default it has.
    ///
    /// # Errors
    ///
    /// [`Error::NoGradient`] where no parameter got a gradient.
    fn check_gradients(&self) -> Result<()> {
        Ok(())
    }

    /// The parameters that it changes; by default none are known.
    fn parameters(&self) -> Vec<Tensor> {
        Vec::new()
    }

    /// What a CUDA graph of the step needs; by default `None`: each step is done kernel by kernel.
    fn recordable(&mut self) -> Option<&mut dyn Recordable> {
        None
    }
}

impl Optimizer for Sgd {
    fn backward_step(&mut self, loss: &Tensor) -> Result<()> {
        Sgd::backward_step(self, loss)
    }

    fn lr(&self) -> Option<f64> {
        Some(Sgd::lr(self))
    }

    fn set_lr(&mut self, lr: f64) -> Result<()> {
        Sgd::set_lr(self, lr)
    }

    fn describe(&self) -> String {
        format!("{:?}", self.options())
    }

    fn state(&self) -> Option<Vec<(String, Tensor)>> {
        Some(Sgd::state(self))
    }

    fn load_state(&mut self, state: &[(String, Tensor)]) -> Result<()> {
        Sgd::load_state(self, state)
    }

    fn parameters(&self) -> Vec<Tensor> {
        Sgd::parameters(self).iter().map(Tensor::shallow_clone).collect()
    }

    fn recordable(&mut self) -> Option<&mut dyn Recordable> {
        Some(self)
    }
}

/// Without a learning rate that could be asked for, and without a state.
impl Optimizer for nn::Optimizer {
    fn backward_step(&mut self, loss: &Tensor) -> Result<()> {
        self.zero_grad();
        // The list of parameters is only for the error, and costs more than the question.
        if !loss.requires_grad() {
            check_loss(loss, &self.trainable_variables())?;
        }
        loss.f_backward().map_err(Error::torch("the backward pass"))?;
        self.step();
        Ok(())
    }

    fn lr(&self) -> Option<f64> {
        None
    }

    fn set_lr(&mut self, lr: f64) -> Result<()> {
        nn::Optimizer::set_lr(self, lr);
        Ok(())
    }

    fn describe(&self) -> String {
        "one of tch".to_owned()
    }

    fn state(&self) -> Option<Vec<(String, Tensor)>> {
        None
    }

    fn load_state(&mut self, _state: &[(String, Tensor)]) -> Result<()> {
        Err("tch's own optimizers do not take a state back; use blitz::optim::Sgd".into())
    }

    fn parameters(&self) -> Vec<Tensor> {
        self.trainable_variables()
    }

    fn check_gradients(&self) -> Result<()> {
        let parameters = self.trainable_variables();
        match parameters.iter().any(|parameter| parameter.grad().defined()) {
            true => Ok(()),
            false => Err(no_gradient(THIS_LOSS, &parameters)),
        }
    }
}
