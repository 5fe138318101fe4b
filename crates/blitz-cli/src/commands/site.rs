//! `cargo blitz site`: the site of the executed notebooks.

use crate::notebook::site::checked_dir;
use crate::project::Project;
use crate::setup;
use crate::site::{self, Book, EXECUTED, Source};
use anyhow::Result;
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of `site`.
#[derive(Args)]
pub struct SiteOptions {
    /// Where the site goes
    #[arg(long, value_name = "DIR")]
    pub site: Option<PathBuf>,
    /// Also print all pages of a language to a PDF; takes a Chromium, or fetches one
    #[arg(long)]
    pub pdf: bool,
}

/// Makes the site.
///
/// # Errors
/// A place that cannot be written, a notebook without outputs, a page or catalogue that cannot be read,
/// or Sphinx fails.
pub fn site(project: &Project, options: &SiteOptions) -> Result<()> {
    let dir = checked_dir(project, options.site.as_deref())?;
    setup::ensure(project)?;
    make(project, &dir, if options.pdf { Book::Printed } else { Book::Not })
}

/// Makes the site in `dir`, with the notebooks that were executed there.
///
/// # Errors
/// As for [`site`].
pub fn make(project: &Project, dir: &Path, book: Book) -> Result<()> {
    let source = Source::read(project, &dir.join(EXECUTED))?;
    let warnings = site::build(project, &source, dir, book)?;
    for warning in &warnings {
        eprintln!("note: {warning}");
    }
    eprintln!("The site is made. Open {}", dir.join("index.html").display());
    Ok(())
}
