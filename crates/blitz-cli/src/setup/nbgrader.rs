//! nbgrader, in an environment of its own: only classes need it, and its versions are not the
//! notebooks'.

use super::lock;
use super::prerequisites;
use crate::files::write_atomically;
use crate::fingerprint::Fingerprint;
use crate::process::cancel::Cancel;
use crate::process::command::{output_of, run_logged};
use crate::process::progress::Step;
use crate::project::Project;
use anyhow::{Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const REQUIREMENTS: &str = include_str!("../../python/requirements-class.txt");
/// Written last: what was installed for.
const DONE: &str = "installed.key";

/// The environment's directory: in the project, or with the person's own files where the project is
/// somebody else's.
pub fn dir(project: &Project) -> PathBuf {
    project.own_path("nbgrader")
}

/// The environment's Python.
pub fn python(project: &Project) -> PathBuf {
    dir(project).join("bin/python")
}

/// Installs what is pinned, unless it is there.
///
/// # Errors
/// There is no fitting Python, or pip fails.
pub fn ensure(project: &Project) -> Result<()> {
    let is_own = blitz_user_dirs::is_own(project.root());
    let _lock = if is_own { Some(lock::wait(project)?) } else { None };
    if is_done(project) {
        return Ok(());
    }
    let (python, _) = prerequisites::python()?;
    let step = Step::start("installing nbgrader");
    let installed = install(project, &python, &step);
    step.finish(installed, "nbgrader could not be installed (requirements-class.txt)")
}

fn install(project: &Project, python: &str, step: &Step) -> Result<()> {
    let (dir, log) = (dir(project), project.own_log("nbgrader"));
    let mut create = Command::new(python);
    // What a killed run left, or older pins, is cleared.
    create.args(["-m", "venv", "--clear"]).arg(&dir);
    run_logged(step, create, &log, &Cancel::default())?;
    let requirements = dir.join("requirements-class.txt");
    write_atomically(&requirements, REQUIREMENTS.as_bytes())?;
    let mut pip = Command::new(self::python(project));
    pip.args(["-m", "pip", "install", "--retries", "2", "--progress-bar", "off"]);
    pip.args(["--disable-pip-version-check", "--no-input", "--requirement"]).arg(requirements);
    run_logged(step, pip, &log, &Cancel::default())?;
    write_atomically(&dir.join(DONE), key().as_bytes())
}

/// Whether nbgrader works where it was installed; it need not be.
///
/// # Errors
/// It was installed, and does not run.
pub fn check(project: &Project) -> Result<String> {
    if !dir(project).exists() {
        return Ok("not installed; `cargo blitz class` does that when it needs it".to_owned());
    }
    let mut asked = Command::new(python(project));
    let version = output_of(asked.args(["-c", "import nbgrader; print(nbgrader.__version__)"]));
    match version {
        Some(version) => Ok(version),
        None => bail!(
            "{} does not work. Remove it with `cargo blitz clean --class`; the next `cargo blitz class` \
             makes it anew.",
            dir(project).display()
        ),
    }
}

fn is_done(project: &Project) -> bool {
    let done = fs::read_to_string(dir(project).join(DONE));
    done.is_ok_and(|done| done == key()) && python(project).exists()
}

fn key() -> String {
    Fingerprint::new().text(REQUIREMENTS).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_both_environments_have_is_pinned_alike() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../requirements.txt");
        let notebooks = fs::read_to_string(path).expect("the one list of pins");
        let name = |line: &str| line.split("==").next().unwrap_or_default().to_owned();
        let pins = REQUIREMENTS.lines().filter(|line| line.contains("=="));
        let (both, own): (Vec<&str>, Vec<&str>) =
            pins.partition(|pin| notebooks.lines().any(|line| name(line) == name(pin)));
        for pin in &both {
            assert!(notebooks.lines().any(|line| line == *pin), "{pin} is another one there");
        }
        assert!(both.len() > 3 && own.contains(&"nbgrader==0.9.6"), "{both:?}, {own:?}");
    }
}
