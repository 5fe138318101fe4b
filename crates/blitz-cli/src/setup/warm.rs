//! What kernels need beside the compiled dependencies: evcxr's settings, and what the toolchain
//! answers.

use crate::fingerprint::Fingerprint;
use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::Board;
use crate::project::Project;
use anyhow::Result;
use std::process::Command;

/// The key: the compiled dependencies and the kernel.
pub fn key(dependencies: &str, kernel: &str) -> String {
    Fingerprint::new().text(dependencies).text(kernel).finish()
}

/// Has the kernel run its first cell in `.blitz/warm`, where every kernel starts from.
///
/// # Errors
/// The kernel does not run, or the cell does not compile.
pub fn prepare(project: &Project, board: &Board) -> Result<()> {
    let step = board.step("preparing kernels for their first cell");
    let mut command = Command::new(project.kernel());
    command.arg("warm").current_dir(project.notebooks_dir());
    let log = project.log("warm");
    let prepared = run_logged(&step, command, &log, &Cancel::default());
    step.finish(prepared, "the kernel could not be prepared")
}
