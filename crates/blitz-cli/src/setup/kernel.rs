//! Building and installing the kernel.

use super::sources;
use crate::fingerprint::Fingerprint;
use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::Board;
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What the build takes on two cores.
const USUAL: Duration = Duration::from_secs(270);

/// The key: the kernel's sources, its dependencies' versions, the profile and the compiler.
pub fn key(project: &Project, rustc: &str) -> String {
    let sources = sources::of(project, "blitz-kernel");
    let print = sources.iter().fold(Fingerprint::new(), |print, path| print.path(path));
    print
        .path(&project.path("Cargo.toml"))
        .path(&project.lock_file())
        .text(&project.root().to_string_lossy())
        .text(rustc)
        .finish()
}

/// Builds the kernel with cargo and installs it as `.blitz/bin/blitz-kernel`.
///
/// # Errors
/// cargo fails, or the binary cannot be put in its place.
pub fn build(project: &Project, board: &Board, cancel: &Cancel) -> Result<()> {
    let step = board.long_step("building the kernel, with rust-analyzer in it", USUAL);
    let mut command = Command::new("cargo");
    command.current_dir(project.root()).args(["build", "--locked", "--package", "blitz-kernel"]);
    // Where the binary is looked for below, whatever the person's own settings are.
    command.arg("--target-dir").arg(project.path("target")).env_remove("CARGO_BUILD_TARGET");
    let log = project.log("kernel");
    let built = run_logged(&step, command, &log, cancel)
        .and_then(|()| install(&project.path("target/debug/blitz-kernel"), &project.kernel()));
    step.finish(built, "the kernel could not be built")
}

/// Puts the binary in place by a rename, so that kernels that run now keep theirs, and apart from
/// `target`, so that `cargo clean` does not take it away. It is a second name of the same file, not a
/// copy: cargo and the linker replace the binary as a whole when they build another.
fn install(binary: &Path, place: &Path) -> Result<()> {
    let put = || -> std::io::Result<()> {
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        let beside = place.with_extension("new");
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if fs::hard_link(binary, &beside).is_err() {
            fs::copy(binary, &beside)?;
        }
        fs::rename(&beside, place)?;
        // Where both are one file already, a rename does nothing.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    };
    put().with_context(|| format!("cannot copy {} to {}", binary.display(), place.display()))
}
