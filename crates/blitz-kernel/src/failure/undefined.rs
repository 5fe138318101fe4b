//! Names that a failed cell would have defined: whoever uses one is told which cell to mend.

use super::COMPILE_ERROR;
use super::cell_error::{CellError, Line};
use std::collections::HashMap;

/// What stands before a name that is defined.
const DEFINING: [&str; 11] = [
    "fn",
    "struct",
    "enum",
    "union",
    "trait",
    "type",
    "const",
    "static",
    "mod",
    "let",
    "macro_rules",
];

// Not translated: rustc's words.
/// How rustc begins to say that it does not know a name, which follows between backticks.
const UNKNOWN: [&str; 3] = ["cannot find ", "use of undeclared ", "use of unresolved "];

/// The names that failed cells would have defined, and no cell since.
#[derive(Default)]
pub struct Undefined(HashMap<String, Culprit>);

/// A cell that failed.
#[derive(Clone, Copy)]
struct Culprit {
    cell: usize,
    compiled: bool,
}

impl Undefined {
    /// A cell has run `code`: its names are there.
    pub fn succeeded(&mut self, code: &str) {
        for name in defined(code) {
            self.0.remove(name);
        }
    }

    /// The cell with the execution count `cell` has failed with `error`, to which notes are added
    /// where earlier cells are to blame.
    pub fn failed(&mut self, code: &str, cell: usize, error: &mut CellError) {
        error.extend(self.notes(&error.text()));
        // What failed for want of a name is mended by the cell that has it.
        let compiled = error.name != COMPILE_ERROR;
        for name in defined(code) {
            self.0.insert(name.to_owned(), Culprit { cell, compiled });
        }
    }

    fn notes(&self, shown: &str) -> Vec<Line> {
        let mut names: Vec<&str> = Vec::new();
        for name in UNKNOWN.iter().flat_map(|begin| named_after(shown, begin)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let note = |name: &str| {
            let Culprit { cell, compiled } = self.0.get(name)?;
            let why = if *compiled { "ended with an error" } else { "did not compile" };
            Some(Line::note(&format!(
                "`{name}` stands in cell [{cell}], which {why}. Mend and run that one first."
            )))
        };
        names.into_iter().filter_map(note).collect()
    }
}

/// The names that stand between backticks behind each `begin`, in the same line.
fn named_after<'a>(shown: &'a str, begin: &'a str) -> impl Iterator<Item = &'a str> {
    shown.match_indices(begin).filter_map(move |(at, _)| {
        let line = shown[at..].lines().next()?;
        line.split('`').nth(1)
    })
}

/// The names that `code` would define. It may be anything, code that does not parse, too: a word too
/// many does no harm.
fn defined(code: &str) -> impl Iterator<Item = &str> {
    let mut expects_name = false;
    blitz_toolchain::notebook::words(code).filter(move |word| {
        let is_modifier = matches!(*word, "mut" | "ref") && expects_name;
        let is_name = expects_name && !is_modifier && !DEFINING.contains(word);
        expects_name = DEFINING.contains(word) || is_modifier;
        is_name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str, text: &str) -> CellError {
        let mut error = CellError::shown(name, String::new());
        error.extend([Line::shown(text)]);
        error
    }

    fn told(undefined: &mut Undefined, text: &str) -> String {
        let mut error = error("compile error", text);
        undefined.failed("", 9, &mut error);
        error.text().split_once('\n').map_or(String::new(), |it| it.1.to_owned())
    }

    #[test]
    fn what_a_cell_defines_is_what_follows_its_keywords() {
        let code = "let mut x = 1;\nfn f<T>() {}\nmacro_rules! m { () => {} }\nstruct S;";
        assert_eq!(defined(code).collect::<Vec<_>>(), ["x", "f", "m", "S"]);
        assert_eq!(defined("fn broken( { let").collect::<Vec<_>>(), ["broken"]);
    }

    #[test]
    fn a_name_of_a_cell_that_failed_is_told_with_that_cell() {
        let mut undefined = Undefined::default();
        let unknown = "cannot find function `twice` in this scope";
        assert_eq!(told(&mut undefined, unknown), "");
        undefined.failed("fn twice() {", 3, &mut error("compile error", "expected a brace"));
        undefined.failed("let y = f();", 4, &mut error("panic", "no"));
        let note = told(&mut undefined, unknown);
        assert!(note.contains("`twice` stands in cell [3], which did not compile"), "{note}");
        let note = told(&mut undefined, "cannot find value `y` in this scope");
        assert!(note.contains("`y` stands in cell [4], which ended with an error"), "{note}");
        undefined.succeeded("fn twice() {}");
        assert_eq!(told(&mut undefined, unknown), "");
    }

    #[test]
    fn each_name_is_told_once() {
        let mut undefined = Undefined::default();
        undefined.failed("struct Net {", 2, &mut error("compile error", ""));
        let shown = "cannot find type `Net` in this scope\nuse of undeclared type `Net`";
        assert_eq!(told(&mut undefined, shown).matches("cell [2]").count(), 1);
    }
}
