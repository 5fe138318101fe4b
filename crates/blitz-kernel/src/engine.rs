//! evcxr, set up for this project.

use crate::environment::{self, Layout};
use crate::toolchain;
use anyhow::{Context, Result, anyhow};
use evcxr::{CommandContext, EvalContext, EvalContextOutputs, EvalOutputs};
use std::path::Path;
use std::process::Command;

/// Set for the process that evcxr starts where no cell will ever run.
pub const IDLE_VAR: &str = "BLITZ_IDLE";

/// Code that makes evcxr read, and link against, everything that notebooks begin with.
const WARM_UP: &str = "{ let tensor = tch::Tensor::ones([2], (tch::Kind::Float, tch::Device::Cpu));\n\
                       let _ = (tensor.size(), blitz::device::describe(tch::Device::Cpu)); }";

/// Sets this process's environment for evcxr. Call it before any thread is started.
///
/// # Errors
/// The build directory cannot be written, or there is no Rust toolchain.
pub fn prepare(layout: &Layout, build_dir: &Path) -> Result<()> {
    set_variables(layout, build_dir);
    toolchain::prepare(layout, build_dir)
}

/// As [`prepare`], with cargo and rustc as they are.
pub fn prepare_stock(layout: &Layout, build_dir: &Path) {
    set_variables(layout, build_dir);
    toolchain::name_to_stock(layout);
}

fn set_variables(layout: &Layout, build_dir: &Path) {
    environment::set_for_evcxr(layout, build_dir);
    environment::restore_build_variables(layout);
}

/// Starts evcxr with `cells` as the process that runs cells.
///
/// # Errors
/// evcxr cannot be started.
pub fn start(cells: Command) -> Result<(CommandContext, EvalContextOutputs)> {
    let (context, outputs) = EvalContext::with_subprocess_command(cells)
        .map_err(|error| anyhow!("{error}"))
        .context("evcxr does not start")?;
    Ok((CommandContext::with_eval_context(context), outputs))
}

/// Declares the notebooks' dependencies, compiled by set-up.
///
/// # Errors
/// They cannot be resolved or loaded.
pub fn load_dependencies(context: &mut CommandContext) -> Result<EvalOutputs, evcxr::Error> {
    context.execute(":load_config --quiet")
}

/// Does once what the first cell would otherwise wait for.
///
/// # Errors
/// It does not compile.
pub fn warm_up(context: &mut CommandContext) -> Result<EvalOutputs, evcxr::Error> {
    context.execute(WARM_UP)
}

/// The command of a process that runs cells as evcxr's own does.
///
/// # Errors
/// This program's path is unknown.
pub fn runtime_process() -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    toolchain::restore(&mut command);
    Ok(command)
}

/// The command of a process that only exists because evcxr wants one: no cell runs in it.
///
/// # Errors
/// This program's path is unknown.
pub fn idle_process() -> Result<Command> {
    let mut command = runtime_process()?;
    command.env(IDLE_VAR, "1");
    Ok(command)
}
