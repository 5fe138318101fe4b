//! Names that are not there: whoever uses one is told which cell would have defined it and is to be mended,
//! or has moved it, or that none has run that defines it.

use super::COMPILE_ERROR;
use super::cell_error::{CellError, Line};
use super::defined::Defined;
use crate::syntax::tokens;
use ra_ap_syntax::SyntaxKind;
use std::collections::{HashMap, HashSet};

// Not translated: rustc's words.
/// How rustc begins to say that it does not know a name, which follows between backticks.
const UNKNOWN: [&str; 3] = ["cannot find ", "use of undeclared ", "use of unresolved "];

/// What shows that rustc, or we, know what was meant.
// Not translated: rustc's words.
const ADVICE: [&str; 3] = ["help", "similar name", "did you mean"];

/// The names that are not there, and why.
#[derive(Default)]
pub struct Undefined {
    /// Those that failed cells would have defined, and no cell since.
    failed: HashMap<String, Culprit>,
    /// The variables that cells have moved, with the execution counts of those.
    moved: HashMap<String, usize>,
    /// The variables that there are.
    present: HashSet<String>,
}

/// A cell that failed.
#[derive(Clone, Copy)]
struct Culprit {
    cell: usize,
    compiled: bool,
}

impl Undefined {
    /// The cell `code`, whose execution count is `cell`, has come to its end, and there are `variables` now.
    pub fn ended(&mut self, code: &str, cell: usize, variables: &[&str]) {
        let is_there = |name: &String| variables.contains(&name.as_str());
        let gone: Vec<String> = self.present.iter().filter(|it| !is_there(it)).cloned().collect();
        // A type that has changed takes what the cell does not name.
        if !gone.is_empty() {
            let used: HashSet<String> = tokens(code)
                .iter()
                .filter(|token| token.kind() == SyntaxKind::IDENT)
                .map(|token| token.text().to_owned())
                .collect();
            self.moved.extend(gone.into_iter().filter(|it| used.contains(it)).map(|it| (it, cell)));
        }
        self.moved.retain(|name, _| !is_there(name));
        self.present = variables.iter().map(|&name| name.to_owned()).collect();
    }

    /// All variables are gone, with the process that had them.
    pub fn lost(&mut self) {
        self.moved.clear();
        self.present.clear();
    }

    /// A cell has run that has `defined` this: its names are there.
    pub fn succeeded(&mut self, defined: &Defined) {
        for name in defined.names() {
            self.failed.remove(&name);
        }
    }

    /// The cell with the execution count `cell`, which would have `defined` this, has failed with
    /// `error`, to which notes are added where earlier cells are to blame, or a function names one of the
    /// notebook's `variables`.
    pub fn failed(
        &mut self,
        defined: &Defined,
        cell: usize,
        error: &mut CellError,
        variables: &[&str],
    ) {
        error.extend(self.notes(&error.text(), variables));
        // What failed for want of a name is mended by the cell that has it.
        let compiled = error.name != COMPILE_ERROR;
        for name in defined.names() {
            self.failed.insert(name, Culprit { cell, compiled });
        }
    }

    fn notes(&self, shown: &str, variables: &[&str]) -> Vec<Line> {
        let mut names: Vec<&str> = Vec::new();
        for name in UNKNOWN.iter().flat_map(|begin| named_after(shown, begin)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let mut notes: Vec<Line> = names.iter().filter_map(|it| self.note(it, variables)).collect();
        // Where nobody knows better.
        if let [name, ..] = names[..]
            && notes.is_empty()
            // A path says where it should be.
            && shown.contains(&format!("`{name}` in this scope"))
            && !ADVICE.iter().any(|it| shown.contains(it))
        {
            notes.push(Line::note(&format!(
                "nothing that has run defines `{name}` now. If a cell above does, run it first: after a \
                 restart, none has run"
            )));
        }
        notes
    }

    fn note(&self, name: &str, variables: &[&str]) -> Option<Line> {
        // rustc finds those of the notebook in a cell's own lines.
        if variables.contains(&name) {
            return Some(Line::note(&format!(
                "`{name}` is a variable of the notebook, which functions do not see: pass it as an argument"
            )));
        }
        if let Some(Culprit { cell, compiled }) = self.failed.get(name) {
            let why = if *compiled { "ended with an error" } else { "did not compile" };
            return Some(Line::note(&format!(
                "`{name}` stands in cell [{cell}], which {why}. Mend and run that one first."
            )));
        }
        let Some(cell) = self.moved.get(name) else {
            // rustc does not see variables that the cell does not name.
            let similar = similar(name, variables)?;
            return Some(Line::note(&format!(
                "the notebook has a variable with a similar name, `{similar}`"
            )));
        };
        Some(Line::note(&format!(
            "`{name}` was moved in cell [{cell}]. Lend it there (`&{name}`), or a copy, and run the cell again \
             that makes it."
        )))
    }
}

/// The name that is most like `name`, by rustc's measure of what may be a slip.
fn similar<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let most = name.chars().count().max(3) / 3;
    let distance = |other: &&str| strsim::damerau_levenshtein(name, other);
    names.iter().copied().filter(|it| distance(it) <= most).min_by_key(distance)
}

