//! The learner's notebook as a file.

use super::words::Words;
use super::{learner, links};
use crate::notebook::made::{self, Existing, Made};
use crate::notebook::nbformat::{Notebook, joined, lines};
use anyhow::{Result, bail};
use std::path::Path;

/// Makes the learner's version of `source` in the directory `dir`, an absolute path, under the same
/// name, with what is added in `words`. What somebody has changed is never overwritten.
///
/// # Errors
/// `source` is a learner's notebook itself or is badly marked, or a file cannot be read or written.
pub fn make(source: &Notebook, dir: &Path, existing: Existing, words: &Words) -> Result<Made> {
    let path = dir.join(source.path().file_name().unwrap_or_default());
    made::write(learners(source, &path, words)?, existing)
}

/// The notebook for a learner, to be kept in `path`.
///
/// # Errors
/// `source` is a learner's notebook itself or is badly marked.
pub fn learners(source: &Notebook, path: &Path, words: &Words) -> Result<Notebook> {
    if made::is_made(source) {
        bail!(
            "{} is a learner's notebook, made by this command; name the one with the solutions, which is \
             in notebooks/exercises",
            source.path().display()
        );
    }
    let mut cells = learner::cells(source, words)?;
    let dir = |path: &Path| path.parent().map(Path::to_owned).unwrap_or_default();
    for cell in cells.iter_mut().filter(|cell| cell["cell_type"] == "markdown") {
        let text = joined(&cell["source"]);
        cell["source"] = lines(&links::moved(&text, &dir(source.path()), &dir(path)));
    }
    let mut notebook = source.with_cells(path.to_owned(), cells);
    notebook.set_language();
    Ok(notebook)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::fs;

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
        let make = |source: &Notebook| {
            make(source, &mine, Existing::Keep, &Words::default()).expect("it is made")
        };
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
        let fresh = || {
            make(&source, dir.path(), Existing::MoveAside, &Words::default()).expect("it is made")
        };
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
            make(&source, dir.path(), Existing::Keep, &Words::default()).expect("kept"),
            Made::Kept { is_outdated: true }
        );
        assert_eq!(fresh(), Made::MovedAside(dir.path().join("01.3.ipynb")));
    }

    #[test]
    fn a_learners_notebook_is_no_source() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        make(&source(dir.path(), "1"), dir.path(), Existing::Keep, &Words::default())
            .expect("it is made");
        let made = Notebook::read(dir.path().join("01.ipynb")).expect("a notebook");
        let error = make(&made, &dir.path().join("x"), Existing::Keep, &Words::default())
            .expect_err("a learner's");
        assert!(error.to_string().contains("is a learner's notebook"), "{error}");
    }
}
