//! Whether an optimizer's steps change anything.
//!
//! An optimizer made for another net gets no gradient, and each of its steps does nothing: PyTorch
//! says nothing either, and after hours of training nothing is learnt.

use tch::{Kind, Tensor};

use crate::error::{Error, Result};

/// What an optimizer has seen of gradients so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Learning {
    /// None.
    #[default]
    Nothing,
    /// `zero_grad` has forgotten some that no step had used.
    Forgotten,
    /// The same, and then a step found none.
    InVain,
    /// A step has changed parameters by some.
    Begun,
}

impl Learning {
    /// After `zero_grad` has forgotten so many.
    pub(super) fn forgot(&mut self, gradients: usize) {
        if *self == Learning::Nothing && gradients > 0 {
            *self = Learning::Forgotten;
        }
    }

    /// After a step that found so many among `parameters`.
    pub(super) fn stepped(&mut self, gradients: usize, parameters: &[Tensor]) -> Result<()> {
        *self = match (*self, gradients) {
            (Learning::Begun, _) | (_, 1..) => Learning::Begun,
            (Learning::Forgotten, 0) => Learning::InVain,
            (Learning::InVain, 0) => return Err(forgotten_again()),
            (Learning::Nothing, 0) => return Err(no_gradient(NO_LOSS_KNOWN, parameters)),
        };
        Ok(())
    }

    /// After a backward pass from a loss and a step that found so many.
    pub(super) fn stepped_by_loss(
        &mut self,
        gradients: usize,
        parameters: &[Tensor],
    ) -> Result<()> {
        if gradients == 0 {
            return Err(no_gradient(THIS_LOSS, parameters));
        }
        *self = Learning::Begun;
        Ok(())
    }
}

/// Whether a backward pass from `loss` can reach any of an optimizer's `parameters`.
pub(super) fn check_loss(loss: &Tensor, parameters: &[Tensor]) -> Result<()> {
    let refuse = |expected: &str, got: String| {
        Err(Error::Shape { operation: "backward_step", expected: expected.to_owned(), got })
    };
    if !loss.defined() {
        return refuse("a loss", "an undefined tensor".to_owned());
    }
    if loss.numel() != 1 {
        let expected = "a loss of one element (mean or sum makes one)";
        return refuse(expected, format!("shape {:?}", loss.size()));
    }
    if !loss.requires_grad() && !parameters.iter().any(Tensor::requires_grad) {
        return Err(no_gradient(THIS_LOSS, parameters));
    }
    if !loss.requires_grad() {
        let expected = "a loss that requires grad (computed from the net's parameters, outside \
            no_grad and not detached)";
        return refuse(expected, "one that does not".to_owned());
    }
    if matches!(loss.kind(), Kind::ComplexHalf | Kind::ComplexFloat | Kind::ComplexDouble) {
        return refuse("a loss that is a real number", format!("kind {:?}", loss.kind()));
    }
    Ok(())
}

/// For [`no_gradient`], where the loss is at hand.
pub(super) const THIS_LOSS: &str = " from this loss";
/// For [`no_gradient`], where the backward pass was another's.
pub(super) const NO_LOSS_KNOWN: &str = "";

/// Why an optimizer of `parameters` has got no gradient.
pub(super) fn no_gradient(origin: &'static str, parameters: &[Tensor]) -> Error {
    let (reason, remedy) = if parameters.is_empty() {
        let remedy = "Make the net first, in the VarStore that the optimizer is made with.";
        ("it has no parameters".to_owned(), remedy)
    } else if !parameters.iter().any(Tensor::requires_grad) {
        let remedy = "Let those that shall learn require grad: vs.unfreeze(), or \
            set_requires_grad(true) for some.";
        let reason = match parameters.len() {
            1 => "its one parameter is frozen".to_owned(),
            count => format!("all its {count} parameters are frozen"),
        };
        (reason, remedy)
    } else {
        let reason = match origin {
            NO_LOSS_KNOWN => "there was no backward pass, or its loss does not depend on",
            _ => "the loss does not depend on",
        };
        let remedy = "Make the optimizer with the VarStore of the net that computes the loss \
            (Sgd::new(&vs, ...)), compute the loss without no_grad and detach, and call \
            loss.backward() between zero_grad and step.";
        let parameters = match parameters.len() {
            1 => "its one parameter".to_owned(),
            count => format!("any of its {count} parameters"),
        };
        (format!("{reason} {parameters}"), remedy)
    };
    Error::NoGradient { origin, reason, remedy }
}

fn forgotten_again() -> Error {
    Error::NoGradient {
        origin: NO_LOSS_KNOWN,
        reason: "zero_grad forgot those of the backward pass, for the second time".to_owned(),
        remedy: "Call optimizer.zero_grad(), loss.backward() and optimizer.step() in this order.",
    }
}
