//! What people can take along: each page as a notebook and as a program, and everything in one archive.

use super::edition::{Edition, pages};
use super::source::{EXECUTED, Source};
use anyhow::Result;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// The downloads of a page, for the templates: the path on the site, and the word for it.
pub fn of_page(name: &Path) -> Value {
    let notebook = format!("{EXECUTED}/{}.ipynb", name.display());
    json!([{"path": notebook, "word": "notebook"}])
}

/// The list of all downloads.
///
/// # Errors
/// A page's catalogue cannot be read.
pub fn list(source: &Source, edition: &Edition) -> Result<String> {
    let mut text = String::new();
    for (name, notebook) in pages(source) {
        let page = edition.notebook(&name, notebook)?;
        let title =
            page.sources().find_map(|it| super::anchors::headings(&it.source).into_iter().next());
        let title = title.unwrap_or_else(|| name.display().to_string());
        writeln!(text, "- [{title}]({}.ipynb)", name.display())?;
    }
    Ok(text)
}

/// Writes the downloads of an edition into its folder of the site.
///
/// # Errors
/// Something cannot be written.
pub fn write(source: &Source, edition: &Edition, site: &Path) -> Result<()> {
    let dir = site.join(&edition.dir).join(EXECUTED);
    for (name, notebook) in pages(source) {
        edition.notebook(&name, notebook)?.write(&dir.join(name.with_extension("ipynb")))?;
    }
    Ok(())
}
