//! Loading libtorch into the process that runs cells.

use std::env::consts::DLL_SUFFIX;
use std::path::Path;

/// Whether the library that every tensor needs is in `lib_dir`.
pub fn is_in(lib_dir: &Path) -> bool {
    lib_dir.join(format!("libtorch_cpu{DLL_SUFFIX}")).exists()
}

/// Loads libtorch from `lib_dir` so that cells find it without `LD_LIBRARY_PATH`.
///
/// A cell is a shared object that takes libtorch's functions from what is already loaded (see
/// `aids.rs` of `crates/blitz-toolchain`), or on the stock kernel needs it by name.
/// `libtorch_cuda.so` is loaded as well where it exists, before any cell can ask for CUDA: no cell
/// needs it by name (the linker drops it), and libtorch remembers the answer to its first CUDA
/// query.
///
/// A library that cannot be loaded is reported on stderr and the kernel goes on: cells without
/// tensors still run.
pub fn preload(lib_dir: &Path) {
    for name in ["libtorch", "libtorch_cuda"] {
        let path = lib_dir.join(format!("{name}{DLL_SUFFIX}"));
        if !path.exists() {
            if name == "libtorch" {
                eprintln!("blitz-kernel: {} is missing; run `cargo blitz setup`", path.display());
            }
            continue;
        }
        if let Err(error) = load_globally(&path) {
            eprintln!("blitz-kernel: cannot load {}: {error}", path.display());
        }
    }
}

/// Loads the library at `path` for good, with its symbols visible to all that is loaded later.
///
/// # Errors
/// The dynamic linker's reason.
pub fn load_globally(path: &Path) -> Result<(), libloading::Error> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY};
    // SAFETY: libtorch's initialisers have no preconditions.
    let library = unsafe { Library::open(Some(path), RTLD_LAZY | RTLD_GLOBAL) }?;
    // Never unloaded: tensors live in variables until the process ends.
    std::mem::forget(library);
    Ok(())
}
