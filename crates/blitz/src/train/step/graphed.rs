//! The training step as a CUDA graph, with the plain step as its stand-in on the CPU.

use tch::nn::ModuleT;
use tch::{Device, Tensor};

use super::cuda_graph::CudaGraph;
use crate::data::loader::Batch;
use crate::error::caught_panic;
use crate::error::{Error, Result};
use crate::nn::loss::cross_entropy;
use crate::optim::{Optimizer, Recordable, Sgd};

/// Steps done one by one before one is recorded: PyTorch's advice, for libraries choose their
/// kernels and workspaces in the first ones.
const WARM_UP_STEPS: usize = 3;

/// Repeats [`train_step`](super::train_step) as fast as the device allows, with the same numbers.
///
/// On the CPU each step is [`train_step`](super::train_step). On a GPU the first three are done one by one, with the
/// learning rate in the GPU's memory; then a step is recorded as a CUDA graph, and each batch of
/// the first one's shape is copied to where the graph reads it. Other batches, such as a smaller
/// last one, are done one by one. All of these train: no batch is used twice or lost.
///
/// A recorded step repeats exactly the kernels of its recording: the net's forward pass must not
/// depend on values (`if x > 0.0`) or read them. A changed learning rate, a
/// [`Sgd::load_state`] and parameters that have moved are noticed.
///
/// ```
/// use blitz::prelude::*;
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let net = cifar10_net(&vs.root());
/// let mut optimizer = Sgd::new(&vs, SgdOptions::default())?;
/// let mut step = GraphedStep::new(&net, &mut optimizer)?;
/// let batch = Batch {
///     images: Tensor::zeros([4, 3, 32, 32], (Kind::Float, Device::Cpu)),
///     labels: Tensor::from_slice(&[3i64, 8, 8, 0]),
/// };
/// let loss = step.step(&batch)?;
/// assert!(!step.is_graph()); // on the CPU
/// # Ok::<(), blitz::Error>(())
/// ```
#[derive(Debug)]
pub struct GraphedStep<'a, M: ModuleT + ?Sized> {
    net: &'a M,
    optimizer: &'a mut Sgd,
    steps: Steps,
}

impl<'a, M: ModuleT + ?Sized> GraphedStep<'a, M> {
    /// A step of `net` by `optimizer`: a graph where the optimizer's parameters are on a GPU.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] on a GPU where this build has no CUDA graphs, and for parameters on
    /// several devices.
    pub fn new(net: &'a M, optimizer: &'a mut Sgd) -> Result<GraphedStep<'a, M>> {
        let steps = Steps::new(optimizer)?;
        Ok(GraphedStep { net, optimizer, steps })
    }

    /// A step that is done one by one on every device.
    pub fn plain(net: &'a M, optimizer: &'a mut Sgd) -> GraphedStep<'a, M> {
        GraphedStep { net, optimizer, steps: Steps::plain() }
    }

    /// Trains on `batch`. Returns its loss, a scalar on the batch's device that is not read back
    /// and has no graph.
    ///
    /// # Errors
    ///
    /// As [`train_step`](super::train_step), and [`Error::Torch`] where the net does what a graph cannot record, such
    /// as reading a value.
    ///
    /// # Panics
    ///
    /// As [`train_step`](super::train_step).
    pub fn step(&mut self, batch: &Batch) -> Result<Tensor> {
        self.steps.step(self.net, self.optimizer, batch)
    }

    /// Whether the next steps repeat a recorded graph.
    pub fn is_graph(&self) -> bool {
        self.steps.recorder.as_ref().is_some_and(|recorder| recorder.recorded.is_some())
    }

    /// The optimizer, to change its learning rate.
    pub fn optimizer(&mut self) -> &mut Sgd {
        self.optimizer
    }
}

/// [`GraphedStep`] without the net and the optimizer, for loops that use them between the steps.
/// They are the same in all steps: a graph has their addresses.
#[derive(Debug)]
pub(crate) struct Steps {
    recorder: Option<Recorder>,
}

impl Steps {
    /// As [`GraphedStep::new`]; one by one, too, for optimizers that cannot be recorded.
    pub(crate) fn new(optimizer: &mut impl Optimizer) -> Result<Steps> {
        let Some(optimizer) = optimizer.recordable() else { return Ok(Steps::plain()) };
        let recorder = match device_of(optimizer.parameters())? {
            device @ Device::Cuda(_) => Some(Recorder::new(device, optimizer.lr())?),
            _ => None,
        };
        Ok(Steps { recorder })
    }

    /// As [`GraphedStep::plain`].
    pub(crate) fn plain() -> Steps {
        Steps { recorder: None }
    }

    /// Goes on without a graph, for a net that cannot be recorded.
    pub(crate) fn give_up_graph(&mut self) -> bool {
        self.recorder.take().is_some()
    }

    /// As [`GraphedStep::step`].
    pub(crate) fn step<M: ModuleT + ?Sized>(
        &mut self,
        net: &M,
        optimizer: &mut impl Optimizer,
        batch: &Batch,
    ) -> Result<Tensor> {
        match (&mut self.recorder, optimizer.recordable()) {
            (Some(recorder), Some(recordable)) => recorder.step(net, recordable, batch),
            _ => optimizer.train_step(net, batch),
        }
    }
}

