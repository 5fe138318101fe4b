//! The Rust Blitz Jupyter kernel: evcxr's engine behind a front end of its own.
//!
//! One binary plays several parts:
//! - `blitz-kernel --control_file FILE`: the kernel that Jupyter starts ([`jupyter::server`]);
//! - with `EVCXR_IS_RUNTIME`: the process that runs its cells ([`cells::process`]);
//! - `blitz-kernel analyse`: the process that completes and explains ([`analyst`]);
//! - `blitz-kernel stock --control_file FILE`: evcxr's own front end, for comparison;
//! - under the names `cargo`, `rustc` and `rustup`: the tools that evcxr calls ([`toolchain`]);
//! - `blitz-kernel warm`: compiles the notebooks' dependencies once, for set-up.

mod analyst;
mod build_dir;
mod cells;
mod compile_error;
mod dependencies;
mod engine;
mod environment;
mod evaluator;
mod failure;
mod jupyter;
mod libtorch;
mod parent;
mod source_lines;
mod syntax;
mod toolchain;
mod warm;

use anyhow::{Context, Result, bail};
use environment::Layout;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
The Rust Blitz Jupyter kernel. Jupyter starts it; you rarely do.

Usage:
  blitz-kernel --control_file FILE         run as a Jupyter kernel (FILE is the connection file)
  blitz-kernel stock --control_file FILE   the same with evcxr_jupyter's own front end
  blitz-kernel warm                        compile the notebooks' dependencies into .blitz/warm
  blitz-kernel load LIBRARY                try to load a library as the process that runs cells does
  blitz-kernel --version

To set up, run the notebooks or open JupyterLab, see `cargo blitz --help`.";

/// evcxr's sign for "run cells".
const EVCXR_RUNTIME_VAR: &str = "EVCXR_IS_RUNTIME";

/// Our sign for "evcxr_jupyter's front end".
const STOCK_VAR: &str = "BLITZ_STOCK_KERNEL";

fn main() -> ExitCode {
    if let Some(code) = toolchain::run_as_tool() {
        return code;
    }
    let layout = Layout::of_this_build();
    let result = if std::env::var_os(EVCXR_RUNTIME_VAR).is_some() {
        run_cells(&layout)
    } else {
        // evcxr's wrapper around rustc, which it starts this program as in some settings.
        evcxr::runtime_hook();
        run(std::env::args_os().skip(1).collect(), &layout)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("blitz-kernel: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn run(arguments: Vec<OsString>, layout: &Layout) -> Result<()> {
    let argument = |index: usize| arguments.get(index).and_then(|argument| argument.to_str());
    match argument(0) {
        Some("--control_file") if std::env::var_os(STOCK_VAR).is_some() => serve_stock(layout),
        Some("--control_file") => {
            let file = arguments.get(1).context("which connection file?")?;
            jupyter::server::serve(&PathBuf::from(file), layout)
        }
        Some("stock") => become_stock(&arguments[1..]),
        Some("analyse") => analyst::service::run(layout),
        Some("warm") => warm::warm(layout),
        Some("load") => load(arguments.get(1)),
        Some("--version") => {
            println!("blitz-kernel {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        None | Some("--help") => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => bail!("unknown argument `{other}`\n\n{USAGE}"),
    }
}

/// Starts this program anew as the stock kernel, with the arguments that evcxr_jupyter reads.
fn become_stock(arguments: &[OsString]) -> Result<()> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    Err(command.args(arguments).env(STOCK_VAR, "1").exec()).context("cannot start the stock kernel")
}

/// Runs evcxr_jupyter's front end until the client shuts it down.
fn serve_stock(layout: &Layout) -> Result<()> {
    let dir = build_dir::BuildDir::create(layout)?;
    build_dir::complete(&layout.warm_dir(), dir.path())?;
    engine::prepare_stock(layout, dir.path());
    evcxr_jupyter::main()
    // Dropping `dir` removes this kernel's build directory.
}

/// Loads one of libtorch's libraries and ends, for `cargo blitz doctor`.
fn load(library: Option<&OsString>) -> Result<()> {
    let library = library.map(PathBuf::from).context("which library?")?;
    libtorch::load_globally(&library).with_context(|| format!("cannot load {}", library.display()))
}

/// Runs cells in this process.
fn run_cells(layout: &Layout) -> Result<()> {
    if std::env::var_os(cells::channels::SOCKET_VAR).is_some() {
        return cells::process::run(layout);
    }
    if std::env::var_os(engine::IDLE_VAR).is_none() {
        libtorch::preload(&layout.libtorch_lib());
    }
    // Does not return.
    evcxr::runtime_hook();
    Ok(())
}
