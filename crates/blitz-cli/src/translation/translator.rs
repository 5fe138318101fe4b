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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notebook::find::find;
    use crate::translation::code;
    use blitz_contract::Layout;

    /// What a cell does: its code without comments.
    fn code_of(notebook: &Notebook) -> Vec<String> {
        let cells = notebook.sources().filter(|cell| cell.is_code);
        let without_comments = cells.map(|cell| {
            let (mut kept, mut end) = (String::new(), 0);
            for comment in code::comments(&cell.source, Some(code::Language::Rust)) {
                kept.push_str(&cell.source[end..comment.start]);
                end = comment.end;
            }
            kept + &cell.source[end..]
        });
        without_comments.collect()
    }

    /// So their outputs are the English ones', and need not be made a second time.
    #[test]
    fn translated_notebooks_do_what_the_english_ones_do() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let project = Project::new(Layout::new(root));
        let mut changed = 0;
        for language in Language::all(&project) {
            let translator = Translator::new(&project, language).expect("catalogues");
            for english in find(&project, &[]).expect("notebooks") {
                let name = english.name();
                let translated =
                    translator.notebook(Path::new(&name), english.clone()).expect("a notebook");
                assert_eq!(code_of(&translated), code_of(&english), "{name}");
                let text = |notebook: &Notebook| -> Vec<String> {
                    notebook.sources().map(|cell| cell.source).collect()
                };
                changed += usize::from(text(&translated) != text(&english));
            }
        }
        assert!(changed > 0, "nothing is translated");
    }
}
