//! Compiles the C++ layer, and tells the linker and the crate where libtorch lies, so that tests,
//! examples and notebooks run with no environment variable set.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    // torch-sys declares `links = "tch"` and prints `cargo:libtorch_lib=DIR`.
    let Some(printed) = env::var_os("DEP_TCH_LIBTORCH_LIB") else {
        panic!("torch-sys did not say where libtorch lies; is LIBTORCH set (.cargo/config.toml)?");
    };
    let lib_dir = absolute(Path::new(&printed));
    compile_cpp(&lib_dir);
    println!("cargo:rustc-env=BLITZ_LIBTORCH_LIB={}", lib_dir.display());
    // Linkers of unix systems store this path in the program; Windows has no such thing.
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family.contains("unix")) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib_dir.display());
        // tests/interrupt.rs stands in for the kernel, which exports a function by name.
        println!("cargo:rustc-link-arg-tests=-rdynamic");
    }
}

/// Compiles `cpp/*.cpp` against libtorch's headers into an archive. Each function has a section of
/// its own, so that a cell links only what it calls.
fn compile_cpp(lib_dir: &Path) {
    println!("cargo:rerun-if-changed=cpp");
    let include = lib_dir.join("../include");
    let entries = fs::read_dir("cpp").expect("the directory cpp is part of this crate");
    let paths = entries.map(|entry| entry.expect("cpp can be read").path());
    let mut sources: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "cpp")).collect();
    sources.sort();
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .include("cpp")
        // As system headers, so that warnings are about our own lines.
        .flag("-isystem")
        .flag(&include)
        .flag("-isystem")
        .flag(include.join("torch/csrc/api/include"))
        .flag("-D_GLIBCXX_USE_CXX11_ABI=1")
        // As libtorch was built: without it, some classes have further fields (RecordFunction).
        .define("NDEBUG", None)
        .flag("-ffunction-sections")
        .flag("-fdata-sections")
        .flag("-Wno-unused-parameter")
        .files(sources)
        .compile("blitz_libtorch");
}

/// The absolute form of `path` with its links kept: `.blitz/libtorch` may point at another
/// virtual environment tomorrow, and programs built today should follow it there.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
