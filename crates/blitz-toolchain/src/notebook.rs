//! A notebook's definitions, as the kernel writes them down for the compilation of a cell.
//!
//! evcxr keeps all definitions as one piece of text between two marks ([`marks::BEGIN_DEFINITIONS`]).
//! rustc sees in its place those that the cell can reach, at the crate's root, each on the lines that
//! it has in evcxr's text.

use anyhow::{Context, Result};
use blitz_contract::marks;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where it is written, below the build directory.
const FILE: &str = "notebook.json";

/// What the compilation of a cell has to know of the notebook.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Notebook {
    /// The definitions, in order.
    pub definitions: Vec<Definition>,
    /// Variables that exist no longer; the next cell that runs drops them.
    pub forgotten: Vec<String>,
    /// In the place of a cell: nothing is compiled.
    pub step: Option<Step>,
}

/// A definition.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Definition {
    /// What rustc sees of it: as many lines as evcxr has.
    pub source: String,
    /// A cell that has one of these words needs it.
    pub names: BTreeSet<String>,
    /// Every cell needs it.
    pub always: bool,
    /// The words in it, by which it needs others.
    pub words: BTreeSet<String>,
}

/// What the process that runs cells does in the place of one.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Tells steps apart: evcxr may send one twice.
    pub number: usize,
    /// A library of statics to load.
    pub load: Option<PathBuf>,
    /// Variables that evcxr shall take for lost.
    pub lost: Vec<String>,
}

impl Step {
    /// The step that stands in the place of a cell's `library`, if that is none.
    pub fn read(library: &Path) -> Option<Self> {
        let mut file = fs::File::open(library).ok()?;
        let mut first = [0];
        file.read_exact(&mut first).ok()?;
        (first == *b"{").then(|| serde_json::from_slice(&fs::read(library).ok()?).ok()).flatten()
    }
}

impl Notebook {
    /// Writes it down for the tools of the kernel that builds in `build_dir`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, build_dir: &Path) -> Result<()> {
        let path = build_dir.join(FILE);
        let text = serde_json::to_string(self).context("the definitions have no JSON form")?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// What the kernel has written down; nothing where it has not.
    pub fn load(build_dir: &Path) -> Self {
        let text = fs::read(build_dir.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// evcxr's `source` with the definitions that its cell can reach. No line moves.
    pub fn put_into(&self, source: &str) -> String {
        let Some((before, region, after)) = split(source) else { return source.to_owned() };
        let mut reached = self.reached(&format!("{before} {after}")).into_iter();
        let mut text = String::with_capacity(source.len());
        text.push_str(before);
        text.push('\n');
        for definition in &self.definitions {
            match reached.next() {
                Some(true) => text.push_str(&definition.source),
                _ => text.extend(definition.source.chars().filter(|it| *it == '\n')),
            }
            text.push('\n');
        }
        // Were the two not of one length, errors would be shown at other lines.
        let lines = |text: &str| text.matches('\n').count();
        let missing = (lines(before) + lines(region)).saturating_sub(lines(&text));
        text.extend(std::iter::repeat_n('\n', missing));
        text.push_str(after);
        text
    }

    /// For each definition, whether code with the words of `code` needs it.
    pub fn reached(&self, code: &str) -> Vec<bool> {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, definition) in self.definitions.iter().enumerate() {
            for name in &definition.names {
                by_name.entry(name).or_default().push(index);
            }
        }
        let mut reached = vec![false; self.definitions.len()];
        let mut waiting: Vec<usize> =
            (0..self.definitions.len()).filter(|index| self.definitions[*index].always).collect();
        waiting.extend(words(code).filter_map(|word| by_name.get(word)).flatten());
        while let Some(index) = waiting.pop() {
            if !std::mem::replace(&mut reached[index], true) {
                let words = self.definitions[index].words.iter();
                waiting.extend(words.filter_map(|word| by_name.get(word.as_str())).flatten());
            }
        }
        reached
    }
}

/// The words of `code`. Those of texts and comments count: a format string names what it shows.
pub fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// The lines of all definitions, with those of the marks, in evcxr's `source`.
pub fn lines_of_definitions(source: &str) -> Range<usize> {
    let lines = |text: &str| text.matches('\n').count();
    match split(source) {
        Some((before, region, _)) => lines(before)..lines(before) + lines(region) + 1,
        None => 0..0,
    }
}

/// `source` before, between and behind the marks. The marks' lines belong to the middle.
fn split(source: &str) -> Option<(&str, &str, &str)> {
    let start = source.find(marks::BEGIN_DEFINITIONS)?;
    let end = start + source[start..].find(marks::END_DEFINITIONS)? + marks::END_DEFINITIONS.len();
    Some((&source[..start], &source[start..end], &source[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(source: &str, names: &[&str]) -> Definition {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let words = words(source).map(str::to_owned).collect();
        Definition { source: source.to_owned(), names, words, always: false }
    }

    #[test]
    fn a_cell_gets_what_it_reaches_on_the_same_lines() {
        let notebook = Notebook {
            definitions: vec![
                definition("struct A {\n    b: B,\n}", &["A"]),
                definition("struct B;", &["B"]),
                definition("impl Show for A {\n}", &["A"]),
                definition("fn other() {\n    A;\n}", &["other"]),
            ],
            ..Notebook::default()
        };
        let evcxr = |cell: &str| {
            let text = "struct A {\n    b: B,\n}\nstruct B;\nimpl Show for A {\n}\nfn other() {\n    A;\n}\n";
            let (begin, end) = (marks::BEGIN_DEFINITIONS, marks::END_DEFINITIONS);
            format!("#![allow()]\n{begin}\n{text}{end}\n{cell}")
        };
        let put = |cell: &str| notebook.put_into(&evcxr(cell));
        let expected = "#![allow()]\n\nstruct A {\n    b: B,\n}\nstruct B;\nimpl Show for A {\n}\n\n\n\n\nx(A)";
        assert_eq!(put("x(A)"), expected);
        assert_eq!(put("B"), "#![allow()]\n\n\n\n\nstruct B;\n\n\n\n\n\n\nB");
        for cell in ["x(A)", "B", "1", "other"] {
            let lines = |text: &str| text.matches('\n').count();
            assert_eq!(lines(&put(cell)), lines(&evcxr(cell)), "{cell}");
        }
        assert_eq!(notebook.put_into("no marks"), "no marks");
    }
}
