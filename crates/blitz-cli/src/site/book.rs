//! All pages of a language as one PDF, printed by a browser.

use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::Step;
use crate::project::Project;
use crate::setup::browser;
use anyhow::{Context, Result};
use std::path::Path;

/// Its name, beside the pages.
pub const FILE: &str = "rust-blitz.pdf";

/// Prints one HTML file, and looks at what came of it.
const PRINT: &str = include_str!("../../python/pdf.py");

/// Whether the site has a PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Book {
    /// It does.
    Printed,
    /// It does not.
    Not,
}

/// Prints the page `html` to the file `pdf`.
///
/// # Errors
/// There is no browser, or the PDF lacks fonts or text.
pub fn print(project: &Project, step: &Step, html: &Path, pdf: &Path) -> Result<()> {
    let mut command = browser::python(project)?;
    command.args(["-c", PRINT]).arg(html).arg(pdf);
    let name = pdf.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    run_logged(step, command, &project.own_log(&format!("pdf-{name}")), &Cancel::default())
        .context("the pages could not be printed")
}
