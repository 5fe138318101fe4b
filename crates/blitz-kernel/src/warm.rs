//! Compiling the notebooks' dependencies once.

use crate::engine::{self, environment};
use crate::session::dependencies;
use anyhow::{Context, Result, anyhow, bail};
use blitz_contract::Layout;
use blitz_toolchain::why_not_prepared;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A cell that makes evcxr load, compile and link everything that notebooks use.
const FIRST_CELL: &str = "\
use blitz::prelude::*;
let tensor = tch::Tensor::ones([2], (tch::Kind::Float, tch::Device::Cpu));
println!(\"warm: {}\", tensor.sum(tch::Kind::Float).double_value(&[]));";

/// Fills the warm directory by running [`FIRST_CELL`] in it. What is already compiled there is
/// kept, so a run that was killed goes on where it stopped.
///
/// # Errors
/// A directory cannot be written, or the dependencies do not compile.
///
/// # Safety
/// This process has no other thread.
pub unsafe fn warm(layout: &Layout) -> Result<()> {
    let warm_dir = layout.warm_dir();
    let config_dir = layout.evcxr_config_dir();
    for dir in [&warm_dir, &config_dir] {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    write(&config_dir.join("evcxr.toml"), &evcxr_toml(false))?;
    write(&config_dir.join("init.evcxr"), &init_evcxr(layout))?;
    compile_cell_runtime(layout)?;
    environment::record_build_variables(layout).context("cannot record the build variables")?;
    // SAFETY: the caller's promise.
    unsafe { engine::prepare_set_up(layout) }?;
    let compiled = compile(layout);
    // Written whatever happened: kernels must never reach for the network.
    write(&config_dir.join("evcxr.toml"), &evcxr_toml(true))?;
    compiled?;
    forget_incremental(&layout.warm_target());
    Ok(())
}

/// Removes what rustc keeps for compiling our own crates a second time: some 65 MB, which every stock
/// kernel would copy. Best effort: nothing depends on it.
fn forget_incremental(target: &Path) {
    let dirs = fs::read_dir(target).into_iter().flatten().flatten().map(|entry| entry.path());
    for dir in dirs.flat_map(|dir| [dir.join("incremental"), dir.join("debug/incremental")]) {
        let _ = fs::remove_dir_all(dir);
    }
}

/// Compiles the library that shares the standard library with cells.
fn compile_cell_runtime(layout: &Layout) -> Result<()> {
    let source = layout.evcxr_config_dir().join("blitz_cell_runtime.rs");
    write(&source, blitz_cells::RUNTIME)?;
    let rustc = Command::new("rustc")
        .args(["--edition", "2024", "--crate-type", "cdylib", "-Cprefer-dynamic", "-Crpath"])
        .args(["-Copt-level=2", "-o"])
        .arg(layout.cell_runtime())
        .arg(&source)
        .status()
        .context("cannot run rustc")?;
    if !rustc.success() {
        bail!("rustc could not compile {}", source.display());
    }
    Ok(())
}

fn compile(layout: &Layout) -> Result<()> {
    // As a kernel begins, so that what it asks of the toolchain is answered from now on.
    let (mut context, outputs) = engine::start(engine::runtime_process(layout)?)?;
    // evcxr reads a cell's output only as fast as somebody takes it.
    std::thread::spawn(move || outputs.stderr.iter().for_each(|line| eprintln!("{line}")));
    let stdout = std::thread::spawn(move || outputs.stdout.iter().any(|line| line == "warm: 2"));
    engine::load_dependencies(&mut context).map_err(|error| describe(&error))?;
    engine::warm_up(&mut context).map_err(|error| describe(&error))?;
    context.execute(FIRST_CELL).map_err(|error| describe(&error))?;
    drop(context);
    // Whoever has changed `blitz` shall learn of it here. A linker that cannot do it is no reason to have
    // no cells.
    let is_in_source = |reason: &String| reason.contains("error[E");
    if let Some(reason) = why_not_prepared(&layout.warm_dir()).filter(is_in_source) {
        bail!("crates/blitz-cells/src/prepared does not fit `blitz` any more: {reason}");
    }
    match stdout.join() {
        Ok(true) => Ok(()),
        _ => Err(anyhow!("the first cell compiled but did not print its tensor")),
    }
}

/// The errors of a cell as text, rustc's rendering where there is one.
fn describe(error: &evcxr::Error) -> anyhow::Error {
    match error {
        evcxr::Error::CompilationErrors(errors) => {
            let text: Vec<String> =
                errors.iter().map(|error| error.rendered().to_string()).collect();
            anyhow!("{}", text.join("\n"))
        }
        other => anyhow!("{other}"),
    }
}

/// evcxr's own settings.
fn evcxr_toml(offline: bool) -> String {
    format!("[evcxr]\noffline_mode = {offline}\n")
}

/// What every kernel does at its start. The dependencies are declared in the very words that
/// the notebooks' `:dep` lines are translated to. Declaring them makes evcxr resolve versions
/// anew, so the workspace's lock file is put back after it and before anything is compiled. Once a
/// statement with `?` has compiled, evcxr expects it in every cell; else the first such cell would
/// be compiled twice, and lose the picture that its last expression shows.
fn init_evcxr(layout: &Layout) -> String {
    format!(
        "{}!cp '{}' \"$EVCXR_TMPDIR/Cargo.lock\"\nlet _ = \"1\".parse::<u8>()?;\n",
        dependencies::declarations(layout),
        layout.lock_file().display(),
    )
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
