//! A language's folder: a catalogue for each page, and the glossary.

use super::anchors::{self, Anchors};
use super::catalogue::{Catalogue, Extracted, Left};
use super::glossary::Glossary;
use super::originals::{self, Content, Original, README};
use super::page;
use super::{messages, rules};
use crate::exercises::{Words, make};
use crate::files::write_atomically;
use crate::notebook::made::{self, Existing, Made};
use crate::program;
use crate::project::Project;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

const GLOSSARY: &str = "glossary.tsv";
/// Here, in the notebooks' folder, lie the exercises that learners work in.
const MY_EXERCISES: &str = "my_exercises";

/// A language, by the name of its folder: `zh_CN`.
pub struct Language {
    name: String,
    dir: PathBuf,
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

    /// Its name in pages: `zh-CN`.
    pub fn tag(&self) -> String {
        self.name.split('@').next().unwrap_or(&self.name).replace('_', "-")
    }

    /// Where its notebooks lie: `notebooks/zh`.
    pub fn notebooks_dir(&self, project: &Project) -> PathBuf {
        project.notebooks_dir().join(self.short_name())
    }

    /// Its name in addresses: `zh`.
    pub fn short_name(&self) -> &str {
        self.name.split(['_', '-', '@']).next().unwrap_or(&self.name)
    }

    /// Compares the catalogues with the pages. With `written`, brings them up to date first.
    ///
    /// # Errors
    /// A page, a catalogue or the glossary cannot be read, or a catalogue cannot be written.
    pub fn update(&self, project: &Project, written: Written) -> Result<Vec<PageReport>> {
        let glossary = Glossary::read(&self.dir.join(GLOSSARY))?;
        let report = |page: &Original| {
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
            originals::all(project)?.iter().map(report).collect::<Result<_>>()?;
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
        let pages = originals::all(project)?;
        let catalogues: Vec<Catalogue> =
            pages.iter().map(|page| self.catalogue(&page.name)).collect::<Result<_>>()?;
        let anchors = of_notebooks(&pages, &catalogues);
        let words = self.exercise_words();
        let mut written = Vec::new();
        for (page, catalogue) in pages.into_iter().zip(&catalogues) {
            let Content::Notebook { mut notebook, is_exercise } = page.content else { continue };
            page::translate_notebook(&mut notebook, is_exercise, catalogue, &anchors);
            notebook.metadata_mut()["lang"] = self.tag().into();
            let notebook = notebook.at(notebooks.join(page.name.with_extension("ipynb")));
            let made = match is_exercise {
                true => make(&notebook, &notebooks.join(MY_EXERCISES), Existing::Keep, &words),
                false => made::write(notebook, Existing::Keep),
            };
            written.push((page.name, made?));
        }
        Ok(written)
    }

    /// A page in Markdown in this language, as far as it is translated: one of
    /// [`originals::markdown_paths`]. Links lead to the translated headings of those pages that go with
    /// it: within the README, and between all others.
    ///
    /// # Errors
    /// There is no such page, or something cannot be read.
    pub fn markdown(&self, project: &Project, page: &Path) -> Result<String> {
        let text = originals::markdown(project, page)?;
        let is_readme = |path: &Path| path == Path::new(README);
        let mut anchors = Anchors::new();
        for path in originals::markdown_paths(project) {
            // In the repository, the other pages are English.
            if is_readme(&path) == is_readme(page) {
                let other = originals::markdown(project, &path)?;
                let catalogue = self.catalogue(&path)?;
                anchors.extend(anchors::of_markdown(&path.to_string_lossy(), &other, &catalogue));
            }
        }
        let catalogue = self.catalogue(page)?;
        Ok(page::translate_markdown(&page.to_string_lossy(), &text, &catalogue, &anchors))
    }

    /// The README in this language.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn readme(&self, project: &Project) -> Result<String> {
        self.markdown(project, Path::new(README))
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
        project.path(Path::new(README).with_extension(format!("{}.md", self.short_name())))
    }

    /// The catalogue of a page, which is named with its ending or without.
    pub(super) fn catalogue(&self, page: &Path) -> Result<Catalogue> {
        Catalogue::read(&self.catalogue_path(page), &self.name)
    }

    /// The words that stand in every learner's notebook.
    pub fn exercise_words(&self) -> Words {
        Words::new(messages::of(&self.dir))
    }

    /// The words that stand in every program.
    pub fn program_words(&self) -> program::Words {
        program::Words::new(messages::of(&self.dir))
    }

    /// Where the headings of all pages but the README lead in this language.
    ///
    /// # Errors
    /// A page or a catalogue cannot be read.
    pub(super) fn anchors(&self, project: &Project) -> Result<Anchors> {
        let pages = originals::all(project)?;
        let catalogues: Vec<Catalogue> =
            pages.iter().map(|page| self.catalogue(&page.name)).collect::<Result<_>>()?;
        let mut anchors = of_notebooks(&pages, &catalogues);
        for (page, catalogue) in pages.iter().zip(&catalogues) {
            let path = page.name.with_extension("md");
            if let (Content::Markdown(text), false) = (&page.content, path == Path::new(README)) {
                anchors.extend(anchors::of_markdown(&path.to_string_lossy(), text, catalogue));
            }
        }
        Ok(anchors)
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

fn of_notebooks(pages: &[Original], catalogues: &[Catalogue]) -> Anchors {
    let mut anchors = Anchors::new();
    // Exercises, which come last, have the names of their pages: where both have a heading, that of the
    // page counts.
    for (page, catalogue) in pages.iter().zip(catalogues).rev() {
        if let Content::Notebook { notebook, .. } = &page.content {
            let texts = notebook.sources().filter(|it| !it.is_code);
            anchors.extend(
                texts.flat_map(|it| anchors::of_cell(&notebook.name(), &it.source, catalogue)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use blitz_contract::Layout;

    fn repository() -> Project {
        let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        Project::new(Layout::new(crate_dir.join("../..").canonicalize().expect("the repository")))
    }

    #[test]
    fn links_of_translated_pages_lead_to_translated_headings() {
        let project = repository();
        for language in Language::all(&project) {
            let mut known = Vec::new();
            let mut wanted = Vec::new();
            for page in originals::markdown_paths(&project) {
                let text = language.markdown(&project, &page).expect("a page");
                let page = page.to_string_lossy().into_owned();
                known.extend(anchors::addresses(&text).into_iter().map(|it| (page.clone(), it)));
                wanted.extend(anchors::targets(&text, &page));
            }
            // From the README, and to what is not translated, links lead to English pages.
            wanted.retain(|(from, (to, _))| from != README || to == README);
            wanted.retain(|(_, (to, _))| known.iter().any(|(page, _)| page == to));
            let lost: Vec<_> =
                wanted.iter().filter(|(_, target)| !known.contains(target)).collect();
            assert!(lost.is_empty(), "{}: {lost:?}", language.name());
            assert!(wanted.len() > 15, "{wanted:?}");
        }
    }
}