/// The device of an optimizer's parameters; the CPU where it has none.
fn device_of(parameters: &[Tensor]) -> Result<Device> {
    let mut devices = parameters.iter().map(Tensor::device);
    let first = devices.next().unwrap_or(Device::Cpu);
    match devices.find(|device| *device != first) {
        None => Ok(first),
        Some(other) => Err(Error::Device {
            request: crate::device::name(first),
            reason: format!("other parameters are on {}", crate::device::name(other)),
            remedy: "Make the net in a VarStore of one device, or use GraphedStep::plain."
                .to_owned(),
        }),
    }
}

/// What is needed to record steps on a GPU.
#[derive(Debug)]
struct Recorder {
    graph: CudaGraph,
    /// f32 of shape [] on the GPU, and what it holds.
    lr: (Tensor, f64),
    /// Shapes of images and labels that are recorded: those of the first batch.
    shapes: Option<[Vec<i64>; 2]>,
    warmed_up: usize,
    recorded: Option<Recorded>,
}

/// The tensors that the graph reads and writes, and the addresses of those it does not own.
#[derive(Debug)]
struct Recorded {
    images: Tensor,
    labels: Tensor,
    loss: Tensor,
    addresses: (usize, Vec<usize>),
}

impl Recorder {
    fn new(device: Device, lr: f64) -> Result<Recorder> {
        let graph = CudaGraph::new(device)?;
        let tensor = Tensor::from(lr as f32).f_to_device(device);
        let tensor = tensor.map_err(Error::torch("moving the learning rate to the GPU"))?;
        Ok(Recorder { graph, lr: (tensor, lr), shapes: None, warmed_up: 0, recorded: None })
    }

    fn step<M: ModuleT + ?Sized>(
        &mut self,
        net: &M,
        optimizer: &mut dyn Recordable,
        batch: &Batch,
    ) -> Result<Tensor> {
        self.follow(optimizer)?;
        let shapes = [batch.images.size(), batch.labels.size()];
        if *self.shapes.get_or_insert_with(|| shapes.clone()) != shapes {
            return one_by_one(net, optimizer, &self.lr.0, &batch.images, &batch.labels);
        }
        if self.warmed_up < WARM_UP_STEPS {
            self.warmed_up += 1;
            let lr = &self.lr.0;
            let (images, labels) = (&batch.images, &batch.labels);
            return self.graph.warm_up(|| one_by_one(net, optimizer, lr, images, labels));
        }
        let recorded = match self.recorded.take() {
            Some(recorded) => recorded,
            None => self.record(net, optimizer, batch)?,
        };
        let recorded = self.recorded.insert(recorded);
        let failed = || Error::torch("copying the batch to where the CUDA graph reads it");
        recorded.images.f_copy_(&batch.images).map_err(failed())?;
        recorded.labels.f_copy_(&batch.labels).map_err(failed())?;
        self.graph.replay()?;
        // The next step writes its loss to the same place.
        Ok(recorded.loss.copy())
    }

    /// Takes over a new learning rate, and forgets the graph where what it points to has moved.
    fn follow(&mut self, optimizer: &dyn Recordable) -> Result<()> {
        if self.lr.1 != optimizer.lr() {
            self.lr.1 = optimizer.lr();
            // Rounded here: tch panics over a number that f32 does not have.
            let lr = f64::from(self.lr.1 as f32);
            let _ = self.lr.0.f_fill_(lr).map_err(Error::torch("setting the learning rate"))?;
        }
        let moved = |recorded: &Recorded| recorded.addresses != optimizer.addresses();
        if self.recorded.as_ref().is_some_and(moved) {
            self.recorded = None;
            // The momentum must be there before it can be recorded.
            self.warmed_up = 0;
        }
        Ok(())
    }

    fn record<M: ModuleT + ?Sized>(
        &mut self,
        net: &M,
        optimizer: &mut dyn Recordable,
        batch: &Batch,
    ) -> Result<Recorded> {
        let addresses = optimizer.addresses();
        let device = self.lr.0.device();
        let [images, labels] =
            [&batch.images, &batch.labels].map(|tensor| tensor.to_device(device).copy());
        let lr = &self.lr.0;
        // The steps before did not panic: what does now is a net that reads a value, as
        // `double_value` does, which CUDA refuses while it records.
        let step = || one_by_one(net, optimizer, lr, &images, &labels);
        let loss = self.graph.capture(|| match caught_panic::caught(step) {
            Ok(result) => result,
            Err(message) => Err(Error::refused("recording the step as a CUDA graph", &message)),
        })?;
        Ok(Recorded { images, labels, loss, addresses })
    }
}

/// [`train_step`](super::train_step) with the optimizer's fused kernel.
fn one_by_one<M: ModuleT + ?Sized>(
    net: &M,
    optimizer: &mut dyn Recordable,
    lr: &Tensor,
    images: &Tensor,
    labels: &Tensor,
) -> Result<Tensor> {
    let loss = cross_entropy(&net.forward_t(images, true), labels)?;
    optimizer.backward(&loss)?;
    optimizer.fused_step(lr)?;
    Ok(loss.detach())
}
