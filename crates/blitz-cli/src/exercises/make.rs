//! The learner's notebook as a file: made, renewed, or kept where somebody has worked in it.

use super::{learner, links};
use crate::fingerprint::Fingerprint;
use crate::notebook::nbformat::{Notebook, joined, lines};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a learner's notebook says of itself, in its metadata.
const MARK: &str = "blitz";
/// The key of all that it was made of.
const MADE_FROM: &str = "made_from";
/// The key of the sources that it was made with: with other ones, somebody has worked in it.
const MADE: &str = "made";
/// What is solved, beside the notebook: `blitz::check` keeps it.
const PROGRESS: &str = ".progress";

/// What becomes of a notebook that somebody has worked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays.
    Keep,
    /// It gets another name, and a new one its place.
    MoveAside,
}

/// What became of a notebook.
#[derive(Debug, PartialEq, Eq)]
pub enum Made {
    /// There was none.
    New,
    /// The one that was there, untouched, was out of date.
    Renewed,
    /// The one that is there is untouched and up to date.
    AsItWas,
    /// The one that is there holds somebody's work; the exercises may have changed since.
    Kept {
        /// Whether they have.
        is_outdated: bool,
    },
    /// The one that was there now has this name.
    MovedAside(PathBuf),
}

/// Makes the learner's version of `source` in the directory `dir`, an absolute path, under the same
/// name. What somebody has changed is never overwritten.
///
/// # Errors
/// `source` is a learner's notebook itself or is badly marked, or a file cannot be read or written.
pub fn make(source: &Notebook, dir: &Path, existing: Existing) -> Result<Made> {
    let path = dir.join(source.path().file_name().unwrap_or_default());
    let new = learners(source, &path)?;
    if path.symlink_metadata().is_err() {
        new.write(&path)?;
        return Ok(Made::New);
    }
    // One that is no notebook any more is somebody's, too.
    let old = Notebook::read(path.clone()).ok();
    let key = |notebook: &Notebook, name: &str| notebook.metadata(MARK)[name].clone();
    let is_touched = old.as_ref().is_none_or(|old| key(old, MADE) != sources(old.cells()));
    let is_outdated = old.as_ref().is_none_or(|old| key(old, MADE_FROM) != key(&new, MADE_FROM));
    match existing {
        Existing::Keep if is_touched => return Ok(Made::Kept { is_outdated }),
        Existing::Keep if !is_outdated => return Ok(Made::AsItWas),
        _ => {}
    }
    let aside = if is_touched { Some(copy_aside(&path)?) } else { None };
    new.write(&path)?;
    Ok(aside.map_or(Made::Renewed, Made::MovedAside))
}

/// The notebook for a learner, with what tells later that it is one, and untouched.
fn learners(source: &Notebook, path: &Path) -> Result<Notebook> {
    if source.metadata(MARK)[MADE].is_string() {
        bail!(
            "{} is a learner's notebook, made by this command; name the one with the solutions, which is \
             in notebooks/exercises",
            source.path().display()
        );
    }
    let mut cells = learner::cells(source)?;
    let dir = |path: &Path| path.parent().map(Path::to_owned).unwrap_or_default();
    for cell in cells.iter_mut().filter(|cell| cell["cell_type"] == "markdown") {
        let text = joined(&cell["source"]);
        cell["source"] = lines(&links::moved(&text, &dir(source.path()), &dir(path)));
    }
    let made = sources(&cells);
    let mut notebook = source.with_cells(path.to_owned(), cells);
    notebook.set_language();
    let made_from =
        Fingerprint::new().text(&String::from_utf8_lossy(&notebook.to_bytes()?)).finish();
    notebook.metadata_mut()[MARK] = json!({MADE_FROM: made_from, MADE: made});
    Ok(notebook)
}

/// The key of what cells hold. Outputs and cells without a word are nobody's work.
fn sources(cells: &[Value]) -> String {
    let sources = cells.iter().map(|cell| (cell["cell_type"].as_str(), joined(&cell["source"])));
    sources
        .filter(|(_, source)| !source.trim().is_empty())
        .fold(Fingerprint::new(), |print, (kind, source)| {
            print.text(kind.unwrap_or_default()).text(&source)
        })
        .finish()
}

