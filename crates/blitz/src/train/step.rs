//! One training step: forward pass, loss, backward pass, optimizer.
//!
//! [`train_step`] is the loop's body written out. [`GraphedStep`] does the same on the CPU; on a
//! GPU it records the step as a CUDA graph and repeats that. At batch 4 a GPU waits most of the
//! time for the CPU to launch its hundred small kernels; a graph launches them all at once.
//! [`keep_freed_memory`] makes steps on the CPU a little faster.
//! [`RunningLoss`] adds losses up where they are, so that no step waits for its loss to be read.

mod cuda_graph;
mod graphed;
mod running_loss;

use tch::Tensor;
use tch::nn::ModuleT;

use crate::data::loader::Batch;
use crate::error::Result;
use crate::optim::Optimizer;

pub use crate::ffi::malloc::keep_freed_memory;
pub use graphed::GraphedStep;
pub(crate) use graphed::Steps;
pub use running_loss::RunningLoss;

/// One step ([`Optimizer::train_step`]): `optimizer.zero_grad()`, the cross-entropy of the net's logits, `loss.backward()`,
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
/// [`Error::Torch`](crate::Error::Torch) where the net's logits do not fit the labels, and as
/// [`Optimizer::backward_step`]. The parameters have not changed then.
///
/// # Panics
///
/// Where the net itself does, given images that it was not made for.
pub fn train_step<M: ModuleT + ?Sized>(
    net: &M,
    optimizer: &mut impl Optimizer,
    batch: &Batch,
) -> Result<Tensor> {
    optimizer.train_step(net, batch)
}
