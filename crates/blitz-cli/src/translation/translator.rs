//! Pages as people read them in a language, made of English ones that may have been executed.

use super::anchors::Anchors;
use super::language::Language;
use super::page;
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
        let catalogue = self.language.catalogue(name)?;
        let is_exercise = name.parent().is_some_and(|parent| parent != Path::new(""));
        page::translate_notebook(&mut notebook, is_exercise, &catalogue, &self.anchors);
        Ok(notebook)
    }

    /// The Markdown page `path` (`docs/kernel.md`).
    ///
    /// # Errors
    /// The page's catalogue cannot be read.
    pub fn markdown(&self, path: &Path, text: &str) -> Result<String> {
        let catalogue = self.language.catalogue(path)?;
        Ok(page::translate_markdown(&path.to_string_lossy(), text, &catalogue, &self.anchors))
    }
}
