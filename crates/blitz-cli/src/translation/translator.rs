//! Pages as people read them in a language, made of English ones that may have been executed.

use super::catalogue::Catalogue;
use super::language::Language;
use super::page::{self, Anchors};
use crate::notebook::nbformat::Notebook;
use crate::project::Project;
use anyhow::Result;
use std::path::Path;

/// Translates pages into one language.
pub struct Translator {
    language: Language,
    anchors: Anchors,
}

impl Translator {
    /// Reads where the headings of the pages lead in `language`.
    ///
    /// # Errors
    /// A page or a catalogue cannot be read.
    pub fn new(project: &Project, language: Language) -> Result<Self> {
        let anchors = language.anchors(project)?;
        Ok(Translator { language, anchors })
    }

    /// The language.
    pub fn language(&self) -> &Language {
        &self.language
    }

    /// The page `name` (`01_tensors`, `exercises/01_tensors`) with the cells of `notebook`, whose outputs
    /// stay as they are.
    ///
    /// # Errors
    /// The page's catalogue cannot be read.
    pub fn notebook(&self, name: &Path, mut notebook: Notebook) -> Result<Notebook> {
        let catalogue = self.catalogue(name)?;
        let is_exercise = name.parent().is_some_and(|parent| parent != Path::new(""));
        page::translate_notebook(&mut notebook, is_exercise, &catalogue, &self.anchors);
        Ok(notebook)
    }

    /// The Markdown page `name` (`docs/kernel`).
    ///
    /// # Errors
    /// The page's catalogue cannot be read.
    pub fn markdown(&self, name: &Path, text: &str) -> Result<String> {
        let catalogue = self.catalogue(name)?;
        let stem = name.file_name().unwrap_or_default().to_string_lossy();
        Ok(page::translate_markdown(&stem, text, &catalogue, &self.anchors))
    }

    fn catalogue(&self, name: &Path) -> Result<Catalogue> {
        Catalogue::read(&self.language.catalogue_path(name), self.language.name())
    }
}
