//! The Rust Blitz Jupyter kernel: evcxr's engine behind a front end of its own.
//!
//! One binary plays several parts:
//! - `blitz-kernel --control_file FILE`: the kernel that Jupyter starts ([`jupyter::server`]);
//! - with `EVCXR_IS_RUNTIME`: the process that runs its cells ([`cells::process`]);
//! - `blitz-kernel work …`: a process that runs a function of a cell among others ([`cells::worker`]);
//! - `blitz-kernel analyse`: the process that completes and explains ([`analyst`]);
//! - `blitz-kernel stock --control_file FILE`: evcxr's own front end, for comparison;
//! - under the names `cargo`, `rustc` and `rustup`: the tools that evcxr calls ([`blitz_toolchain`]);
//! - `blitz-kernel warm`: compiles the notebooks' dependencies once, for set-up.

mod analyst;
mod cells;
mod engine;
mod failure;
mod jupyter;
mod language;
mod notebook;
mod output;
mod session;
mod syntax;
mod warm;

use anyhow::{Context, Result, bail};
use blitz_contract::{Layout, program, variables, worker};
use session::build_dir::BuildDir;
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

`--root DIR` before these names the project, where the program does not lie in it.

To set up, run the notebooks or open JupyterLab, see `cargo blitz --help`.";

/// Our sign for "evcxr_jupyter's front end".
const STOCK_VAR: &str = "BLITZ_STOCK_KERNEL";

fn main() -> ExitCode {
    if let Some(code) = blitz_toolchain::run_as_tool() {
        return code;
    }
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let root = match arguments.first().is_some_and(|first| first == engine::ROOT_OPTION) {
        true => arguments.drain(..arguments.len().min(2)).nth(1).map(PathBuf::from),
        false => None,
    };
    let result = if std::env::var_os(variables::EVCXR_RUNTIME).is_some() {
        layout(root).and_then(|layout| run_cells(&layout))
    } else if arguments.first().is_some_and(|first| first == worker::COMMAND) {
        // SAFETY: this process has one thread so far; `launch` wrote the arguments.
        match layout(root).and_then(|it| unsafe { cells::worker::run(&it, &arguments[1..]) }) {
            Ok(code) => return code,
            Err(error) => Err(error),
        }
    } else {
        // evcxr's wrapper around rustc, which it starts this program as in some settings.
        evcxr::runtime_hook();
        run(&arguments, root)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("blitz-kernel: {error:#}");
            ExitCode::from(1)
        }
    }
}

/// The repository: the one that is named, or that this program lies in.
fn layout(root: Option<PathBuf>) -> Result<Layout> {
    let named = root.map(Layout::new);
    let executable = std::env::current_exe().ok();
    named.or_else(|| Layout::find(executable.as_deref(), None)).with_context(|| {
        let place = executable.unwrap_or_default();
        format!(
            "{} does not lie in a clone of this project any more; name one: `--root DIR`",
            place.display()
        )
    })
}

fn run(arguments: &[OsString], root: Option<PathBuf>) -> Result<()> {
    let argument = |index: usize| arguments.get(index).and_then(|argument| argument.to_str());
    match argument(0) {
        Some("--control_file") if std::env::var_os(STOCK_VAR).is_some() => {
            serve_stock(&layout(root)?)
        }
        Some("--control_file") => {
            let file = arguments.get(1).context("which connection file?")?;
            // SAFETY: this process has one thread so far.
            unsafe { jupyter::server::serve(&PathBuf::from(file), &layout(root)?) }
        }
        Some("stock") => become_stock(&arguments[1..], root),
        // SAFETY: this process has one thread so far.
        Some("analyse") => unsafe { analyst::service::run(&layout(root)?) },
        // SAFETY: as above.
        Some("warm") => unsafe { warm::warm(&layout(root)?) },
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
fn become_stock(arguments: &[OsString], root: Option<PathBuf>) -> Result<()> {
    let mut command = std::process::Command::new(program::path()?);
    if let Some(root) = root {
        command.arg(engine::ROOT_OPTION).arg(root);
    }
    Err(command.args(arguments).env(STOCK_VAR, "1").exec()).context("cannot start the stock kernel")
}

/// Runs evcxr_jupyter's front end until the client shuts it down.
fn serve_stock(layout: &Layout) -> Result<()> {
    let dir = BuildDir::create(layout)?;
    blitz_toolchain::crate_dir::complete(&layout.warm_dir(), dir.path())?;
    // SAFETY: this process has one thread so far.
    unsafe { engine::prepare_stock(layout, dir.path()) };
    evcxr_jupyter::main()
    // Dropping `dir` removes this kernel's build directory.
}

/// Loads one of libtorch's libraries and ends, for `cargo blitz doctor`.
fn load(library: Option<&OsString>) -> Result<()> {
    let library = library.map(PathBuf::from).context("which library?")?;
    cells::libtorch::load_globally(&library)
        .with_context(|| format!("cannot load {}", library.display()))
}

/// Runs cells in this process.
fn run_cells(layout: &Layout) -> Result<()> {
    if std::env::var_os(cells::channels::SOCKET_VAR).is_some() {
        return cells::process::run(layout);
    }
    if std::env::var_os(engine::IDLE_VAR).is_none() {
        cells::libtorch::preload(&layout.libtorch_lib());
    }
    // Does not return.
    evcxr::runtime_hook();
    Ok(())
}
