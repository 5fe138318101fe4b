//! A language's folder: a catalogue for each page, and the glossary.

use super::catalogue::{Catalogue, Extracted, Left};
use super::glossary::Glossary;
use super::page::{self, Anchors};
use super::{messages, rules};
use crate::exercises::{Words, make};
use crate::files::write_atomically;
use crate::notebook::find::paths_in;
use crate::notebook::made::{self, Existing, Made};
use crate::notebook::nbformat::Notebook;
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

const GLOSSARY: &str = "glossary.tsv";
/// Exercises lie here, in the notebooks' folder and in that of the catalogues.
const EXERCISES: &str = "exercises";
/// Here lie those that learners work in.
const MY_EXERCISES: &str = "my_exercises";
/// The page that is no notebook.
const README: &str = "README";

/// A language, by the name of its folder: `zh_CN`.
pub struct Language {
    name: String,
    dir: PathBuf,
}

/// A page in English.
struct Page {
    /// Of its catalogue, from the language's folder, without the ending.
    name: PathBuf,
    content: Content,
}

enum Content {
    Notebook { notebook: Notebook, is_exercise: bool },
    Markdown(String),
}

/// What there is to say of a page's translation.
pub struct PageReport {
    /// The catalogue.
    pub catalogue: PathBuf,
    /// Messages in all.
    pub messages: usize,
    /// What has no translation that holds.
    pub left: Left,
    /// The messages whose translation breaks a rule, with what is wrong.
    pub faults: Vec<(String, String)>,
}

impl PageReport {
    /// Whether the page can be shown.
    pub fn is_complete(&self) -> bool {
        self.left == Left::default() && self.faults.is_empty()
    }
}

impl Language {
    /// The languages that have a folder, in alphabetical order.
    pub fn all(project: &Project) -> Vec<Language> {
        let entries = fs::read_dir(project.translations_dir()).into_iter().flatten().flatten();
        let dirs = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
        let name = |dir: &Path| dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut all: Vec<Language> = dirs.map(|dir| Language { name: name(&dir), dir }).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Its name, such as `zh_CN`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its notebooks lie: `notebooks/zh`.
    pub fn notebooks_dir(&self, project: &Project) -> PathBuf {
        project.notebooks_dir().join(self.short_name())
    }

    /// Its name in addresses: `zh`.
    fn short_name(&self) -> &str {
        self.name.split(['_', '-', '@']).next().unwrap_or(&self.name)
    }

    /// Compares the catalogues with the pages. With `written`, brings them up to date first.
    ///
    /// # Errors
    /// A page, a catalogue or the glossary cannot be read, or a catalogue cannot be written.
    pub fn update(&self, project: &Project, written: Written) -> Result<Vec<PageReport>> {
        let glossary = Glossary::read(&self.dir.join(GLOSSARY))?;
        let report = |page: &Page| {
            let path = self.catalogue_path(&page.name);
            let messages = page.messages();
            let mut catalogue = Catalogue::read(&path, &self.name)?;
            if written == Written::Yes {
                catalogue = catalogue.merged(&messages, &self.name);
                catalogue.write(&path)?;
            }
            Ok(PageReport {
                left: catalogue.left(&messages),
                faults: faults(&messages, &catalogue, &glossary),
                messages: messages.len(),
                catalogue: path,
            })
        };
        let mut reports: Vec<PageReport> =
            pages(project)?.iter().map(report).collect::<Result<_>>()?;
        let language = (self.dir.as_path(), self.name.as_str());
        reports.extend(messages::update(project, language, &glossary, written)?);
        Ok(reports)
    }

    /// Writes the pages in this language into `notebooks`, with the outputs of the English ones, and
    /// the exercises as learners get them. What somebody has worked in is kept. Returns what became of
    /// each.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn write_notebooks(
        &self,
        project: &Project,
        notebooks: &Path,
    ) -> Result<Vec<(PathBuf, Made)>> {
        let pages = pages(project)?;
        let catalogues: Vec<Catalogue> = pages
            .iter()
            .map(|page| Catalogue::read(&self.catalogue_path(&page.name), &self.name))
            .collect::<Result<_>>()?;
        let anchors = anchors(&pages, &catalogues);
        let words = Words::new(messages::of(&self.dir));
        let mut written = Vec::new();
        for (page, catalogue) in pages.into_iter().zip(&catalogues) {
            let Content::Notebook { mut notebook, is_exercise } = page.content else { continue };
            page::translate_notebook(&mut notebook, is_exercise, catalogue, &anchors);
            let notebook = notebook.at(notebooks.join(page.name.with_extension("ipynb")));
            let made = match is_exercise {
                true => make(&notebook, &notebooks.join(MY_EXERCISES), Existing::Keep, &words),
                false => made::write(notebook, Existing::Keep),
            };
            written.push((page.name, made?));
        }
        Ok(written)
    }

