//! libtorch's CUDA half, which must be in the process before anybody asks about CUDA.

use std::path::{Path, PathBuf};

/// What [`load_cuda_backend`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CudaBackend {
    /// `libtorch_cuda` is in the process. There may still be no GPU.
    Loaded,
    /// This libtorch was built for the CPU alone (the CPU wheels, macOS).
    Absent,
    /// The library is there but cannot be loaded, for the reason given.
    Broken(String),
}

/// Loads libtorch's CUDA half into the process, where there is one.
///
/// Rust programs name no symbol of `libtorch_cuda`, so the linker leaves it out, and libtorch
/// then reports "no CUDA" for good from the first question on. On Linux a program or a cell that
/// names this crate anywhere (`use blitz::prelude::*;` or `use blitz as _;`) does this before its
/// `main`, so that [`tch::Cuda::is_available`] tells the truth; rustc does not link a dependency
/// that is named nowhere. Repeated calls are cheap, and say what was found.
pub fn load_cuda_backend() -> CudaBackend {
    let beside = loaded_libtorch().unwrap_or_else(|| PathBuf::from(env!("BLITZ_LIBTORCH_LIB")));
    load_from(&beside)
}

fn load_from(libtorch_lib: &Path) -> CudaBackend {
    let path = libtorch_lib.join("libtorch_cuda.so");
    if path.exists() { load(&path) } else { CudaBackend::Absent }
}

/// The directory of the libtorch that is in this process, wherever it was compiled.
#[cfg(target_os = "linux")]
fn loaded_libtorch() -> Option<PathBuf> {
    use std::ffi::{CStr, OsStr, c_char};
    use std::os::unix::ffi::OsStrExt;

    unsafe extern "C" {
        /// In cpp/at_start, which does this before `main`.
        fn blitz_device_libtorch_lib(path: *mut c_char, room: usize) -> bool;
    }
    let mut path: Vec<c_char> = vec![0; 4096];
    // SAFETY: there is as much room as told, and true says that a terminated string is in it.
    unsafe {
        blitz_device_libtorch_lib(path.as_mut_ptr(), path.len()).then(|| {
            let path = CStr::from_ptr(path.as_ptr());
            PathBuf::from(OsStr::from_bytes(path.to_bytes()))
        })
    }
}

#[cfg(not(target_os = "linux"))]
fn loaded_libtorch() -> Option<PathBuf> {
    None
}

#[cfg(unix)]
fn load(path: &Path) -> CudaBackend {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY};
    // SAFETY: the library's initialisers register CUDA kernels with the libtorch that is already
    // loaded, as they do in every PyTorch process.
    match unsafe { Library::open(Some(path), RTLD_LAZY | RTLD_GLOBAL) } {
        Ok(library) => {
            // Unloading would pull those kernels from under libtorch.
            std::mem::forget(library);
            CudaBackend::Loaded
        }
        Err(error) => CudaBackend::Broken(error.to_string()),
    }
}

#[cfg(not(unix))]
fn load(_path: &Path) -> CudaBackend {
    CudaBackend::Absent
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_libtorch_of_this_process_is_found() {
        assert_eq!(tch::Tensor::from(1.5f32).double_value(&[]), 1.5);
        let directory = loaded_libtorch().unwrap();
        assert!(directory.join("libtorch_cpu.so").exists());
        // Where the tests were compiled; they may be run on another machine (ci/gpu/run).
        if let Ok(compiled_with) = Path::new(env!("BLITZ_LIBTORCH_LIB")).canonicalize() {
            assert_eq!(directory.canonicalize().unwrap(), compiled_with);
        }
        let is_there = directory.join("libtorch_cuda.so").exists();
        let expected = if is_there { CudaBackend::Loaded } else { CudaBackend::Absent };
        assert_eq!(load_cuda_backend(), expected);
    }

    #[test]
    fn a_libtorch_for_the_cpu_is_no_error_and_a_broken_one_is_told() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(load_from(directory.path()), CudaBackend::Absent);
        std::fs::write(directory.path().join("libtorch_cuda.so"), "no library").unwrap();
        assert!(matches!(load_from(directory.path()), CudaBackend::Broken(_)));
    }
}
