//! The pages as they are written, in English: notebooks, exercises, and pages in Markdown.

use super::catalogue::Extracted;
use super::page;
use crate::notebook::find::paths_in;
use crate::notebook::nbformat::Notebook;
use crate::project::Project;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// The page that is written into the repository in each language.
pub const README: &str = "README.md";
/// Exercises lie here, in the notebooks' folder and in that of the catalogues.
const EXERCISES: &str = "exercises";
/// The pages in Markdown beside those in [`SITE`].
const MARKDOWN: [&str; 3] = [README, "docs/kernel.md", "docs/troubleshooting.md"];
/// Each page in Markdown here is translated.
const SITE: &str = "docs/site";

/// A page in English.
pub struct Original {
    /// Of its catalogue, from the language's folder, without the ending.
    pub name: PathBuf,
    /// What it holds.
    pub content: Content,
}

/// What a page holds.
pub enum Content {
    /// A notebook; in an exercise, what learners are told in code is translated, too.
    Notebook {
        /// The notebook.
        notebook: Notebook,
        /// It is an exercise.
        is_exercise: bool,
    },
    /// Markdown.
    Markdown(String),
}

impl Original {
    /// What is to be translated of it, in order.
    pub fn messages(&self) -> Vec<Extracted> {
        match &self.content {
            Content::Notebook { notebook, is_exercise } => {
                page::of_notebook(notebook, *is_exercise)
            }
            Content::Markdown(text) => page::of_markdown(&self.name.to_string_lossy(), text),
        }
    }
}

/// All pages.
///
/// # Errors
/// One cannot be read.
pub fn all(project: &Project) -> Result<Vec<Original>> {
    let mut pages = notebooks(&project.notebooks_dir(), Path::new(""), false)?;
    let exercises = project.notebooks_dir().join(EXERCISES);
    pages.extend(notebooks(&exercises, Path::new(EXERCISES), true)?);
    for path in markdown_paths(project) {
        let content = Content::Markdown(markdown(project, &path)?);
        pages.push(Original { name: path.with_extension(""), content });
    }
    Ok(pages)
}

/// The pages in Markdown, from the repository's root: `docs/kernel.md`.
pub fn markdown_paths(project: &Project) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = MARKDOWN.iter().map(PathBuf::from).collect();
    let mut of_site = Vec::new();
    find_markdown(project, Path::new(SITE), &mut of_site);
    of_site.sort();
    paths.extend(of_site);
    paths
}

fn find_markdown(project: &Project, dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(project.path(dir)).into_iter().flatten().flatten() {
        let path = dir.join(entry.file_name());
        if entry.path().is_dir() {
            find_markdown(project, &path, found);
        } else if path.extension().is_some_and(|it| it == "md") {
            found.push(path);
        }
    }
}

/// The text of a page in Markdown.
///
/// # Errors
/// It is none of [`markdown_paths`], or cannot be read.
pub fn markdown(project: &Project, page: &Path) -> Result<String> {
    let known = markdown_paths(project);
    ensure!(
        known.iter().any(|it| it == page),
        "{} is no page that is translated; expected one of {}, or a new one in {SITE}/",
        page.display(),
        MARKDOWN.join(", ")
    );
    let path = project.path(page);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn notebooks(dir: &Path, below: &Path, is_exercise: bool) -> Result<Vec<Original>> {
    let page = |path: PathBuf| {
        let notebook = Notebook::read(path)?;
        let name = below.join(notebook.name());
        Ok(Original { name, content: Content::Notebook { notebook, is_exercise } })
    };
    paths_in(dir).into_iter().map(page).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use blitz_contract::Layout;

    #[test]
    fn each_page_of_the_site_is_a_page_in_markdown() {
        let dir = tempfile::tempdir().expect("a directory");
        let project = Project::new(Layout::new(dir.path()));
        fs::create_dir_all(project.path("docs/site/more")).expect("writable");
        for path in
            ["docs/site/index.md", "docs/site/more/a.md", "docs/site/style.css", "docs/no.md"]
        {
            fs::write(project.path(path), "# A page\n").expect("writable");
        }
        let paths = markdown_paths(&project);
        let expected = ["docs/site/index.md", "docs/site/more/a.md"].map(PathBuf::from);
        assert_eq!(paths[MARKDOWN.len()..], expected);
        assert_eq!(markdown(&project, &expected[1]).expect("a page"), "# A page\n");
        let error = markdown(&project, Path::new("docs/no.md")).expect_err("no page").to_string();
        assert!(
            error.contains("docs/no.md is no page") && error.contains("docs/kernel.md"),
            "{error}"
        );
    }
}
