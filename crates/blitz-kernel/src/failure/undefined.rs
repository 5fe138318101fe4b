//! Names that a failed cell would have defined: whoever uses one is told which cell to mend.

use super::COMPILE_ERROR;
use super::cell_error::{CellError, Line};
use super::defined::Defined;
use std::collections::HashMap;

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
    /// A cell has run that has `defined` this: its names are there.
    pub fn succeeded(&mut self, defined: &Defined) {
        for name in defined.names() {
            self.0.remove(&name);
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
            self.0.insert(name, Culprit { cell, compiled });
        }
    }

    fn notes(&self, shown: &str, variables: &[&str]) -> Vec<Line> {
        let mut names: Vec<&str> = Vec::new();
        for name in UNKNOWN.iter().flat_map(|begin| named_after(shown, begin)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let note = |name: &str| {
            // rustc finds those of the notebook in a cell's own lines.
            if variables.contains(&name) {
                return Some(Line::note(&format!(
                    "`{name}` is a variable of the notebook, which functions do not see: pass it as an argument"
                )));
            }
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
        assert_eq!(told(&mut undefined, unknown), "");
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
        assert_eq!(told(&mut undefined, unknown), "");
    }

    #[test]
    fn a_function_that_names_a_variable_of_the_notebook_is_told_so() {
        let mut undefined = Undefined::default();
        let note = told(&mut undefined, "cannot find value `four` in this scope");
        assert!(note.contains("`four` is a variable of the notebook"), "{note}");
        assert_eq!(told(&mut undefined, "cannot find value `five` in this scope"), "");
    }

    #[test]
    fn each_name_is_told_once() {
        let mut undefined = Undefined::default();
        undefined.failed(&Defined::by("struct Net {"), 2, &mut error("compile error", ""), &[]);
        let shown = "cannot find type `Net` in this scope\nuse of undeclared type `Net`";
        assert_eq!(told(&mut undefined, shown).matches("cell [2]").count(), 1);
    }
}
