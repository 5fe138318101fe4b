//! Python environments of their own, beside the notebooks': for what few need, or what has versions that
//! are not the notebooks'. Each is installed when it is first needed.

use super::lock;
use super::prerequisites;
use crate::files::write_atomically;
use crate::fingerprint::Fingerprint;
use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::Step;
use crate::project::Project;
use anyhow::Result;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Written last: what was installed for.
const DONE: &str = "installed.key";

/// An environment.
pub struct OwnEnvironment {
    /// Its directory's name, and its log's.
    pub name: &'static str,
    /// What it is for, as people read it behind "installing".
    pub what: &'static str,
    /// The name of its list of pins in `python/`.
    pub requirements_file: &'static str,
    /// The pins.
    pub requirements: &'static str,
}

impl OwnEnvironment {
    /// Its directory: in the project, or with the person's own files where the project is somebody
    /// else's.
    pub fn dir(&self, project: &Project) -> PathBuf {
        project.own_path(self.name)
    }

    /// Its Python.
    pub fn python(&self, project: &Project) -> PathBuf {
        self.dir(project).join("bin/python")
    }

    /// Installs what is pinned, unless it is there.
    ///
    /// # Errors
    /// There is no fitting Python, or pip fails.
    pub fn ensure(&self, project: &Project) -> Result<()> {
        let is_own = blitz_user_dirs::is_own(project.root());
        let _lock = if is_own { Some(lock::wait(project)?) } else { None };
        if self.is_done(project) {
            return Ok(());
        }
        let (python, _) = prerequisites::python()?;
        let step = Step::start(format!("installing {}", self.what));
        let installed = self.install(project, &python, &step);
        let (what, file) = (self.what, self.requirements_file);
        step.finish(installed, format!("{what} could not be installed ({file})"))
    }

    fn install(&self, project: &Project, python: &str, step: &Step) -> Result<()> {
        let (dir, log) = (self.dir(project), project.own_log(self.name));
        let mut create = Command::new(python);
        // What a killed run left, or older pins, is cleared.
        create.args(["-m", "venv", "--clear"]).arg(&dir);
        run_logged(step, create, &log, &Cancel::default())?;
        let requirements = dir.join(self.requirements_file);
        write_atomically(&requirements, self.requirements.as_bytes())?;
        let mut pip = Command::new(self.python(project));
        pip.args(["-m", "pip", "install", "--retries", "2", "--progress-bar", "off"]);
        pip.args(["--disable-pip-version-check", "--no-input", "--requirement"]).arg(requirements);
        run_logged(step, pip, &log, &Cancel::default())?;
        write_atomically(&dir.join(DONE), self.key().as_bytes())
    }

    fn is_done(&self, project: &Project) -> bool {
        let done = fs::read_to_string(self.dir(project).join(DONE));
        done.is_ok_and(|done| done == self.key()) && self.python(project).exists()
    }

    fn key(&self) -> String {
        Fingerprint::new().text(self.requirements).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{browser, nbgrader};
    use std::fs;
    use std::path::Path;

    #[test]
    fn what_several_environments_have_is_pinned_alike() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../requirements.txt");
        let notebooks = fs::read_to_string(path).expect("the one list of pins");
        let name = |line: &str| line.split("==").next().unwrap_or_default().to_owned();
        let mut own = Vec::new();
        for environment in [&nbgrader::ENVIRONMENT, &browser::ENVIRONMENT] {
            let mut count = 0;
            for pin in environment.requirements.lines().filter(|line| line.contains("==")) {
                match notebooks.lines().find(|line| name(line) == name(pin)) {
                    Some(there) => assert_eq!(there, pin, "requirements.txt has another one"),
                    None => own.push(pin),
                }
                count += 1;
            }
            assert!(count > 2, "{}", environment.requirements_file);
        }
        assert!(own.contains(&"nbgrader==0.9.6") && !own.iter().any(|pin| pin.contains("pytest")));
    }
}
