//! nbgrader, in an environment of its own: only classes need it, and its versions are not the
//! notebooks'.

use super::own_environment::OwnEnvironment;
use crate::process::command::output_of;
use crate::project::Project;
use anyhow::{Result, bail};
use std::process::Command;

/// Where it is installed.
pub const ENVIRONMENT: OwnEnvironment = OwnEnvironment {
    name: "nbgrader",
    what: "nbgrader",
    requirements_file: "requirements-class.txt",
    requirements: include_str!("../../python/requirements-class.txt"),
};

/// Whether nbgrader works where it was installed; it need not be.
///
/// # Errors
/// It was installed, and does not run.
pub fn check(project: &Project) -> Result<String> {
    let dir = ENVIRONMENT.dir(project);
    if !dir.exists() {
        return Ok("not installed; `cargo blitz class` does that when it needs it".to_owned());
    }
    let mut asked = Command::new(ENVIRONMENT.python(project));
    let version = output_of(asked.args(["-c", "import nbgrader; print(nbgrader.__version__)"]));
    match version {
        Some(version) => Ok(version),
        None => bail!(
            "{} does not work. Remove it with `cargo blitz clean --class`; the next `cargo blitz class` \
             makes it anew.",
            dir.display()
        ),
    }
}
