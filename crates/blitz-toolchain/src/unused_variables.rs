//! A cell is spared the variables that it does not name.
//!
//! evcxr lets each cell take all variables of the notebook out of the store and put them back. Each costs
//! rustc a few instances of its type, and brings along all definitions that the type reaches.

use crate::absolute::{PUT, TAKE};
use crate::notebook::{self, words};
use std::collections::HashSet;
use std::ops::Range;

/// How the statement begins that checks a variable.
const CHECK: &str = "evcxr_vars_ok &= evcxr_variable_store.check_variable::<";
/// What stands between a variable's type and its name.
const NAMED: &str = ">(::std::stringify!(";

/// A statement that evcxr has written for a variable: its lines, and the variable.
struct Statement<'a> {
    lines: Range<usize>,
    variable: &'a str,
}

/// `source`, which has absolute names and all definitions, without the statements for variables that the
/// cell does not name. A definition cannot name a cell's variables. No line moves.
pub fn without_unused(source: &str) -> String {
    let lines: Vec<&str> = source.split('\n').collect();
    let statements = statements(&lines);
    let is_evcxrs: HashSet<usize> = statements.iter().flat_map(|it| it.lines.clone()).collect();
    let definitions = notebook::lines_of_definitions(source);
    let of_cell = |index: &usize| !is_evcxrs.contains(index) && !definitions.contains(index);
    let named: HashSet<&str> =
        (0..lines.len()).filter(of_cell).flat_map(|index| words(lines[index])).collect();
    let unused: HashSet<usize> = statements
        .into_iter()
        .filter(|it| !named.contains(it.variable.trim_start_matches("r#")))
        .flat_map(|it| it.lines)
        .collect();
    let line = |(index, line)| if unused.contains(&index) { "" } else { line };
    lines.into_iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// evcxr's statements that check, take and put variables.
fn statements<'a>(lines: &[&'a str]) -> Vec<Statement<'a>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        // A type that the person has written may have several lines.
        let end = (at..lines.len()).find(|&index| lines[index].contains(NAMED));
        if begins_statement(line)
            && let Some(end) = end
            && let Some(variable) = variable(lines[end])
        {
            found.push(Statement { lines: at..end + 1, variable });
            at = end;
        }
        at += 1;
    }
    found
}

/// Whether a line begins a statement by which evcxr checks, takes or puts a variable.
pub fn begins_statement(line: &str) -> bool {
    line.starts_with(CHECK)
        || line.starts_with(PUT)
        || line.starts_with("let ") && line.contains(TAKE)
}

/// The variable that the end of a statement names.
fn variable(line: &str) -> Option<&str> {
    let (_, rest) = line.rsplit_once(NAMED)?;
    rest.split_once(')').map(|(variable, _)| variable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use blitz_contract::marks;

    /// What evcxr writes of a cell with these variables, with absolute names.
    fn source(variables: &[(&str, &str)], cell: &str) -> String {
        let (begin, end) = (marks::BEGIN_DEFINITIONS, marks::END_DEFINITIONS);
        let mut text =
            format!("{begin}\nfn f(unused: i64) {{ unused + 1; }}\n{end}\nfn cell() {{\n");
        for (name, kind) in variables {
            text.push_str(&format!("{CHECK}{kind}{NAMED}{name}));\n"));
            text.push_str(&format!("let mut {name}{TAKE}{kind}{NAMED}{name}));\n"));
        }
        text.push_str(&format!("{cell}\n"));
        for (name, kind) in variables {
            text.push_str(&format!("{PUT}{kind}{NAMED}{name}), {name});\n"));
        }
        text + "}\n"
    }

    #[test]
    fn a_cell_has_the_variables_that_it_names_and_no_line_moves() {
        let variables =
            [("x", "Tensor"), ("unused", "Vec<\n  x::Y\n>"), ("r#type", "i64"), ("shown", "i64")];
        let whole = source(&variables, "f(x.dim(), r#type); println!(\"{shown}\");");
        let spared = without_unused(&whole);
        assert_eq!(spared.lines().count(), whole.lines().count());
        for (line, is) in whole.lines().zip(spared.lines()) {
            assert!(is == line || is.is_empty(), "{is}");
        }
        for name in ["x", "r#type", "shown"] {
            assert_eq!(spared.matches(&format!("{NAMED}{name})")).count(), 3, "{name}: {spared}");
        }
        assert!(!spared.contains("unused)") && !spared.contains("x::Y"), "{spared}");
        assert_eq!(without_unused("no marks"), "no marks");
    }
}
