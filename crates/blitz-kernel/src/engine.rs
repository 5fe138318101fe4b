//! evcxr, set up for this project.

pub mod environment;

use crate::cells::event::Listener;
use crate::cells::process::BACKTRACE_VAR;
use crate::cells::{channels, reader};
use crate::output::publisher::Publisher;
use anyhow::{Context, Result, anyhow};
use blitz_contract::{Layout, program, variables};
use blitz_toolchain::Analysis;
use evcxr::{CommandContext, EvalContext, EvalContextOutputs, EvalOutputs};
use jupyter_protocol::Stdio;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Names the repository to a process of this program, which may not lie in it.
pub const ROOT_OPTION: &str = "--root";

/// Set for the process that evcxr starts where no cell will ever run.
pub const IDLE_VAR: &str = "BLITZ_IDLE";

/// Code that makes evcxr read, and link against, everything that notebooks begin with.
const WARM_UP: &str = "{ let tensor = tch::Tensor::ones([2], (tch::Kind::Float, tch::Device::Cpu));\n\
                       let _ = (tensor.size(), blitz::device::describe(tch::Device::Cpu)); }";

/// Sets this process's environment for evcxr.
///
/// # Errors
/// The build directory cannot be written, or there is no Rust toolchain.
///
/// # Safety
/// This process has no other thread.
pub unsafe fn prepare(layout: &Layout, build_dir: &Path, analysis: Analysis) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { environment::apply(environment::for_evcxr(layout, build_dir)) };
    let tools = blitz_toolchain::prepare(layout, build_dir, analysis)?;
    // SAFETY: as above.
    unsafe { environment::apply(tools) };
    Ok(())
}

/// As [`prepare`], with cargo and rustc as they are.
///
/// # Safety
/// As for [`prepare`].
pub unsafe fn prepare_stock(layout: &Layout, build_dir: &Path) {
    // SAFETY: the caller's promise.
    unsafe { environment::apply(environment::for_evcxr(layout, build_dir)) };
    // SAFETY: as above.
    unsafe { environment::apply(blitz_toolchain::variables_of_stock(layout)) };
}

/// As [`prepare`] for set-up, whose build directory is the warm one.
///
/// # Errors
/// As for [`prepare`].
///
/// # Safety
/// As for [`prepare`].
pub unsafe fn prepare_set_up(layout: &Layout) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { environment::apply(environment::for_evcxr_in_set_up(layout)) };
    let tools = blitz_toolchain::prepare_set_up(layout)?;
    // SAFETY: as above.
    unsafe { environment::apply(tools) };
    Ok(())
}

/// Starts evcxr with the notebooks' dependencies and a process for cells, whose output goes to
/// `publisher` and whose events to `listener`. The person sees backtraces with `full_backtrace`.
///
/// # Errors
/// A process or a thread cannot be started, or the dependencies cannot be loaded.
pub fn start_for_cells(
    layout: &Layout,
    publisher: Arc<Publisher>,
    listener: Arc<dyn Listener>,
    full_backtrace: bool,
) -> Result<CommandContext> {
    let mut cells = runtime_process(layout)?;
    cells.env(variables::KERNEL, "1");
    match publisher.messages().dir() {
        Some(dir) => cells.env(variables::MESSAGES, dir),
        None => cells.env_remove(variables::MESSAGES),
    };
    if full_backtrace {
        cells.env(BACKTRACE_VAR, "full");
    }
    let socket = channels::inherit(&mut cells).context("cannot connect to cells")?;
    reader::spawn(socket, Arc::clone(&publisher), listener)?;
    let (mut context, outputs) = start(cells)?;
    // What the cell process wrote before it could give its streams to the kernel.
    for lines in [outputs.stdout, outputs.stderr] {
        let publisher = Arc::clone(&publisher);
        std::thread::spawn(move || {
            lines.iter().for_each(|line| publisher.stream(Stdio::Stderr, line + "\n"));
        });
    }
    load_dependencies(&mut context)
        .map_err(|error| anyhow!("{error}"))
        .context("the notebooks' dependencies cannot be loaded (run `cargo blitz setup`)")?;
    Ok(context)
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
pub fn runtime_process(layout: &Layout) -> Result<Command> {
    let mut command = Command::new(program::path()?);
    command.arg(ROOT_OPTION).arg(layout.root());
    blitz_toolchain::restore(&mut command);
    Ok(command)
}

/// The command of a process that only exists because evcxr wants one: no cell runs in it.
///
/// # Errors
/// This program's path is unknown.
pub fn idle_process(layout: &Layout) -> Result<Command> {
    let mut command = runtime_process(layout)?;
    command.env(IDLE_VAR, "1");
    Ok(command)
}
