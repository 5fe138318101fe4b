//! What the forward of a function hands to its backward.

use tch::Tensor;

use super::saved_tensors::SavedTensors;
use crate::error::{Error, Result};

/// Carries tensors from [`Function::forward`](super::Function::forward) to
/// [`Function::backward`](super::Function::backward).
pub struct Context {
    stage: Stage,
    needs_input_grad: Vec<bool>,
}

enum Stage {
    Forward(Marks),
    Backward(SavedTensors),
}

/// What the forward says about tensors.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) saved: Vec<Tensor>,
    pub(super) dirty: Vec<Tensor>,
    pub(super) non_differentiable: Vec<Tensor>,
}

impl Context {
    pub(super) fn forward(needs_input_grad: Vec<bool>) -> Context {
        Context { stage: Stage::Forward(Marks::default()), needs_input_grad }
    }

    pub(super) fn backward(saved: SavedTensors, needs_input_grad: Vec<bool>) -> Context {
        Context { stage: Stage::Backward(saved), needs_input_grad }
    }

    pub(super) fn into_marks(self) -> Marks {
        match self.stage {
            Stage::Forward(marks) => marks,
            Stage::Backward(_) => Marks::default(),
        }
    }

    /// Keeps inputs, outputs or intermediate results for the backward. A second call replaces what
    /// the first kept. Without effect in the backward.
    pub fn save_for_backward(&mut self, tensors: &[&Tensor]) {
        self.mark(|marks| marks.saved = handles(tensors));
    }

    /// Says that the forward has changed these inputs in place. They must be among its outputs.
    pub fn mark_dirty(&mut self, inputs: &[&Tensor]) {
        self.mark(|marks| marks.dirty = handles(inputs));
    }

    /// Says that these outputs have no gradient. Outputs of integers never have one.
    pub fn mark_non_differentiable(&mut self, outputs: &[&Tensor]) {
        self.mark(|marks| marks.non_differentiable = handles(outputs));
    }

    /// In the backward, the tensors kept by the forward, in their order: `let [x, y] =
    /// ctx.saved_tensors()?`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where another number of tensors was kept, or in the forward;
    /// [`Error::Torch`] where one of them was modified in place since, or an earlier backward pass
    /// has freed the graph.
    pub fn saved_tensors<const N: usize>(&self) -> Result<[Tensor; N]> {
        match &self.stage {
            Stage::Backward(saved) => saved.unpack(),
            Stage::Forward(_) => Err(Error::Shape {
                operation: "saved_tensors",
                expected: "to be called in backward".to_owned(),
                got: "a call in forward, where the tensors are at hand".to_owned(),
            }),
        }
    }

    /// Whether anybody wants the gradient of input `index`; where not, the backward may leave it
    /// `None`. False for an `index` beyond the inputs.
    pub fn needs_input_grad(&self, index: usize) -> bool {
        self.needs_input_grad.get(index).copied().unwrap_or(false)
    }

    fn mark(&mut self, change: impl FnOnce(&mut Marks)) {
        if let Stage::Forward(marks) = &mut self.stage {
            change(marks);
        }
    }
}

fn handles(tensors: &[&Tensor]) -> Vec<Tensor> {
    tensors.iter().map(|tensor| tensor.shallow_clone()).collect()
}
