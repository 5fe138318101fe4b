//! The site and single pages, as people with all kinds of needs and devices meet them, in a browser.

use super::outcome::Outcome;
use crate::commands::site;
use crate::notebook::execute::usual_jobs;
use crate::notebook::export;
use crate::notebook::find::{find, find_in};
use crate::process::command::run_visibly;
use crate::project::Project;
use crate::setup::browser::{self, NoBrowser};
use crate::site::Book;
use crate::translation::language::Language;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// Names a site that is there already, to the check and to its tests.
const SITE: &str = "BLITZ_SITE";
/// Names the single pages to the tests.
const PAGES: &str = "BLITZ_PAGES";
/// Processes that look at pages, each with a browser.
const MOST: usize = 2;

/// Looks at every page of the site and at the single pages, in all languages, and does what readers do.
/// Without `BLITZ_SITE` the site is made of the notebooks as they are stored. Skipped where there is no
/// browser.
///
/// # Errors
/// A page has findings, a reader's way does not lead where it should, or pages cannot be made.
pub fn site(project: &Project) -> Result<Outcome> {
    let mut command = match browser::python(project) {
        Err(error) if error.is::<NoBrowser>() => return Ok(Outcome::Skipped(error.to_string())),
        python => python?,
    };
    let site = match std::env::var_os(SITE).filter(|site| !site.is_empty()) {
        Some(site) => std::path::absolute(PathBuf::from(site))?,
        None => made(project)?,
    };
    let tests = project.path("crates/blitz-cli/tests/site");
    command.current_dir(project.root()).env(SITE, site).env(PAGES, single_pages(project)?);
    command.args(["-m", "pytest", "-p", "no:cacheprovider", "--rootdir"]).arg(&tests).arg(&tests);
    command.args(["--numprocesses", &usual_jobs().get().min(MOST).to_string()]);
    command.args(["--dist", "worksteal", "--durations", "5"]);
    eprintln!(
        "  rustdoc's pages in api/ are rustdoc's own: links to them are checked, they are not"
    );
    run_visibly(command).map(|()| Outcome::Passed)
}

fn made(project: &Project) -> Result<PathBuf> {
    let dir = emptied(project, "site")?;
    site::make(project, &dir, Book::Not)?;
    Ok(dir)
}

/// Single pages of all notebooks, with a folder for each other language.
fn single_pages(project: &Project) -> Result<PathBuf> {
    let dir = emptied(project, "single")?;
    export::export(project, find(project, &[])?, &dir)?;
    for language in Language::all(project) {
        let notebooks = emptied(project, "translated")?;
        language.write_notebooks(project, &notebooks)?;
        let pages = dir.join(language.short_name());
        fs::create_dir_all(&pages)?;
        export::export(project, find_in(&notebooks, &[])?, &pages)?;
    }
    Ok(dir)
}

/// A directory of the tests that holds nothing.
fn emptied(project: &Project, name: &str) -> Result<PathBuf> {
    let dir: &Path = &project.test_dir().join(name);
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    fs::create_dir_all(dir)?;
    Ok(dir.to_owned())
}
