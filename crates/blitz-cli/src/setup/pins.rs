//! Whether the environment has what `requirements.txt` pins.

use crate::process::command::output_of;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use std::fs;

const SCRIPT: &str = include_str!("../../python/pins.py");

/// The pinned packages are installed in the pinned versions.
///
/// # Errors
/// One is not, or there is no environment.
pub fn check(project: &Project) -> Result<String> {
    let path = project.requirements();
    let pins =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let pins: Vec<&str> = pins.lines().filter(|line| line.contains("==")).collect();
    let output = output_of(project.python_command().args(["-c", SCRIPT]).args(&pins));
    match output.as_deref() {
        None => bail!("there is no working .venv. Run `cargo blitz setup`."),
        Some("") => Ok(format!("{} pins of requirements.txt", pins.len())),
        Some(wrong) => {
            bail!("{}. Run `cargo blitz setup`.", wrong.lines().collect::<Vec<_>>().join("; "))
        }
    }
}
