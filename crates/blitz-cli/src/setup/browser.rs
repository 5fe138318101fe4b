//! A browser and what drives it, in an environment of its own: the check of the site, and its PDF.

use super::own_environment::OwnEnvironment;
use crate::process::cancel::Cancel;
use crate::process::command::{output_of, run_logged};
use crate::process::progress::Step;
use crate::project::Project;
use anyhow::{Result, bail};
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where playwright is installed, which drives the browser.
pub const ENVIRONMENT: OwnEnvironment = OwnEnvironment {
    name: "browser",
    what: "what drives a browser",
    requirements_file: "requirements-browser.txt",
    requirements: include_str!("../../python/requirements-browser.txt"),
};

/// The variable that names the browser: a Chromium, or one made of it.
pub const CHROMIUM: &str = "BLITZ_CHROMIUM";

/// The names that Chromium has.
const NAMES: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless_shell"];

/// There is no browser, and none could be fetched.
#[derive(Debug, PartialEq, Eq)]
pub struct NoBrowser;

impl Display for NoBrowser {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(
            "there is no Chromium, and none could be fetched. Install one: `sudo apt install chromium` \
             (Debian), `sudo dnf install chromium` (Fedora), or name one with \
             BLITZ_CHROMIUM=/path/to/chromium",
        )
    }
}

/// A Chromium that was fetched, below the environment.
const FETCHED: &str = "chromium/chromium.sh";

/// Font settings, below the environment.
const FONTS: &str = "fonts.conf";

/// Fetches a Chromium, and writes font settings.
const PREPARE: &str = include_str!("../../python/browser.py");

/// Makes the environment, and returns its Python, to which a browser and fonts are named: the browser that
/// `BLITZ_CHROMIUM` names, or the machine's own, or one that is fetched from the npm registry, with all that
/// it needs.
///
/// # Errors
/// The environment cannot be made; or there is no browser: [`NoBrowser`], which says what helps.
pub fn python(project: &Project) -> Result<Command> {
    ENVIRONMENT.ensure(project)?;
    let fonts = ENVIRONMENT.dir(project).join(FONTS);
    if !fonts.exists() {
        let step = Step::start("naming fonts");
        let written = prepare(project, &step, "fonts", &fonts);
        step.finish(written, "the font settings could not be written")?;
    }
    let mut python = Command::new(ENVIRONMENT.python(project));
    python.env(CHROMIUM, chromium(project)?).env("FONTCONFIG_FILE", fonts);
    Ok(python)
}

fn chromium(project: &Project) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(CHROMIUM).filter(|named| !named.is_empty()) {
        return match works(Path::new(&named)) {
            true => Ok(named.into()),
            false => bail!("{CHROMIUM} names {}, which is no browser that runs", named.display()),
        };
    }
    let fetched = ENVIRONMENT.dir(project).join(FETCHED);
    let own = NAMES.iter().find_map(|name| on_path(name)).filter(|program| works(program));
    if let Some(found) = own.or_else(|| works(&fetched).then(|| fetched.clone())) {
        return Ok(found);
    }
    let step = Step::start("fetching a Chromium, 70 MB to download");
    let result = fetch(project, &fetched, &step);
    step.end(result, |()| String::new()).map_err(|error| error.context(NoBrowser))?;
    Ok(fetched)
}

/// The program of that name: playwright wants its path.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|program| program.is_file())
}

fn fetch(project: &Project, target: &Path, step: &Step) -> Result<()> {
    let dir = target.parent().unwrap_or(target);
    prepare(project, step, "fetch", dir)?;
    match works(target) {
        true => Ok(()),
        false => bail!("the fetched Chromium, {}, does not run here", target.display()),
    }
}

fn prepare(project: &Project, step: &Step, what: &str, target: &Path) -> Result<()> {
    let mut command = Command::new(ENVIRONMENT.python(project));
    command.args(["-c", PREPARE, what]).arg(target);
    run_logged(step, command, &project.own_log(&format!("browser-{what}")), &Cancel::default())
}

fn works(program: &Path) -> bool {
    output_of(Command::new(program).arg("--version")).is_some_and(|version| !version.is_empty())
}
