//! Where tensors live: the choice between the CPU and CUDA GPUs.
//!
//! A net lives where its `VarStore` does. `vs.set_device(device)` is Python's `net.to(device)`: all
//! parameters and buffers of the store are moved, each where it is, so that the net's layers, and
//! an optimizer that exists already, have the same parameters as before. Moving to the device where
//! they are changes nothing. Three things stay behind:
//!
//! - Gradients, which Python's `net.to` would take along. Move a net between two steps, and begin
//!   the next one with `zero_grad()`; [`Sgd::backward_step`](crate::optim::Sgd::backward_step) does.
//! - What an optimizer remembers. [`Sgd`](crate::optim::Sgd) takes its momentum to the parameters at
//!   its next step. tch's own optimizers (`nn::adam(..).build(&vs, lr)`), as PyTorch's, do not: the
//!   step fails with "Expected all tensors to be on the same device". Make those after the move.
//! - Tensors of your own: `images.to_device(vs.device())`.
//!
//! ```
//! use blitz::prelude::*;
//!
//! let mut vs = nn::VarStore::new(Device::Cpu);
//! let net = cifar10_net(&vs.root());
//! let mut optimizer = Sgd::new(&vs, SgdOptions { lr: 0.001, momentum: 0.9, ..Default::default() })?;
//! vs.set_device(device::best());
//! let images = Tensor::zeros([4, 3, 32, 32], (Kind::Float, vs.device()));
//! let loss = net.forward(&images).square().mean(Kind::Float);
//! optimizer.backward_step(&loss)?;
//! # Ok::<(), blitz::Error>(())
//! ```

mod cuda_backend;

use blitz_contract::variables;
use tch::{Cuda, Device};

use crate::error::{Error, Result};

pub use cuda_backend::{CudaBackend, load_cuda_backend};

/// The first GPU where one can be used, else the CPU.
pub fn best() -> Device {
    load_cuda_backend();
    Device::cuda_if_available()
}

/// The device that `request` names: `auto` (see [`best`]), `cpu`, `cuda` (the first GPU) or
/// `cuda:N` (GPU `N`, counted from 0). Case does not matter.
///
/// # Errors
///
/// [`Error::Device`] for another word, for CUDA where there is none, and for an `N` beyond the
/// last GPU.
///
/// ```no_run
/// assert_eq!(blitz::device::choose("cpu")?, blitz::tch::Device::Cpu);
/// # Ok::<(), blitz::Error>(())
/// ```
pub fn choose(request: &str) -> Result<Device> {
    let word = request.trim().to_ascii_lowercase();
    match word.as_str() {
        "auto" => Ok(best()),
        "cpu" => Ok(Device::Cpu),
        "cuda" => cuda(request, 0),
        _ => match word.strip_prefix("cuda:").and_then(|index| index.parse().ok()) {
            Some(index) => cuda(request, index),
            None => Err(refusal(
                request,
                "the word is not known",
                "Use auto, cpu, cuda or cuda:N, such as cuda:0.",
            )),
        },
    }
}

/// The device that a program is asked for: what its `--device` says, else the environment variable
/// `BLITZ_DEVICE`, else [`best`].
///
/// ```no_run
/// let device = blitz::device::requested(None)?; // what a notebook does
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// As [`choose`].
pub fn requested(flag: Option<&str>) -> Result<Device> {
    let variable = std::env::var(variables::DEVICE).ok();
    let variable = variable.as_deref().filter(|value| !value.trim().is_empty());
    choose(flag.or(variable).unwrap_or("auto"))
}

/// The word by which [`choose`] knows the device, such as `cpu` or `cuda:0`.
pub fn name(device: Device) -> String {
    match device {
        Device::Cpu => "cpu".to_owned(),
        Device::Cuda(index) => format!("cuda:{index}"),
        Device::Mps => "mps".to_owned(),
        Device::Vulkan => "vulkan".to_owned(),
    }
}

