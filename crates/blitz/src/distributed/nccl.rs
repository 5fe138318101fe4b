//! NCCL, for GPUs: in a library of its own (`cpp/cuda/nccl.cpp`), which is loaded where it is wanted.

use std::ffi::{c_char, c_int};

use tch::Device;

use super::engine::Opaque;
use crate::device::{self, CudaBackend, load_cuda_backend};
use crate::error::{Error, Result};

/// `blitz_nccl_use` of C++.
pub(super) type Use = unsafe extern "C" fn(*mut Opaque, c_int) -> *mut c_char;

/// The library's function.
///
/// # Errors
///
/// [`Error::Device`] where this build has no NCCL, or it cannot be loaded.
pub(super) fn load(device: Device) -> Result<Use> {
    let refusal = |reason: String| Error::Device {
        request: device::name(device),
        reason,
        remedy: "Choose the CPU (device: Some(Cpu)), whose tensors gloo carries.".to_owned(),
    };
    let (path, missing) = (env!("BLITZ_NCCL"), env!("BLITZ_NCCL_MISSING"));
    if path.is_empty() {
        return Err(refusal(format!("NCCL is missing: {missing}")));
    }
    match load_cuda_backend() {
        CudaBackend::Loaded => {}
        CudaBackend::Absent => {
            return Err(refusal("this libtorch was built for the CPU alone".to_owned()));
        }
        CudaBackend::Broken(reason) => return Err(refusal(reason)),
    }
    open(path).map_err(refusal)
}

#[cfg(unix)]
fn open(path: &str) -> std::result::Result<Use, String> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: the library is our own; its libraries are in the process already.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    let library = library.map_err(|error| format!("{path} cannot be loaded ({error})"))?;
    // SAFETY: this is the function's type in cpp/cuda/nccl.cpp.
    let function = unsafe { library.get::<Use>(b"blitz_nccl_use").map(|symbol| *symbol) };
    let function = function
        .map_err(|error| format!("{path} is of another version of this crate ({error})"))?;
    // The function is used until the process ends.
    std::mem::forget(library);
    Ok(function)
}

#[cfg(not(unix))]
fn open(_path: &str) -> std::result::Result<Use, String> {
    Err("NCCL is not available on this system".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without a GPU, too, all that the library refers to is found in libtorch_cuda and NCCL.
    #[test]
    fn its_library_loads_where_libtorch_has_a_cuda_half() {
        match load(Device::Cuda(0)) {
            Ok(_) => assert_eq!(load_cuda_backend(), CudaBackend::Loaded),
            Err(error) => {
                assert_ne!(load_cuda_backend(), CudaBackend::Loaded, "{error}");
                assert!(error.to_string().contains("gloo"), "{error}");
            }
        }
    }
}