/// Keeps the notebook under a name with a number that is free, and what is solved in it, too. Returns
/// the name.
fn copy_aside(path: &Path) -> Result<PathBuf> {
    let contents = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    for number in 1.. {
        let aside = path.with_extension(format!("{number}.ipynb"));
        match File::create_new(&aside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            made => made
                .and_then(|mut file| file.write_all(&contents))
                .with_context(|| format!("cannot write {}", aside.display()))?,
        }
        let solved = path.with_file_name(PROGRESS).join(path.file_name().unwrap_or_default());
        // Where nothing is solved, there is none.
        let _ = fs::rename(
            solved.with_extension("json"),
            solved.with_extension(format!("{number}.json")),
        );
        return Ok(aside);
    }
    bail!("no name is free beside {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(dir: &Path, solution: &str) -> Notebook {
        let path = dir.join("exercises/01.ipynb");
        let cells = json!([
            {"cell_type": "markdown", "id": "t", "metadata": {}, "source": "[a](../01.ipynb)"},
            {"cell_type": "code", "id": "ex1", "source": solution, "outputs": [],
             "execution_count": null, "metadata": {"nbgrader": {"solution": true}}}]);
        let json = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        Notebook::parse(path, &json.to_string()).expect("a notebook")
    }

    fn edit(path: &Path, old: &str, new: &str) {
        let text = fs::read_to_string(path).expect("a notebook");
        assert!(text.contains(old), "{text}");
        fs::write(path, text.replace(old, new)).expect("writable");
    }

    #[test]
    fn work_is_kept_and_untouched_notebooks_follow_their_source() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (one, two) = (source(dir.path(), "1"), source(dir.path(), "2"));
        let mine = dir.path().join("my_exercises");
        let make = |source: &Notebook| make(source, &mine, Existing::Keep).expect("it is made");
        assert_eq!(make(&one), Made::New);
        assert_eq!(make(&one), Made::AsItWas);
        let path = mine.join("01.ipynb");
        // What Jupyter writes when a cell is run, and an empty cell at the end.
        edit(&path, "\"execution_count\": null", "\"execution_count\": 7");
        edit(
            &path,
            "\n ],\n \"metadata\"",
            ",{\"cell_type\": \"code\", \"source\": [\" \"]}],\"metadata\"",
        );
        assert_eq!(make(&one), Made::AsItWas);
        assert_eq!(make(&two), Made::Renewed);
        assert!(
            fs::read_to_string(&path).expect("a notebook").contains("```rust\\n\",\n    \"2\\n")
        );
        edit(&path, "write this", "my work");
        assert_eq!(make(&two), Made::Kept { is_outdated: false });
        assert_eq!(make(&one), Made::Kept { is_outdated: true });
        assert!(fs::read_to_string(&path).expect("a notebook").contains("my work"));
    }

    #[test]
    fn a_fresh_start_loses_nothing() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let source = source(dir.path(), "1");
        let fresh = || make(&source, dir.path(), Existing::MoveAside).expect("it is made");
        let path = dir.path().join("01.ipynb");
        let progress = dir.path().join(".progress/01.json");
        fs::create_dir(progress.parent().expect("a directory")).expect("writable");
        assert_eq!(fresh(), Made::New);
        for (number, work) in [(1, "first"), (2, "second")] {
            edit(&path, "write this", work);
            fs::write(&progress, work).expect("writable");
            let aside = dir.path().join(format!("01.{number}.ipynb"));
            assert_eq!(fresh(), Made::MovedAside(aside.clone()));
            assert!(fs::read_to_string(aside).expect("a notebook").contains(work));
            let solved = progress.with_file_name(format!("01.{number}.json"));
            assert_eq!(fs::read_to_string(solved).expect("kept"), work);
            assert!(!progress.exists());
        }
        fs::write(&path, "spoilt").expect("writable");
        assert_eq!(
            make(&source, dir.path(), Existing::Keep).expect("kept"),
            Made::Kept { is_outdated: true }
        );
        assert_eq!(fresh(), Made::MovedAside(dir.path().join("01.3.ipynb")));
    }

    #[test]
    fn a_learners_notebook_is_no_source() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        make(&source(dir.path(), "1"), dir.path(), Existing::Keep).expect("it is made");
        let made = Notebook::read(dir.path().join("01.ipynb")).expect("a notebook");
        let error = make(&made, &dir.path().join("x"), Existing::Keep).expect_err("a learner's");
        assert!(error.to_string().contains("is a learner's notebook"), "{error}");
    }
}
