//! The Rust Blitz Jupyter kernel.
//!
//! It is evcxr_jupyter with four things added: a build directory that starts warm
//! ([`build_dir`]), libtorch loaded whole before the first cell ([`libtorch`]), output that is not
//! lost and failures that can be seen ([`supervisor`]), and no environment variable to set
//! ([`environment`]).
//!
//! One binary plays four parts:
//! - `blitz-kernel --control_file FILE`: the kernel that Jupyter starts;
//! - `blitz-kernel warm`: compiles the notebooks' dependencies once, for set-up;
//! - with `EVCXR_IS_RUNTIME`: the process that evcxr starts to run cells, which here only
//!   supervises;
//! - with `BLITZ_CELLS` as well: the process that really loads and runs the cells.

mod build_dir;
mod environment;
mod failure;
mod libtorch;
mod supervisor;
mod warm;

use anyhow::{Context, Result, bail};
use std::process::ExitCode;

const USAGE: &str = "\
The Rust Blitz Jupyter kernel. Jupyter starts it; you rarely do.

Usage:
  blitz-kernel --control_file FILE   run as a Jupyter kernel (FILE is the connection file)
  blitz-kernel warm                  compile the notebooks' dependencies into .blitz/warm
  blitz-kernel load LIBRARY          try to load a library as the process that runs cells does
  blitz-kernel --version

To set up, run the notebooks or open JupyterLab, see `cargo blitz --help`.";

fn main() -> ExitCode {
    if std::env::var_os(supervisor::CELLS_VAR).is_some() {
        run_cells();
    } else if std::env::var_os(supervisor::EVCXR_RUNTIME_VAR).is_some() {
        return supervisor::run();
    }
    // The remaining internal part, evcxr's wrapper around rustc, is evcxr's own.
    evcxr::runtime_hook();
    match run(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("blitz-kernel: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn run(command: Option<&str>) -> Result<()> {
    match command {
        Some("--control_file") => serve(),
        Some("warm") => warm::warm(&environment::Layout::of_this_build()),
        Some("load") => load(std::env::args_os().nth(2)),
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

/// Runs the Jupyter front end until the client shuts it down.
fn serve() -> Result<()> {
    let layout = environment::Layout::of_this_build();
    let dir = build_dir::BuildDir::create(&layout)?;
    environment::set_for_evcxr(&layout, dir.path());
    environment::restore_build_variables(&layout);
    evcxr_jupyter::main()
    // Dropping `dir` removes this kernel's build directory.
}

/// Loads one of libtorch's libraries and ends, for `cargo blitz doctor`.
fn load(library: Option<std::ffi::OsString>) -> Result<()> {
    let library = library.map(std::path::PathBuf::from).context("which library?")?;
    libtorch::load_globally(&library).with_context(|| format!("cannot load {}", library.display()))
}

/// Runs cells in this process; returns only by ending it.
fn run_cells() {
    supervisor::die_with_parent();
    libtorch::preload(&environment::Layout::of_this_build().libtorch_lib());
    evcxr::runtime_hook();
}
