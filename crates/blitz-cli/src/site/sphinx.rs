//! Running Sphinx.

use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::Step;
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// What Sphinx makes.
#[derive(Clone, Copy)]
pub enum Builder {
    /// A file for each page.
    Html,
    /// All pages in one file, to be printed.
    Book,
}

impl Builder {
    fn name(self) -> &'static str {
        match self {
            Builder::Html => "html",
            Builder::Book => "singlehtml",
        }
    }

    /// Where what was read is kept: the two read pages differently.
    fn doctrees(self) -> &'static str {
        match self {
            Builder::Html => "_doctrees",
            Builder::Book => "_doctrees-book",
        }
    }
}

/// Makes pages of the sources in `source`, and returns what Sphinx warns of.
///
/// # Errors
/// Sphinx fails.
pub fn build(
    project: &Project,
    step: &Step,
    builder: Builder,
    source: &Path,
    target: &Path,
) -> Result<Vec<String>> {
    let warnings = source.join("_warnings.txt");
    let mut command = project.python_command();
    command.args(["-m", "sphinx", "--builder", builder.name(), "--quiet", "--warning-file"]);
    command.arg(&warnings).arg("--doctree-dir").arg(source.join(builder.doctrees()));
    if let Builder::Book = builder {
        command.args(["--tag", "book"]);
    }
    command.arg(source).arg(target).current_dir(source);
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let log = project.own_log(&format!("sphinx-{name}-{}", builder.name()));
    run_logged(step, command, &log, &Cancel::default())
        .context("Sphinx could not make the pages")?;
    let warnings = fs::read_to_string(warnings).unwrap_or_default();
    Ok(warnings.lines().filter(|it| !it.trim().is_empty()).map(str::to_owned).collect())
}
