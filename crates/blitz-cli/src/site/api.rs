//! The documentation of the crate `blitz`, by rustdoc.

use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::Step;
use crate::project::Project;
use crate::setup::documentation;
use anyhow::{Context, Result};
use std::path::Path;

/// Writes the documentation into `target`, with what set-up has compiled.
///
/// # Errors
/// rustdoc fails.
pub fn document(project: &Project, step: &Step, target: &Path) -> Result<()> {
    let command = documentation::rustdoc(project, target)?;
    run_logged(step, command, &project.own_log("rustdoc"), &Cancel::default())
        .context("the documentation of the crate `blitz` could not be made")
}