    /// The README in this language.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn readme(&self, project: &Project) -> Result<String> {
        let catalogue = Catalogue::read(&self.catalogue_path(Path::new(README)), &self.name)?;
        let text = english_readme(project)?;
        Ok(page::translate_markdown(README, &text, &catalogue, &Anchors::new()))
    }

    /// Writes [`Self::readme`] to its place.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn write_readme(&self, project: &Project) -> Result<()> {
        write_atomically(&self.readme_path(project), self.readme(project)?.as_bytes())
    }

    /// Where the README in this language lies.
    pub fn readme_path(&self, project: &Project) -> PathBuf {
        project.path(format!("{README}.{}.md", self.short_name()))
    }

    fn catalogue_path(&self, page: &Path) -> PathBuf {
        self.dir.join(page).with_extension("po")
    }
}

/// Whether catalogues are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// They are brought up to date.
    Yes,
    /// They stay as they are.
    No,
}

impl Page {
    fn messages(&self) -> Vec<Extracted> {
        match &self.content {
            Content::Notebook { notebook, is_exercise } => {
                page::of_notebook(notebook, *is_exercise)
            }
            Content::Markdown(text) => page::of_markdown(README, text),
        }
    }
}

fn pages(project: &Project) -> Result<Vec<Page>> {
    let mut pages = notebooks(&project.notebooks_dir(), Path::new(""), false)?;
    let exercises = project.notebooks_dir().join(EXERCISES);
    pages.extend(notebooks(&exercises, Path::new(EXERCISES), true)?);
    let readme = Content::Markdown(english_readme(project)?);
    pages.push(Page { name: README.into(), content: readme });
    Ok(pages)
}

fn english_readme(project: &Project) -> Result<String> {
    let path = project.path(format!("{README}.md"));
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn notebooks(dir: &Path, below: &Path, is_exercise: bool) -> Result<Vec<Page>> {
    let page = |path: PathBuf| {
        let notebook = Notebook::read(path)?;
        let name = below.join(notebook.name());
        Ok(Page { name, content: Content::Notebook { notebook, is_exercise } })
    };
    paths_in(dir).into_iter().map(page).collect()
}

fn anchors(pages: &[Page], catalogues: &[Catalogue]) -> Anchors {
    let mut anchors = Anchors::new();
    for (page, catalogue) in pages.iter().zip(catalogues) {
        if let Content::Notebook { notebook, is_exercise: false } = &page.content {
            let texts = notebook.sources().filter(|it| !it.is_code);
            anchors.extend(
                texts.flat_map(|it| page::anchors(&notebook.name(), &it.source, catalogue)),
            );
        }
    }
    anchors
}

fn faults(
    messages: &[Extracted],
    catalogue: &Catalogue,
    glossary: &Glossary,
) -> Vec<(String, String)> {
    let of = |message: &Extracted| -> Vec<(String, String)> {
        let Some(translation) = catalogue.translation(&message.text) else { return Vec::new() };
        let faults = rules::faults(&message.text, translation, glossary);
        faults.into_iter().map(|fault| (message.place.clone(), fault)).collect()
    };
    let mut faults: Vec<(String, String)> = messages.iter().flat_map(of).collect();
    faults.dedup();
    faults
}
