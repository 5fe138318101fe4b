//! What the site is made of, in English.

use crate::notebook::find::{find, find_in};
use crate::notebook::headings;
use crate::notebook::nbformat::Notebook;
use crate::project::Project;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Executed notebooks lie here in the site, for the pages to be made of and for people to download.
pub const EXECUTED: &str = "notebooks";

/// The Markdown pages: where they lie in the repository, and their place on the site.
const DOCUMENTS: [(&str, &str); 5] = [
    ("docs/site/index.md", "index"),
    ("docs/site/python_to_rust.md", "python_to_rust"),
    ("docs/kernel.md", "kernel"),
    ("docs/troubleshooting.md", "troubleshooting"),
    ("docs/site/downloads.md", "downloads"),
];

/// All pages.
pub struct Source {
    /// The pages of the blitz and their appendices, with outputs.
    pub chapters: Vec<Notebook>,
    /// The exercises, with solutions.
    pub exercises: Vec<Notebook>,
    /// The pages that are no notebooks.
    pub documents: Vec<Document>,
}

/// A page in Markdown.
pub struct Document {
    /// In the repository.
    pub path: PathBuf,
    /// On the site, without the ending.
    pub place: String,
    /// The Markdown.
    pub text: String,
}

impl Source {
    /// Reads all pages. A notebook that was executed into `executed` as it is now is taken from there,
    /// with those outputs, else as it is stored.
    ///
    /// # Errors
    /// A page cannot be read, or a notebook has no outputs.
    pub fn read(project: &Project, executed: &Path) -> Result<Self> {
        let mut chapters = Vec::new();
        for stored in find(project, &[])? {
            chapters.push(with_outputs(stored, executed)?);
        }
        let mut exercises = find_in(&project.exercises_dir(), &[])?;
        chapters.iter_mut().chain(&mut exercises).for_each(headings::demote);
        let documents = DOCUMENTS.iter().map(|(path, place)| document(project, path, place));
        Ok(Source { chapters, exercises, documents: documents.collect::<Result<_>>()? })
    }
}

/// The notebook as it was executed, if it was not changed since.
fn with_outputs(stored: Notebook, executed: &Path) -> Result<Notebook> {
    let copy = Notebook::read(executed.join(format!("{}.ipynb", stored.name())));
    let sources = |notebook: &Notebook| -> Vec<(bool, String)> {
        notebook.sources().map(|it| (it.is_code, it.source)).collect()
    };
    let notebook = match copy {
        Ok(copy) if sources(&copy) == sources(&stored) => copy.at(stored.path().to_owned()),
        _ => stored,
    };
    let mut cells = notebook.code_cells().peekable();
    ensure!(
        cells.peek().is_none() || cells.any(|cell| cell.was_executed()),
        "{} has no outputs, and its page would show none: execute it with `cargo blitz run {}`",
        notebook.path().display(),
        notebook.name()
    );
    drop(cells);
    Ok(notebook)
}

fn document(project: &Project, path: &str, place: &str) -> Result<Document> {
    let file = project.path(path);
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Document { path: path.into(), place: place.to_owned(), text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn notebook(path: &Path, source: &str, count: Value) -> Notebook {
        let output = json!({"output_type": "stream", "name": "stdout", "text": count.to_string()});
        let outputs = if count.is_null() { json!([]) } else { json!([output]) };
        let cell = json!({"cell_type": "code", "id": "c", "metadata": {}, "source": source,
                          "execution_count": count, "outputs": outputs});
        let json = json!({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        Notebook::parse(path.to_owned(), &json.to_string()).expect("a notebook")
    }

    #[test]
    fn a_page_shows_what_was_executed_as_long_as_nothing_was_changed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("01.ipynb");
        let executed = dir.path().join("executed");
        let stored =
            |source: &str, count: Value| with_outputs(notebook(&path, source, count), &executed);
        assert_eq!(stored("x", json!(1)).expect("as it is stored").stdout(), "1");
        let error = stored("x", Value::Null).map(drop).expect_err("no outputs").to_string();
        assert!(
            error.contains("has no outputs") && error.contains("cargo blitz run 01"),
            "{error}"
        );

        let copy = executed.join("01.ipynb");
        notebook(&copy, "x", json!(2)).write(&copy).expect("writable");
        let shown = stored("x", json!(1)).expect("as it was executed");
        assert_eq!((shown.stdout().as_str(), shown.path()), ("2", path.as_path()));
        assert_eq!(stored("changed", json!(1)).expect("as it is stored").stdout(), "1");
    }
}
