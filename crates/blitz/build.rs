//! Compiles the C++ layer, and tells the linker and the crate where libtorch lies, so that tests,
//! examples and notebooks run with no environment variable set.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use blitz_contract::symbols;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    // torch-sys declares `links = "tch"` and prints `cargo:libtorch_lib=DIR`.
    let Some(printed) = env::var_os("DEP_TCH_LIBTORCH_LIB") else {
        panic!("torch-sys did not say where libtorch lies; is LIBTORCH set (.cargo/config.toml)?");
    };
    let lib_dir = absolute(Path::new(&printed));
    // Each of the two reads libtorch's headers, which takes most of the time.
    std::thread::scope(|scope| {
        scope.spawn(|| compile_cuda_libraries(&lib_dir));
        compile_cpp(&lib_dir);
        compile_at_start();
    });
    println!("cargo:rustc-env=BLITZ_LIBTORCH_LIB={}", lib_dir.display());
    // Linkers of unix systems store this path in the program; Windows has no such thing.
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family.contains("unix")) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib_dir.display());
        // Tests stand in for the kernel, which exports a function by name. Exporting that one and not
        // all (-rdynamic) leaves out what a test does not use: its program is a fifth as large.
        let export = format!("-Wl,--export-dynamic-symbol={}", symbols::INTERRUPT_REQUESTED);
        println!("cargo:rustc-link-arg-tests={export}");
    }
}

/// Compiles `cpp/*.cpp` and `cpp/distributed/`, which sees more of libtorch (c10d, and of gloo what its
/// headers name), into an archive. They are compiled together, because reading libtorch's headers takes
/// far longer than they do (thirteen files: 15 s of processor time instead of 80). Each function has a
/// section of its own, so that a cell links only what it calls.
fn compile_cpp(lib_dir: &Path) {
    println!("cargo:rerun-if-changed=cpp");
    let include = |path: &PathBuf| format!("#include {:?}\n", absolute(path));
    let all: String =
        ["cpp", "cpp/distributed"].map(sources).iter().flatten().map(include).collect();
    let out_dir = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    let file = Path::new(&out_dir).join("blitz_libtorch.cpp");
    fs::write(&file, all).expect("OUT_DIR can be written");
    let mut compiler = compiler(lib_dir);
    compiler.include("cpp/distributed/gloo_shim").define("USE_C10D_GLOO", None);
    compiler.flag("-ffunction-sections").flag("-fdata-sections");
    compiler.file(file).compile("blitz_libtorch");
}

/// The C++ files of a directory, in their order.
fn sources(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory is part of this crate");
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    let mut sources: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "cpp")).collect();
    sources.sort();
    sources
}

/// Compiles `cpp/at_start/`, what happens before `main`, into an archive that is linked as a whole:
/// nothing calls it, and a linker leaves out what nothing calls. Other systems have no CUDA half
/// (macOS), or another way to load it.
fn compile_at_start() {
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        cc::Build::new()
            .cpp(true)
            .std("c++17")
            .file("cpp/at_start/cuda_half.cpp")
            .link_lib_modifier("+whole-archive")
            .compile("blitz_at_start");
    }
}

/// How the layer is compiled.
fn compiler(lib_dir: &Path) -> cc::Build {
    let include = lib_dir.join("../include");
    let mut build = cc::Build::new();
    build
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
        .flag("-Wno-unused-parameter");
    build
}

/// Compiles the files of `cpp/cuda/`, and tells the crate where each library lies or why there is none.
fn compile_cuda_libraries(lib_dir: &Path) {
    for (source, variable) in [("graph", "BLITZ_CUDA_GRAPH"), ("nccl", "BLITZ_NCCL")] {
        let (library, reason) = match compile_cuda(lib_dir, source) {
            Ok(library) => (library.display().to_string(), String::new()),
            Err(reason) => (String::new(), reason),
        };
        println!("cargo:rustc-env={variable}={library}");
        println!("cargo:rustc-env={variable}_MISSING={reason}");
    }
}

/// Compiles a file of `cpp/cuda/` into a library beside the program, which loads it when it is wanted
/// (CUDA graphs, NCCL). Returns its path, or why there is none: a CPU build of libtorch, or no CUDA
/// headers.
fn compile_cuda(lib_dir: &Path, source: &str) -> Result<PathBuf, String> {
    if !lib_dir.join("libtorch_cuda.so").exists() {
        return Err("this libtorch was built for the CPU alone".to_owned());
    }
    let headers = |header: &str| {
        cuda_headers(lib_dir, header).ok_or_else(|| {
            format!(
                "{header} was not found when this crate was built; set CUDA_HOME, or install \
                 PyTorch's own packages (nvidia-cuda-runtime, nvidia-nccl) beside torch, and build \
                 again"
            )
        })
    };
    let out_dir = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    let library = Path::new(&out_dir).join(format!("libblitz_cuda_{source}.so"));
    let mut rpath = OsString::from("-Wl,-rpath,");
    rpath.push(lib_dir);
    let mut search = OsString::from("-L");
    search.push(lib_dir);
    let mut build = compiler(lib_dir);
    build.flag("-isystem").flag(headers("cuda_runtime_api.h")?);
    if source == "nccl" {
        build.flag("-isystem").flag(headers("nccl.h")?).define("USE_C10D_NCCL", None);
    }
    let mut command = build.get_compiler().to_command();
    command.args(["-shared", "-idirafter", "cpp/cuda/shim"]);
    command.arg(format!("cpp/cuda/{source}.cpp")).arg("-o");
    command.arg(&library).arg(search).arg(rpath);
    command.args(["-ltorch_cuda", "-lc10_cuda", "-ltorch_cpu", "-lc10"]);
    let output = command.output().map_err(|error| format!("no C++ compiler: {error}"))?;
    if output.status.success() {
        return Ok(library);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let first = text.lines().find(|line| line.contains("error")).unwrap_or("no message");
    println!("cargo:warning=cpp/cuda/{source}.cpp will not be available: {first}");
    Err(format!("cpp/cuda/{source}.cpp could not be compiled ({first})"))
}

/// The directory of one of CUDA's headers: a CUDA toolkit's, or that of the packages that PyTorch's
/// wheels bring.
fn cuda_headers(lib_dir: &Path, header: &str) -> Option<PathBuf> {
    println!("cargo:rerun-if-env-changed=CUDA_HOME");
    let toolkit = env::var_os("CUDA_HOME").map(|home| Path::new(&home).join("include"));
    let packages = fs::read_dir(lib_dir.join("../../nvidia")).into_iter().flatten().flatten();
    let packages = packages.map(|entry| entry.path().join("include"));
    let usual = PathBuf::from("/usr/local/cuda/include");
    let mut candidates = toolkit.into_iter().chain(packages).chain([usual]);
    candidates.find(|directory| directory.join(header).exists())
}

/// The absolute form of `path` with its links kept: `.blitz/libtorch` may point at another
/// virtual environment tomorrow, and programs built today should follow it there.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
