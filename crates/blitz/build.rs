//! Tells the linker and the crate where libtorch lies, so that tests, examples and notebooks run
//! with no environment variable set.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    // torch-sys declares `links = "tch"` and prints `cargo:libtorch_lib=DIR`.
    let Some(printed) = env::var_os("DEP_TCH_LIBTORCH_LIB") else {
        panic!("torch-sys did not say where libtorch lies; is LIBTORCH set (.cargo/config.toml)?");
    };
    let lib_dir = absolute(Path::new(&printed));
    println!("cargo:rustc-env=BLITZ_LIBTORCH_LIB={}", lib_dir.display());
    // Linkers of unix systems store this path in the program; Windows has no such thing.
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family.contains("unix")) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib_dir.display());
        // tests/interrupt.rs stands in for the kernel, which exports a function by name.
        println!("cargo:rustc-link-arg-tests=-rdynamic");
    }
}

/// The absolute form of `path` with its links kept: `.blitz/libtorch` may point at another
/// virtual environment tomorrow, and programs built today should follow it there.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
