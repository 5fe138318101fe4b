//! A net whose gradients are averaged over all processes: `torch.nn.parallel.DistributedDataParallel`.

use std::sync::atomic::{AtomicBool, Ordering};

use tch::Tensor;
use tch::nn::{ModuleT, VarStore};

use super::process_group::ProcessGroup;
use super::reducer::{Reducer, ReducerOptions, Refusal};
use super::same_variables;
use crate::error::{Error, Result};
use crate::nn::{named_parameters, named_variables};

const OPERATION: &str = "DistributedDataParallel";

/// How gradients are averaged, with PyTorch's defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct DdpOptions {
    /// Gradients travel in buckets of up to so many MiB, so that one can travel while the next is
    /// computed; 25.
    pub bucket_cap_mb: f64,
    /// The first bucket, in MiB; 1.
    pub first_bucket_mb: f64,
    /// What to do about parameters that do not take part in a step.
    pub unused_parameters: UnusedParameters,
    /// When the buffers of rank 0, such as running means, go to the others.
    pub buffers: Buffers,
}

/// Parameters that a forward pass does not use, and that so get no gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnusedParameters {
    /// They are an error, at the next step: all ranks wait for all gradients.
    #[default]
    Refuse,
    /// They are looked for after each forward pass, which takes time: `find_unused_parameters=True`.
    Find,
}

/// When the buffers of rank 0 go to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Buffers {
    /// Before each forward pass of the training: `broadcast_buffers=True`.
    #[default]
    EachStep,
    /// Once, at the start.
    AtStart,
}

impl Default for DdpOptions {
    fn default() -> DdpOptions {
        DdpOptions {
            bucket_cap_mb: 25.0,
            first_bucket_mb: 1.0,
            unused_parameters: UnusedParameters::Refuse,
            buffers: Buffers::EachStep,
        }
    }
}

/// A net that every process has a copy of. Each process goes forward and backward with its own part
/// of the batch; during `backward`, the gradients become their mean over all processes, so that
/// the optimizers, which see the same gradients, keep the copies equal.
///
/// The forward pass of training and `backward` wait for the other ranks: all make as many steps.
/// Within `no_grad` there is no communication, so that one rank may evaluate alone.
///
/// ```
/// use blitz::prelude::*;
///
/// let group = distributed::init(&InitOptions::default())?;
/// let vs = nn::VarStore::new(group.device());
/// let net = cifar10_net(&vs.root());
/// let ddp = DistributedDataParallel::new(net, &vs, &group, DdpOptions::default())?;
/// let mut optimizer = Sgd::new(&vs, SgdOptions { lr: 0.001, ..Default::default() })?;
/// let batch = Batch {
///     images: Tensor::rand([2, 3, 32, 32], (Kind::Float, group.device())),
///     labels: Tensor::from_slice(&[3i64, 8]).to_device(group.device()),
/// };
/// train_step(&ddp, &mut optimizer, &batch)?;
/// # Ok::<(), blitz::Error>(())
/// ```
#[derive(Debug)]
pub struct DistributedDataParallel<M> {
    net: M,
    group: ProcessGroup,
    /// `None` in a world of one.
    reducer: Option<Reducer>,
    /// The tensors of the store that are no parameters, where each step needs rank 0's.
    buffers: Vec<Tensor>,
    /// Parameters that get gradients, for messages.
    names: Vec<String>,
    /// Whether the next backward pass averages: not within [`no_sync`](Self::no_sync).
    averages: AtomicBool,
    /// Whether the next forward pass begins with rank 0's buffers: as the pass before averaged.
    sends_buffers: AtomicBool,
}

impl<M> DistributedDataParallel<M> {
    /// Takes `net`, whose variables are those of `vs`, and gives all ranks the values of rank 0.
    ///
    /// Variables are neither added nor frozen afterwards. The optimizer may be made before or after.
    ///
    /// # Errors
    ///
    /// [`Error::Process`] where the ranks have different nets (the message names the rank, the
    /// variable and both shapes, on all ranks) or a rank has ended; [`Error::Option`] for bucket
    /// sizes that make no sense, and a store without parameters that get gradients.
    pub fn new(
        net: M,
        vs: &VarStore,
        group: &ProcessGroup,
        options: DdpOptions,
    ) -> Result<DistributedDataParallel<M>> {
        let variables = named_variables(vs);
        // The ranks compare first: one that stops for a fault of its own lets the others wait.
        // Not translated: for the other ranks.
        let first = format!("the wrapper\t{options:?}");
        same_variables::check(OPERATION, group, &first, &variables)?;
        for (option, mb) in
            [("bucket_cap_mb", options.bucket_cap_mb), ("first_bucket_mb", options.first_bucket_mb)]
        {
            if !(mb > 0.0 && mb < 1e6) {
                return Err(Error::option(option, "above 0 and below 1e6 MiB", mb));
            }
        }
        let mut parameters = named_parameters(vs);
        // What is neither trained nor a frozen parameter; parameters come first.
        let buffers = variables.iter().skip(parameters.len());
        let buffers = match options.buffers {
            Buffers::EachStep => buffers.map(|(_, tensor)| tensor.shallow_clone()).collect(),
            Buffers::AtStart => Vec::new(),
        };
        parameters.retain(|(_, tensor)| tensor.requires_grad());
        if parameters.is_empty() {
            let expected = "a VarStore with parameters that require gradients";
            return Err(Error::option("vs", expected, "one without"));
        }
        group.share(OPERATION, &variables)?;
        let bytes = |mb: f64| (mb * 1024.0 * 1024.0) as i64;
        let reducer_options = ReducerOptions {
            bucket_bytes: bytes(options.bucket_cap_mb).max(1),
            first_bucket_bytes: bytes(options.first_bucket_mb).max(1),
            finds_unused: options.unused_parameters == UnusedParameters::Find,
            gradients_are_views: true,
        };
        let reducer = group
            .engine()
            .map(|engine| Reducer::new(engine, &parameters, &reducer_options))
            .transpose()
            .map_err(|error| group.failed(OPERATION, error))?;
        Ok(DistributedDataParallel {
            net,
            group: group.clone(),
            reducer,
            buffers,
            names: parameters.into_iter().map(|(name, _)| name).collect(),
            averages: AtomicBool::new(true),
            sends_buffers: AtomicBool::new(true),
        })
    }

