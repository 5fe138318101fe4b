//! `cargo blitz html`: pages of the notebooks as they are stored.

use crate::notebook::{export, find, site};
use crate::project::Project;
use crate::setup;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

/// Options of `html`.
#[derive(Args)]
pub struct HtmlOptions {
    /// Notebooks: 04, 04_cifar10_classifier or a path; all of notebooks/ if none is named
    #[arg(value_name = "NOTEBOOK")]
    pub notebooks: Vec<String>,
    /// Where the pages go
    #[arg(long, value_name = "DIR")]
    pub site: Option<PathBuf>,
}

/// Exports the notebooks with the outputs that are stored in them.
///
/// # Errors
/// An unknown name, a file that is no notebook, or a place that cannot be written.
pub fn html(project: &Project, options: &HtmlOptions) -> Result<()> {
    let notebooks = find::find(project, &options.notebooks)?;
    let site = site::prepare(project, options.site.as_deref(), &notebooks)?;
    setup::ensure(project)?;
    let count = notebooks.len();
    export::export(project, notebooks, &site)?;
    eprintln!("{count} pages written. Open {}", site.join("index.html").display());
    Ok(())
}