/// The names that stand between backticks behind each `begin`, in the same line.
fn named_after<'a>(shown: &'a str, begin: &'a str) -> impl Iterator<Item = &'a str> {
    shown.match_indices(begin).filter_map(move |(at, _)| {
        let line = shown[at..].lines().next()?;
        line.split('`').nth(1)
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
        undefined.failed(&Defined::default(), 9, &mut error, &["four"]);
        error.text().split_once('\n').map_or(String::new(), |it| it.1.to_owned())
    }

    #[test]
    fn a_name_of_a_cell_that_failed_is_told_with_that_cell() {
        let mut undefined = Undefined::default();
        let unknown = "cannot find function `twice` in this scope";
        undefined.failed(
            &Defined::by("fn twice() {"),
            3,
            &mut error("compile error", "expected a brace"),
            &[],
        );
        undefined.failed(&Defined::by("let y = f();"), 4, &mut error("panic", "no"), &[]);
        let note = told(&mut undefined, unknown);
        assert!(note.contains("`twice` stands in cell [3], which did not compile"), "{note}");
        let note = told(&mut undefined, "cannot find value `y` in this scope");
        assert!(note.contains("`y` stands in cell [4], which ended with an error"), "{note}");
        undefined.succeeded(&Defined::by("fn twice() {}"));
        assert!(!told(&mut undefined, unknown).contains("stands in cell"));
    }

    #[test]
    fn a_function_that_names_a_variable_of_the_notebook_is_told_so() {
        let mut undefined = Undefined::default();
        let note = told(&mut undefined, "cannot find value `four` in this scope");
        assert!(note.contains("`four` is a variable of the notebook"), "{note}");
        let note = told(&mut undefined, "cannot find value `five` in this scope");
        assert!(note.contains("nothing that has run defines `five`"), "{note}");
        let note = told(&mut undefined, "cannot find value `fuor` in this scope");
        assert!(note.contains("a variable with a similar name, `four`"), "{note}");
        // Somebody knows better.
        let typo = "cannot find value `flour2` in this scope\nhelp: a variable with a similar name";
        assert!(!told(&mut undefined, typo).contains("nothing that has run"));
        let path = told(&mut undefined, "cannot find function `relu` in module `nn`");
        assert_eq!(path, "");
    }

    #[test]
    fn a_variable_that_a_cell_has_moved_is_told_with_that_cell() {
        let mut undefined = Undefined::default();
        let unknown = "cannot find value `x` in this scope";
        undefined.ended("let x = f(); let y = 1;", 1, &["x", "y"]);
        undefined.ended("let z = g(x);", 2, &["y", "z"]);
        undefined.ended("drop((y, z));", 3, &[]);
        let note = told(&mut undefined, "cannot find value `z` in this scope");
        assert!(note.contains("`z` was moved in cell [3]"), "{note}: the last one");
        let note = told(&mut undefined, unknown);
        assert!(note.contains("`x` was moved in cell [2]. Lend it there (`&x`)"), "{note}");
        undefined.ended("let x = f();", 4, &["x", "y", "z"]);
        undefined.ended("struct S; // not x", 5, &["y", "z"]);
        assert!(!told(&mut undefined, unknown).contains("was moved"), "a type has changed");
        undefined.lost();
        let note = told(&mut undefined, "cannot find value `y` in this scope");
        assert!(!note.contains("was moved"), "{note}: the process has ended");
    }

    #[test]
    fn each_name_is_told_once() {
        let mut undefined = Undefined::default();
        undefined.failed(&Defined::by("struct Net {"), 2, &mut error("compile error", ""), &[]);
        let shown = "cannot find type `Net` in this scope\nuse of undeclared type `Net`";
        assert_eq!(told(&mut undefined, shown).matches("cell [2]").count(), 1);
    }
}
