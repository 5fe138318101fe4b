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

/// What the dynamic linker calls when it has loaded whatever contains this crate: the program, or a
/// cell's library. The libraries that these need have been loaded and initialised by then.
#[cfg(target_os = "linux")]
#[used] // rustc hands such statics of a crate to the linker, also where nothing else is called
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = {
    extern "C" fn load_beside_libtorch() {
        // Without libtorch there are no tensors. A library that cannot be loaded is reported to who
        // asks for a GPU.
        if let Some(directory) = loaded_libtorch() {
            load_from(&directory);
        }
    }
    load_beside_libtorch
};

/// The directory of the libtorch that is in this process, wherever it was compiled.
#[cfg(target_os = "linux")]
fn loaded_libtorch() -> Option<PathBuf> {
    use std::ffi::{CStr, OsStr, c_int, c_void};
    use std::os::unix::ffi::OsStrExt;

    unsafe extern "C" fn look(
        info: *mut libc::dl_phdr_info,
        _size: libc::size_t,
        found: *mut c_void,
    ) -> c_int {
        // SAFETY: the linker lends a description whose name is null or a terminated string, and
        // hands on the pointer below.
        let (name, found) = unsafe { ((*info).dlpi_name, &mut *found.cast::<Option<PathBuf>>()) };
        if name.is_null() {
            return 0;
        }
        // SAFETY: as above.
        let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()));
        if path.file_name() == Some(OsStr::new("libtorch_cpu.so")) {
            *found = path.parent().map(Path::to_owned);
        }
        c_int::from(found.is_some()) // other than 0 ends the walk
    }

    let mut found: Option<PathBuf> = None;
    // SAFETY: `look` gets the pointer to `found`, which lives longer than the walk.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut found).cast()) };
    found
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
        let same = |path: &Path| path.canonicalize().unwrap();
        assert_eq!(same(&directory), same(Path::new(env!("BLITZ_LIBTORCH_LIB"))));
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