/// The device in words, such as "the CPU, 2 threads" or "GPU 0 of 1".
pub fn describe(device: Device) -> String {
    match device {
        Device::Cpu => match tch::get_num_threads() {
            1 => "the CPU, 1 thread".to_owned(),
            threads => format!("the CPU, {threads} threads"),
        },
        Device::Cuda(index) => {
            load_cuda_backend();
            format!("GPU {index} of {}", Cuda::device_count())
        }
        Device::Mps => "the Apple GPU (MPS)".to_owned(),
        Device::Vulkan => "the Vulkan GPU".to_owned(),
    }
}

fn cuda(request: &str, index: usize) -> Result<Device> {
    const USE_CPU: &str = "Ask for \"cpu\" or \"auto\" to go on without a GPU.";
    match load_cuda_backend() {
        CudaBackend::Absent => {
            let reason = "this libtorch was built for the CPU alone";
            let remedy = format!("Install a CUDA build of torch in .venv, or: {USE_CPU}");
            return Err(refusal(request, reason, &remedy));
        }
        CudaBackend::Broken(reason) => {
            let reason = format!("libtorch_cuda could not be loaded ({reason})");
            return Err(refusal(request, &reason, USE_CPU));
        }
        CudaBackend::Loaded => {}
    }
    let count = usize::try_from(Cuda::device_count()).unwrap_or(0);
    if !Cuda::is_available() || count == 0 {
        let remedy = format!("Check the driver with nvidia-smi. {USE_CPU}");
        return Err(refusal(request, "no GPU with a working driver was found", &remedy));
    }
    if index >= count {
        let reason = format!(
            "there {}",
            if count == 1 { "is 1 GPU".into() } else { format!("are {count} GPUs") }
        );
        let remedy = format!("Use an index from 0 to {}.", count - 1);
        return Err(refusal(request, &reason, &remedy));
    }
    Ok(Device::Cuda(index))
}

fn refusal(request: &str, reason: &str, remedy: &str) -> Error {
    Error::Device {
        request: request.to_owned(),
        reason: reason.to_owned(),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case() {
        assert_eq!(choose("CPU").unwrap(), Device::Cpu);
        assert_eq!(choose(" Auto ").unwrap(), best());
    }

    #[test]
    fn the_flag_goes_before_the_environment() {
        assert_eq!(requested(Some("cpu")).unwrap(), Device::Cpu);
        assert!(requested(Some("gpu")).is_err());
        assert_eq!(choose(&name(Device::Cpu)).unwrap(), Device::Cpu);
        assert_eq!(name(Device::Cuda(1)), "cuda:1");
    }

    #[test]
    fn an_unknown_word_is_named_with_the_known_ones() {
        for request in ["gpu", "cuda:", "cuda:-1", "cuda:x", ""] {
            let message = choose(request).unwrap_err().to_string();
            assert!(message.contains(&format!("\"{request}\"")), "{message}");
            assert!(message.contains("cuda:N"), "{message}");
        }
    }

    #[test]
    fn an_index_beyond_the_last_gpu_is_refused() {
        let message = choose("cuda:99").unwrap_err().to_string();
        assert!(message.starts_with("cannot use device \"cuda:99\""), "{message}");
        let remedy = if Cuda::is_available() { "Use an index from 0" } else { "\"cpu\"" };
        assert!(message.contains(remedy), "{message}");
    }

    #[test]
    fn cuda_is_granted_where_there_is_a_gpu_and_refused_elsewhere() {
        match choose("cuda") {
            Ok(device) => assert_eq!(device, best()),
            Err(error) => {
                assert_eq!(best(), Device::Cpu);
                assert!(error.to_string().contains("\"cpu\""), "{error}");
            }
        }
    }

    #[test]
    fn the_cpu_is_described_with_its_threads() {
        let expected = format!("the CPU, {} thread", tch::get_num_threads());
        assert!(describe(Device::Cpu).starts_with(&expected));
        assert_eq!(describe(Device::Cuda(3)), format!("GPU 3 of {}", Cuda::device_count()));
    }
}
