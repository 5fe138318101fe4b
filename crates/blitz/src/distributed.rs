//! Training by many processes, on one machine or on many: `torch.distributed`.
//!
//! The engine is PyTorch's own, c10d, which is inside libtorch: gloo carries the CPU's tensors, NCCL
//! those of GPUs, and c10d's `Reducer`, the class inside Python's `DistributedDataParallel`,
//! averages the gradients while the backward pass is still running. `torchrun` starts the processes,
//! by `cargo blitz launch`.
//!
//! ```no_run
//! use blitz::prelude::*;
//!
//! let group = distributed::init(&InitOptions::default())?;
//! println!("rank {} of {}", group.rank(), group.world_size());
//!
//! tch::manual_seed(0);
//! let vs = nn::VarStore::new(group.device());
//! let net = DistributedDataParallel::new(
//!     cifar10_net(&vs.root()),
//!     &vs,
//!     &group,
//!     DdpOptions::default(),
//! )?;
//! # Ok::<(), blitz::Error>(())
//! ```
//!
//! The same program runs without a launcher: it is then a world of one process.

mod collectives;
mod data_parallel;
mod distributed_data_parallel;
mod engine;
mod environment;
mod failure;
#[cfg(target_os = "linux")]
pub(crate) mod launch;
mod nccl;
mod process_group;
mod reducer;
mod rendezvous;
mod replica;
mod same_variables;
mod thread_state;

pub(crate) use collectives::Pending;
pub use collectives::ReduceOp;
pub use data_parallel::DataParallel;
pub use distributed_data_parallel::{
    Buffers, DdpOptions, DistributedDataParallel, UnusedParameters,
};
pub use environment::Environment;
#[cfg(target_os = "linux")]
pub use launch::{Returned, launch};
pub use process_group::{Backend, InitOptions, ProcessGroup, init};
