//! `cargo blitz train`: the classifier without Jupyter.

use crate::project::Project;
use crate::setup::{ensure, linked};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Compiles `crates/blitz/examples/cifar10.rs` with what the notebooks use, and becomes it.
///
/// # Errors
/// Set-up fails, or the example does not compile or start.
pub fn train(project: &Project, options: &[OsString]) -> Result<()> {
    ensure(project)?;
    let example = linked::example(project)?;
    Err(Command::new(&example).args(options).exec())
        .with_context(|| format!("cannot start {}", example.display()))
}
