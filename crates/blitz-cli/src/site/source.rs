//! What the site is made of, in English.

use crate::exercises;
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
    /// The exercises as learners get them.
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
        let mut exercises = Vec::new();
        for teachers in find_in(&project.exercises_dir(), &[])? {
            exercises.push(exercises::learners(&teachers, teachers.path())?);
        }
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
