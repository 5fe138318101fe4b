//! The processes of a training.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tch::{Cuda, Device};

use super::engine::Engine;
use super::environment::Environment;
use super::failure::failed;
use super::rendezvous::connect;
use crate::device::{self, load_cuda_backend};
use crate::error::{Error, Result, peer_text};

/// What carries tensors from one process to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// NCCL on GPUs, gloo on CPUs.
    #[default]
    Auto,
    /// TCP, for the CPU's tensors.
    Gloo,
    /// NVIDIA's library, for those of GPUs. Asked for by its name it is started for a single
    /// process, too, where that has a launcher.
    Nccl,
}

/// How [`init`] joins a training.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Where this process computes; by default the GPU with the number of the local rank, or the
    /// CPU where there is none.
    pub device: Option<Device>,
    /// What carries the tensors; as the device needs it.
    pub backend: Backend,
    /// How long a process waits for the others, at the start and in each call; ten minutes.
    pub timeout: Duration,
}

impl Default for InitOptions {
    fn default() -> InitOptions {
        let timeout = Duration::from_secs(600);
        InitOptions { device: None, backend: Backend::Auto, timeout }
    }
}

/// The processes of a training: a handle that is cheap to clone.
///
/// Every process makes the same calls in the same order. Its methods may be called from any thread,
/// from one at a time.
#[derive(Clone)]
pub struct ProcessGroup {
    shared: Arc<Shared>,
}

struct Shared {
    environment: Environment,
    device: Device,
    backend: Backend,
    timeout: Duration,
    /// `None` in a world of one.
    engine: Option<Engine>,
}

/// Joins the processes that a launcher started (`cargo blitz launch`, `torchrun`), as
/// `torch.distributed.init_process_group` does. Without a launcher, and where it started one process,
/// this is a world of one, which communicates with nobody: the same program runs both ways.
///
/// Processes on one machine talk over its loopback interface; others over the interface that leads
/// to `MASTER_ADDR`, or that `GLOO_SOCKET_IFNAME` names.
///
/// # Errors
///
/// [`Error::Option`] for environment variables that make no sense, and a backend that does not fit
/// the device; [`Error::Device`] for a GPU that is not there; [`Error::Process`] where the processes
/// do not find each other within the timeout: the message names the ranks that did not come.
pub fn init(options: &InitOptions) -> Result<ProcessGroup> {
    let environment = Environment::read()?;
    let is_launched = environment.is_some();
    let environment = environment.unwrap_or_else(Environment::alone);
    let device = choose_device(&environment, options)?;
    let backend = choose_backend(device, options.backend)?;
    if options.timeout.is_zero() {
        return Err(Error::option("timeout", "longer than nothing", "0 s"));
    }
    // One process asks nobody, but may try NCCL by its name.
    let is_asked_for = environment.world_size > 1 || options.backend == Backend::Nccl;
    let engine = match is_launched && is_asked_for {
        true => Some(connect(&environment, device, backend, options.timeout)?),
        false => None,
    };
    let timeout = options.timeout;
    let shared = Shared { environment, device, backend, timeout, engine };
    Ok(ProcessGroup { shared: Arc::new(shared) })
}

impl ProcessGroup {
    /// A world of one process on `device`.
    pub fn alone(device: Device) -> ProcessGroup {
        let shared = Shared {
            environment: Environment::alone(),
            device,
            backend: Backend::Gloo,
            timeout: InitOptions::default().timeout,
            engine: None,
        };
        ProcessGroup { shared: Arc::new(shared) }
    }

    /// The number of this process, from 0: `torch.distributed.get_rank()`.
    pub fn rank(&self) -> usize {
        self.shared.environment.rank
    }

    /// How many processes there are: `torch.distributed.get_world_size()`.
    pub fn world_size(&self) -> usize {
        self.shared.environment.world_size
    }

    /// The number of this process among those of its machine, from 0.
    pub fn local_rank(&self) -> usize {
        self.shared.environment.local_rank
    }

    /// How often the launcher has started all processes again.
    pub fn restart_count(&self) -> usize {
        self.shared.environment.restart_count
    }

    /// Where this process computes.
    pub fn device(&self) -> Device {
        self.shared.device
    }

    /// What carries tensors; never [`Backend::Auto`].
    pub fn backend(&self) -> Backend {
        self.shared.backend
    }

    /// Whether this is rank 0, which alone prints, draws and writes files.
    pub fn is_main(&self) -> bool {
        self.rank() == 0
    }

    /// The way to the others; `None` in a world of one.
    pub(super) fn engine(&self) -> Option<&Engine> {
        self.shared.engine.as_ref()
    }

    /// Whether there are others.
    pub(crate) fn has_others(&self) -> bool {
        self.shared.engine.is_some()
    }

    /// `error` as it is told where processes work together: which rank, and what to do.
    pub(super) fn failed(&self, operation: &'static str, error: Error) -> Error {
        failed(&self.shared.environment, self.shared.timeout, operation, error)
    }

    /// `error`, which may have another cause, as it is told where a process has ended or not come.
    pub(crate) fn explained(&self, operation: &'static str, error: Error) -> Error {
        match &error {
            Error::Torch { message, .. } if peer_text::of_peer(message).is_some() => {
                self.failed(operation, error)
            }
            _ => error,
        }
    }

    /// An error that all ranks find at the same time.
    pub(crate) fn disagreement(
        &self,
        operation: &'static str,
        reason: String,
        remedy: &str,
    ) -> Error {
        let (rank, world_size) = (self.rank(), self.world_size());
        Error::Process { operation, rank, world_size, reason, remedy: remedy.to_owned() }
    }
}

impl fmt::Debug for ProcessGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rank, world_size, backend) = (self.rank(), self.world_size(), self.backend());
        let device = device::name(self.device());
        write!(f, "ProcessGroup(rank {rank} of {world_size}, {backend:?}, {device})")
    }
}

fn choose_device(environment: &Environment, options: &InitOptions) -> Result<Device> {
    load_cuda_backend();
    let gpus = usize::try_from(Cuda::device_count()).unwrap_or(0);
    match options.device {
        Some(Device::Cuda(index)) => device::choose(&format!("cuda:{index}")),
        Some(device) => Ok(device),
        None if gpus == 0 || options.backend == Backend::Gloo => Ok(Device::Cpu),
        None if environment.local_world_size > gpus => Err(Error::Device {
            request: format!("cuda:{}", environment.local_rank),
            reason: format!(
                "{} processes were started on this machine, which has {gpus} GPUs",
                environment.local_world_size
            ),
            remedy: format!("Start {gpus} processes, or choose the CPU (device: Some(Cpu))."),
        }),
        None => Ok(Device::Cuda(environment.local_rank)),
    }
}

fn choose_backend(device: Device, backend: Backend) -> Result<Backend> {
    match (device, backend) {
        (Device::Cuda(_), Backend::Auto | Backend::Nccl) => Ok(Backend::Nccl),
        (Device::Cpu, Backend::Auto | Backend::Gloo) => Ok(Backend::Gloo),
        (device, backend) => {
            let expected = "Auto, Gloo for the CPU or Nccl for CUDA GPUs";
            let got = format!("{backend:?} for {}", device::name(device));
            Err(Error::option("backend", expected, got))
        }
    }
}
