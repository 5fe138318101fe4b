//! What people can take along: each page as a notebook and as a program, and everything in one archive.

use super::book;
use super::edition::{Edition, is_exercise, pages};
use super::source::{EXECUTED, Source};
use crate::files::write_atomically;
use crate::notebook::headings;
use crate::program;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Programs lie here on the site.
const PROGRAMS: &str = "programs";
/// Everything in one file, beside the pages.
const ARCHIVE: &str = "rust-blitz.zip";

/// The downloads of a page, for the templates: the path on the site, and the word for it.
pub fn of_page(name: &Path) -> Value {
    let files = of(name).into_iter();
    json!(files.map(|(word, path)| json!({"path": path, "word": word})).collect::<Vec<_>>())
}

/// The word for each download of a page, and the path on the site. Exercises are no programs yet.
fn of(name: &Path) -> Vec<(&'static str, String)> {
    let notebook = format!("{EXECUTED}/{}.ipynb", name.display());
    let program = format!("{PROGRAMS}/{}.rs", name.display());
    match is_exercise(name) {
        true => vec![("notebook", notebook)],
        false => vec![("notebook", notebook), ("program", program)],
    }
}

/// The list of all downloads.
///
/// # Errors
/// A page's catalogue cannot be read.
pub fn list(source: &Source, edition: &Edition) -> Result<String> {
    let mut text = format!("\n{}\n\n", link(ARCHIVE, &edition.words["archive"]));
    for (name, notebook) in pages(source) {
        let page = edition.notebook(&name, notebook)?;
        let title = headings::title(&page).unwrap_or_else(|| name.display().to_string());
        let links: Vec<String> =
            of(&name).iter().map(|(word, path)| link(path, &edition.words[*word])).collect();
        text += &format!("- {title}: {}\n", links.join(" · "));
    }
    Ok(text)
}

/// The line of the PDF.
pub fn of_book(edition: &Edition) -> String {
    format!("\n{}\n", link(book::FILE, &edition.words["book"]))
}

/// A link to a file that Sphinx does not know.
fn link(path: &str, words: &str) -> String {
    format!("<a href=\"{path}\" download>{words}</a>")
}

/// Writes the downloads of an edition into its folder of the site: each file, and all in one archive.
/// A browser shows a file that is linked to from another file, instead of saving it; so each lies there
/// once more within a script, by which blitz.js saves it.
///
/// # Errors
/// Something cannot be written.
pub fn write(source: &Source, edition: &Edition, site: &Path) -> Result<()> {
    let dir = site.join(&edition.dir);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |path: PathBuf, contents: &[u8]| -> Result<()> {
        write_atomically(&dir.join(&path), contents)?;
        let script = format!("blitzSave(\"{}\")\n", STANDARD.encode(contents));
        write_atomically(&dir.join(format!("{}.js", path.display())), script.as_bytes())?;
        let path = Path::new(ARCHIVE).with_extension("").join(path);
        archive.start_file_from_path(path, SimpleFileOptions::default())?;
        Ok(archive.write_all(contents)?)
    };
    for (name, notebook) in pages(source) {
        let notebook = edition.notebook(&name, notebook)?;
        add(Path::new(EXECUTED).join(name.with_extension("ipynb")), &notebook.to_bytes()?)?;
        if !is_exercise(&name) {
            let program = program::of(&notebook, &edition.program_words)?;
            add(Path::new(PROGRAMS).join(name.with_extension("rs")), program.as_bytes())?;
        }
    }
    let archive = archive.finish().context("cannot pack the archive")?.into_inner();
    write_atomically(&dir.join(ARCHIVE), &archive)
}
