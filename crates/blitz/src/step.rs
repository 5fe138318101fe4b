//! One training step: forward pass, loss, backward pass, optimizer.
//!
//! [`train_step`] is the loop's body written out. [`GraphedStep`] does the same on the CPU; on a
//! GPU it records the step as a CUDA graph and repeats that. At batch 4 a GPU waits most of the
//! time for the CPU to launch its hundred small kernels; a graph launches them all at once.
//! [`RunningLoss`] adds losses up where they are, so that no step waits for its loss to be read.

mod graphed;
mod running_loss;

use tch::nn::ModuleT;
use tch::{Reduction, Tensor};

use crate::error::{Error, Result};
use crate::loader::Batch;
use crate::optim::Sgd;

pub use graphed::GraphedStep;
pub(crate) use graphed::Steps;
pub use running_loss::RunningLoss;

/// One step: `optimizer.zero_grad()`, the cross-entropy of the net's logits, `loss.backward()`,
/// `optimizer.step()`. Returns the batch's loss, a scalar on the batch's device that is not read
/// back and has no graph.
///
/// ```
/// use blitz::prelude::*;
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let net = cifar10_net(&vs.root());
/// let mut optimizer = Sgd::new(&vs, SgdOptions { momentum: 0.9, ..Default::default() })?;
/// let batch = Batch {
///     images: Tensor::zeros([4, 3, 32, 32], (Kind::Float, Device::Cpu)),
///     labels: Tensor::from_slice(&[3i64, 8, 8, 0]),
/// };
/// let loss = train_step(&net, &mut optimizer, &batch)?;
/// assert!((loss.double_value(&[]) - 10f64.ln()).abs() < 0.1);
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Torch`] where the net's logits do not fit the labels, and as
/// [`Sgd::backward_step`]. The parameters have not changed then.
///
/// # Panics
///
/// Where the net itself does, given images that it was not made for.
pub fn train_step<M: ModuleT + ?Sized>(
    net: &M,
    optimizer: &mut Sgd,
    batch: &Batch,
) -> Result<Tensor> {
    let loss = cross_entropy(&net.forward_t(&batch.images, true), &batch.labels)?;
    optimizer.backward_step(&loss)?;
    Ok(loss.detach())
}

/// The mean of `-log softmax(logits)[label]` over the batch (`nn.CrossEntropyLoss()`), a scalar.
///
/// `logits` is f32 `[N, classes]` and `labels` i64 `[N]`. Neither is modified.
///
/// # Errors
///
/// [`Error::Torch`] where the two do not fit.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let no_weight: Option<Tensor> = None;
    let ignore_index = -100; // PyTorch's default: no label is ignored
    logits
        .f_cross_entropy_loss(labels, no_weight, Reduction::Mean, ignore_index, 0.0)
        .map_err(Error::torch("the cross-entropy of the net's logits and the labels"))
}
