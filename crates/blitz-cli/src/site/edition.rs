//! The site in one language: what Sphinx is given.

use super::anchors;
use super::book::Book;
use super::document::{self, Pictures};
use super::downloads;
use super::output;
use super::source::{Document, Source};
use super::words::{self, Words};
use crate::exercises;
use crate::files::write_atomically;
use crate::notebook::nbformat::Notebook;
use crate::notebook::{formulas, headings};
use crate::program;
use crate::project::Project;
use crate::translation::language::Language;
use crate::translation::translator::Translator;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The language of the source.
const ENGLISH: &str = "en";
/// Exercises lie here, on the site and in the repository.
const EXERCISES: &str = "exercises";
/// A page's links to the exercises: where learners have theirs, and where the site has them.
const LINKS: [(&str, &str); 2] =
    [("](my_exercises/", "](exercises/"), ("](../README.md", "](../index.md")];

/// The site in one language.
pub struct Edition {
    /// Of the pages: `en`, `zh_CN`.
    pub language: String,
    /// Its folder on the site: empty, or `zh/`.
    pub dir: String,
    /// The site's own words.
    pub words: Words,
    exercise_words: exercises::Words,
    /// The words of programs.
    pub program_words: program::Words,
    translator: Option<Translator>,
}

impl Edition {
    /// English, and what it is translated into.
    ///
    /// # Errors
    /// A catalogue or a page cannot be read.
    pub fn all(project: &Project) -> Result<Vec<Edition>> {
        let path = project.path(words::PATH);
        let english =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut editions = vec![Edition {
            language: ENGLISH.to_owned(),
            dir: String::new(),
            words: words::read(&english)?,
            exercise_words: exercises::Words::default(),
            program_words: program::Words::default(),
            translator: None,
        }];
        for language in Language::all(project) {
            let translator = Translator::new(project, language)?;
            let words = translator.markdown(Path::new(words::PATH), &english)?;
            editions.push(Edition {
                language: translator.language().name().to_owned(),
                dir: format!("{}/", translator.language().short_name()),
                words: words::read(&words)?,
                exercise_words: translator.language().exercise_words(),
                program_words: translator.language().program_words(),
                translator: Some(translator),
            });
        }
        Ok(editions)
    }

    /// The language as HTML names it: `zh-CN`.
    pub fn code(&self) -> String {
        self.translator.as_ref().map_or_else(|| self.language.clone(), |it| it.language().tag())
    }

    /// The notebook `name` in this language; an exercise as learners get it.
    ///
    /// # Errors
    /// Its catalogue cannot be read, or an exercise is badly marked.
    pub fn notebook(&self, name: &Path, english: &Notebook) -> Result<Notebook> {
        let notebook = match &self.translator {
            Some(translator) => translator.notebook(name, english.clone())?,
            None => english.clone(),
        };
        match is_exercise(name) {
            true => exercises::learners(&notebook, notebook.path(), &self.exercise_words),
            false => Ok(notebook),
        }
    }

    fn markdown(&self, name: &Path, english: &str) -> Result<String> {
        match &self.translator {
            Some(translator) => translator.markdown(name, english),
            None => Ok(english.to_owned()),
        }
    }

    /// Writes the pages for Sphinx into `dir`.
    ///
    /// # Errors
    /// A page cannot be read or written, or shows a picture that is not there.
    pub fn write(&self, source: &Source, all: &[Edition], book: Book, dir: &Path) -> Result<()> {
        let mut anchors = Map::new();
        let mut downloads = Map::new();
        for (name, notebook) in pages(source) {
            let place = name.to_string_lossy().into_owned();
            anchors.insert(place.clone(), json!(anchors::of_notebook(notebook)));
            downloads.insert(place, downloads::of_page(&name));
            let page = on_site(self.notebook(&name, notebook)?);
            page.write(&dir.join(name.with_extension("ipynb")))?;
        }
        let mut pictures = Pictures::new();
        for document in &source.documents {
            let english = self.completed(document, &document.text, source, None)?;
            anchors.insert(document.place.clone(), json!(anchors::of_markdown(&english)));
            let text = self.markdown(&document.path, &document.text)?;
            let mut text = self.completed(document, &text, source, Some(&mut pictures))?;
            if document.place == "downloads" && book == Book::Printed {
                text += &downloads::of_book(self);
            }
            write_atomically(&dir.join(format!("{}.md", document.place)), text.as_bytes())?;
        }
        for (path, picture) in pictures {
            write_atomically(&dir.join(path), &picture.contents)?;
        }
        let settings = self.settings(all, anchors, downloads);
        write_atomically(&dir.join("site.json"), settings.to_string().as_bytes())
    }

    /// A Markdown page with what is added to it here.
    fn completed(
        &self,
        document: &Document,
        text: &str,
        source: &Source,
        pictures: Option<&mut Pictures>,
    ) -> Result<String> {
        let mut unused = Pictures::new();
        let pictures = pictures.unwrap_or(&mut unused);
        let mut text = document::on_site(text, &document.path, source, pictures)?;
        match document.place.as_str() {
            "index" => text += &self.contents(source),
            "python_to_rust" => text += &self.tables(source)?,
            "downloads" => text += &downloads::list(source, self)?,
            _ => {}
        }
        Ok(text)
    }

