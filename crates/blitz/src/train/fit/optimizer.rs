//! What `fit` asks of an optimizer.

use tch::{Tensor, nn};

use crate::error::{Error, Result};
use crate::optim::{self, Sgd};

/// An optimizer that [`fit`](crate::train::fit::fit) can use: [`Sgd`], which can do all of this, and tch's
/// own optimizers, which can only step.
pub trait Optimizer {
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

    /// Whether the last [`Optimizer::backward_step`] changed anything: [`fit`](crate::train::fit::fit) asks
    /// after its first step, where that has not said so itself. By default it has.
    ///
    /// # Errors
    ///
    /// [`Error::NoGradient`] where no parameter got a gradient.
    fn check_gradients(&self) -> Result<()> {
        Ok(())
    }

    /// The [`Sgd`] that this is, whose steps can be recorded as a CUDA graph; by default `None`.
    fn as_sgd(&mut self) -> Option<&mut Sgd> {
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

    fn as_sgd(&mut self) -> Option<&mut Sgd> {
        Some(self)
    }
}

/// Without a learning rate that could be asked for, and without a state.
impl Optimizer for nn::Optimizer {
    fn backward_step(&mut self, loss: &Tensor) -> Result<()> {
        self.zero_grad();
        // The list of parameters is only for the error, and costs more than the question.
        if !loss.requires_grad() {
            optim::check_loss(loss, &self.trainable_variables())?;
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

    fn check_gradients(&self) -> Result<()> {
        let parameters = self.trainable_variables();
        match parameters.iter().any(|parameter| parameter.grad().defined()) {
            true => Ok(()),
            false => Err(optim::no_gradient(optim::THIS_LOSS, &parameters)),
        }
    }
}