    /// The net itself: `ddp.module`.
    pub fn net(&self) -> &M {
        &self.net
    }

    /// The processes that share the net.
    pub fn group(&self) -> &ProcessGroup {
        &self.group
    }

    /// Does `work` without averaging: gradients add up on each rank, and the first backward pass
    /// after a forward pass outside averages the sums. `with ddp.no_sync():`
    ///
    /// ```
    /// # use blitz::prelude::*;
    /// # let group = distributed::init(&InitOptions::default())?;
    /// # let vs = nn::VarStore::new(group.device());
    /// # let net = linear(vs.root() / "fc", 5, 2);
    /// # let ddp = DistributedDataParallel::new(net, &vs, &group, DdpOptions::default())?;
    /// # let parts = [Tensor::ones([3, 5], (Kind::Float, group.device()))];
    /// ddp.no_sync(|| {
    ///     for part in &parts {
    ///         ddp.forward_t(part, true).sum(Kind::Float).backward();
    ///     }
    /// });
    /// # use blitz::tch::nn::ModuleT;
    /// # Ok::<(), blitz::Error>(())
    /// ```
    pub fn no_sync<T>(&self, work: impl FnOnce() -> T) -> T {
        /// Averages again also where `work` panics.
        struct Again<'a>(&'a AtomicBool, bool);
        impl Drop for Again<'_> {
            fn drop(&mut self) {
                self.0.store(self.1, Ordering::Relaxed);
            }
        }
        let _again = Again(&self.averages, self.averages.swap(false, Ordering::Relaxed));
        work()
    }

    /// Before a forward pass; whether its backward pass will average.
    fn before_forward(&self, reducer: &Reducer, train: bool) -> Result<bool, Refusal> {
        let averages = self.averages.load(Ordering::Relaxed);
        let sends_buffers = self.sends_buffers.swap(averages, Ordering::Relaxed);
        let is_learning = reducer.before_forward(averages)?;
        if sends_buffers && is_learning && train {
            self.send_buffers()?;
        }
        Ok(averages && is_learning)
    }

    fn send_buffers(&self) -> Result<()> {
        let Some(engine) = self.group.engine() else { return Ok(()) };
        self.buffers.iter().try_for_each(|buffer| engine.broadcast(&buffer.detach(), 0))
    }

    /// The error as it is told in DistributedDataParallel's words.
    fn failed(&self, refusal: Refusal) -> Error {
        let positions = match refusal {
            Refusal::Other(error) => return self.group.failed(OPERATION, error),
            Refusal::NoGradient(positions) => positions,
        };
        let names: Vec<&str> = positions
            .iter()
            .filter_map(|position| self.names.get(*position).map(String::as_str))
            .collect();
        let names =
            if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        self.group.disagreement(
            OPERATION,
            format!(
                "in the step before, parameters of the net got no gradient{names}, so that the \
                 ranks could not average theirs"
            ),
            "Let every parameter take part in the loss, freeze those that do not before the net is \
             wrapped, or look for them: DdpOptions { unused_parameters: UnusedParameters::Find, .. }.",
        )
    }
}

impl<M: ModuleT> ModuleT for DistributedDataParallel<M> {
    /// As the net's own.
    ///
    /// # Panics
    ///
    /// As the net, and with the message of [`Error::Process`] where the ranks do not go on together.
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let Some(reducer) = &self.reducer else { return self.net.forward_t(xs, train) };
        let stop = |error: Refusal| -> ! { panic!("{}", self.failed(error)) };
        let averages = self.before_forward(reducer, train).unwrap_or_else(|error| stop(error));
        let output = self.net.forward_t(xs, train);
        if averages {
            reducer.before_backward(&output).unwrap_or_else(|error| stop(error.into()));
        }
        output
    }
}