    /// All pages in groups, for Sphinx.
    fn contents(&self, source: &Source) -> String {
        let group = |caption: &str, names: Vec<String>| {
            let caption = &self.words[caption];
            format!(
                "\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{}\n```",
                names.join("\n")
            )
        };
        let names =
            |notebooks: &[Notebook]| notebooks.iter().map(Notebook::name).collect::<Vec<_>>();
        let (depth, chapters): (Vec<String>, Vec<String>) =
            names(&source.chapters).into_iter().partition(|name| name.starts_with('a'));
        let exercises =
            names(&source.exercises).iter().map(|it| format!("{EXERCISES}/{it}")).collect();
        let documents = source.documents.iter().filter(|it| it.place != "index");
        let reference = documents.map(|it| it.place.clone()).collect();
        group("chapters", chapters)
            + &group("depth", depth)
            + &group("exercises", exercises)
            + &group("reference", reference)
            + "\n"
    }

    /// The tables "Python → Rust" of all pages, below their titles.
    fn tables(&self, source: &Source) -> Result<String> {
        let field = format!(
            "\n\n<p class=\"blitz-field\"><label for=\"blitz-filter\">{}</label> \
             <input type=\"search\" id=\"blitz-filter\"></p>\n",
            self.words["filter"]
        );
        let mut text = field;
        for chapter in &source.chapters {
            let page = self.notebook(Path::new(&chapter.name()), chapter)?;
            let markdown: Vec<String> =
                page.sources().filter(|it| !it.is_code).map(|it| it.source).collect();
            let tables: Vec<String> = markdown.iter().flat_map(|it| tables_to_rust(it)).collect();
            let title = headings::title(&page);
            if let (false, Some(title)) = (tables.is_empty(), title) {
                text += &format!("\n## {title}\n\n{}\n", tables.join("\n\n"));
            }
        }
        Ok(text)
    }

    fn settings(
        &self,
        all: &[Edition],
        anchors: Map<String, Value>,
        downloads: Map<String, Value>,
    ) -> Value {
        let languages = all.iter().map(|it| {
            json!({"language": it.language, "code": it.code(), "dir": it.dir, "name": it.words["language"]})
        });
        let is_cjk = ["zh", "ja", "ko"].iter().any(|it| self.language.starts_with(it));
        json!({
            "language": self.language,
            "is_cjk": is_cjk,
            "root": if self.dir.is_empty() { "" } else { "../" },
            "words": self.words,
            "languages": languages.collect::<Vec<_>>(),
            "anchors": anchors,
            "downloads": downloads,
        })
    }
}

/// The notebooks of the site by their names.
pub fn pages(source: &Source) -> impl Iterator<Item = (PathBuf, &Notebook)> {
    let chapters = source.chapters.iter().map(|it| (PathBuf::from(it.name()), it));
    chapters.chain(source.exercises.iter().map(|it| (Path::new(EXERCISES).join(it.name()), it)))
}

/// Whether the notebook `name` is one of exercises.
pub fn is_exercise(name: &Path) -> bool {
    name.starts_with(EXERCISES)
}

/// A notebook as Sphinx shows it.
fn on_site(mut notebook: Notebook) -> Notebook {
    notebook.set_language();
    notebook.edit_sources(|source, is_code| match is_code {
        true => source.to_owned(),
        false => {
            LINKS.iter().fold(formulas::render(source), |text, (old, new)| text.replace(old, new))
        }
    });
    output::describe_pictures(&mut notebook);
    notebook
}

/// The tables in `markdown` whose last column is Rust.
fn tables_to_rust(markdown: &str) -> Vec<String> {
    let mut tables: Vec<Vec<&str>> = Vec::new();
    let mut is_inside = false;
    for line in markdown.lines() {
        let is_row = line.starts_with('|');
        if is_row && !is_inside && line.ends_with("| Rust |") {
            tables.push(Vec::new());
            is_inside = true;
        }
        is_inside &= is_row;
        if let (true, Some(table)) = (is_inside, tables.last_mut()) {
            table.push(line);
        }
    }
    tables.into_iter().map(|table| table.join("\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_to_rust_are_those_whose_last_column_is_rust() {
        let text = "| Sizes | Rust |\n|---|---|\n| `a` | `b` |\n\n| Rust | Python |\n|---|---|\n| x | y |\n\n\
                    Text.\n\n| More | Rust |\n|---|---|\n| c \\| d | e |";
        let tables = tables_to_rust(text);
        assert_eq!(tables[0], "| Sizes | Rust |\n|---|---|\n| `a` | `b` |");
        assert_eq!(tables[1], "| More | Rust |\n|---|---|\n| c \\| d | e |");
        assert_eq!(tables.len(), 2);
    }
}
