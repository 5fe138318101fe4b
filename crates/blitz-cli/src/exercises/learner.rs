//! A learner's cells, made of a teacher's.

use super::regions::{self, Fault, HIDDEN_TESTS, MARK_SCHEME, Markers, SOLUTION};
use super::words::Words;
use crate::notebook::nbformat::{Notebook, joined, lines};
use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What a cell's metadata say for our tests alone: mistakes, among others.
const OURS: &str = "blitz";

/// The cells for a learner: without solutions, hidden tests, mark schemes, outputs and what is said for
/// our tests alone; those that are not to be changed are locked. Behind each check stands its folded
/// solution. What is added is in `words`.
///
/// # Errors
/// Markers that do not fit together, or that stand in a cell of another kind; with notebook, cell and
/// line.
pub fn cells(source: &Notebook, words: &Words) -> Result<Vec<Value>> {
    let (mut cells, mut solutions) = (Vec::new(), Vec::new());
    for cell in source.cells() {
        let id = cell["id"].as_str().unwrap_or("without id").to_owned();
        let is_check = marked(cell, "grade");
        let made = learners(cell, words, &mut solutions)
            .map_err(|fault| anyhow!("{}, cell {id}, {fault}", source.path().display()))?;
        cells.push(made);
        if is_check && !solutions.is_empty() {
            cells.push(folded(&format!("{id}-solution"), &solutions.join("\n\n"), words));
            solutions.clear();
        }
    }
    if !solutions.is_empty() {
        cells.push(folded("last-solution", &solutions.join("\n\n"), words));
    }
    Ok(cells)
}

/// The notebook for a class's teacher, to be kept in `path`: with solutions, and without what is said
/// for our tests alone.
///
/// # Errors
/// As for [`cells`]: a class shall not find out later.
pub fn teachers(source: &Notebook, path: PathBuf) -> Result<Notebook> {
    cells(source, &Words::default())?;
    let mut cells = source.cells().to_vec();
    for cell in &mut cells {
        if let Some(metadata) = cell["metadata"].as_object_mut() {
            metadata.shift_remove(OURS);
        }
    }
    Ok(source.with_cells(path, cells))
}

/// One cell; its solution, if it is one of code, is added to `solutions`.
fn learners(cell: &Value, words: &Words, solutions: &mut Vec<String>) -> Result<Value, Fault> {
    let mut text = joined(&cell["source"]);
    let is_code = cell["cell_type"] == "code";
    let is_solution = marked(cell, "solution");
    let stub = if is_code { words.stub() } else { words.text_stub() };
    let written = |indentation: &str, region: &[&str]| match is_code {
        true => regions::instead(indentation, region, &stub),
        false => vec![format!("{indentation}{stub}")],
    };
    let replaced = replace_in(&text, &SOLUTION, is_solution, "solution", written)?;
    if is_solution {
        let solution = regions::replace(&text, &SOLUTION, regions::solution)?;
        if is_code {
            solutions.push(solution.unwrap_or_else(|| text.clone()));
        }
        text = replaced.unwrap_or(stub);
    }
    let is_check = marked(cell, "grade");
    if let Some(shown) = replace_in(&text, &HIDDEN_TESTS, is_check, "grade", regions::nothing)? {
        text = shown;
    }
    let is_task = marked(cell, "task");
    if let Some(shown) = replace_in(&text, &MARK_SCHEME, is_task, "task", regions::nothing)? {
        text = shown;
    }
    let mut made = cell.clone();
    made["source"] = lines(&text);
    if is_code {
        made["outputs"] = json!([]);
        made["execution_count"] = Value::Null;
    }
    tidy_metadata(&mut made["metadata"], is_solution);
    Ok(made)
}

/// As [`regions::replace`], where a region is only allowed in a cell of its kind: in another one,
/// nbgrader would not know the cell.
fn replace_in(
    text: &str,
    markers: &Markers,
    is_of_kind: bool,
    mark: &str,
    replace: impl Fn(&str, &[&str]) -> Vec<String>,
) -> Result<Option<String>, Fault> {
    let replaced = regions::replace(text, markers, replace)?;
    if replaced.is_some() && !is_of_kind {
        return Err(Fault::misplaced(text, markers, mark));
    }
    Ok(replaced)
}

/// Locks what is not to be changed, as nbgrader does, and takes off what only the teacher's notebook
/// has.
fn tidy_metadata(metadata: &mut Value, is_solution: bool) {
    let Some(metadata) = metadata.as_object_mut() else { return };
    metadata.shift_remove(OURS);
    metadata.shift_remove("execution");
    let is_locked = metadata.get("nbgrader").is_some_and(|marks| {
        ["solution", "grade", "locked"].iter().any(|name| marks[*name] == true)
    });
    if is_locked {
        metadata.insert("deletable".to_owned(), false.into());
        if !is_solution {
            metadata.insert("editable".to_owned(), false.into());
        }
    }
}

/// A Markdown cell that shows `code` when it is unfolded.
fn folded(id: &str, code: &str, words: &Words) -> Value {
    // A fence that is longer than any in the code.
    let mut fence = "```".to_owned();
    while code.contains(&fence) {
        fence.push('`');
    }
    let title = words.solution();
    let text = format!(
        "<details><summary>{title}</summary>\n\n{fence}rust\n{code}\n{fence}\n\n</details>"
    );
    json!({"cell_type": "markdown", "id": id, "metadata": {"editable": false},
           "source": lines(&text)})
}

/// Whether nbgrader's metadata say that a cell is of a kind.
fn marked(cell: &Value, kind: &str) -> bool {
    cell["metadata"]["nbgrader"][kind] == true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notebook(cells: Value) -> Notebook {
        let json = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        Notebook::parse(PathBuf::from("exercises/01.ipynb"), &json.to_string()).expect("a notebook")
    }

    fn cell(kind: &str, id: &str, source: &str, grading: Value) -> Value {
        let mut cell = json!({"cell_type": kind, "id": id, "metadata": {}, "source": source});
        if !grading.is_null() {
            cell["metadata"]["nbgrader"] = grading;
        }
        if kind == "code" {
            cell["outputs"] = json!([{"output_type": "stream", "name": "stdout", "text": "28"}]);
            cell["execution_count"] = json!(3);
        }
        cell
    }

    #[test]
    fn a_learner_gets_stubs_visible_checks_and_folded_solutions() {
        let mut solution = cell(
            "code",
            "ex1",
            "fn one() -> i64 {\n    // BEGIN SOLUTION\n    1\n    // END SOLUTION\n}",
            json!({"solution": true, "locked": false}),
        );
        solution["metadata"]["blitz"] = json!({"mutations": [["1", "2"]]});
        let check = "check!(exercises, \"1\", {\n    one() => 1;\n    // BEGIN HIDDEN TESTS\n    \
                     one() + one() => 2;\n    // END HIDDEN TESTS\n});";
        let given = json!({"grade": false, "solution": false, "locked": true});
        let source = notebook(json!([
            cell("markdown", "title", "# Exercises", Value::Null),
            cell("code", "setup", "use blitz::prelude::*;", given),
            solution,
            cell("code", "ex1-check", check, json!({"grade": true, "locked": true, "points": 1})),
        ]));
        let made = cells(&source, &Words::default()).expect("well marked");
        let ids: Vec<&str> = made.iter().filter_map(|cell| cell["id"].as_str()).collect();
        assert_eq!(ids, ["title", "setup", "ex1", "ex1-check", "ex1-check-solution"]);
        let text = |index: usize| joined(&made[index]["source"]);
        assert_eq!(text(2), "fn one() -> i64 {\n    todo!(\"write this\")\n}");
        assert_eq!(text(3), "check!(exercises, \"1\", {\n    one() => 1;\n});");
        assert_eq!(
            text(4),
            "<details><summary>Solution</summary>\n\n```rust\nfn one() -> i64 {\n    1\n}\n```\n\n\
             </details>"
        );
        assert_eq!((&made[1]["outputs"], &made[1]["execution_count"]), (&json!([]), &Value::Null));
        let may = |index: usize, what: &str| made[index]["metadata"].get(what).is_none();
        assert!(may(0, "deletable") && may(0, "editable"));
        assert!(!may(1, "deletable") && !may(1, "editable"));
        assert!(!may(2, "deletable") && may(2, "editable") && may(2, "blitz"));
        assert!(!may(3, "deletable") && !may(3, "editable"));
    }

    #[test]
    fn markers_are_refused_where_they_do_not_belong_or_fit() {
        let told = |source: &str, grading: Value| {
            let source = notebook(json!([cell("code", "ex7", source, grading)]));
            cells(&source, &Words::default()).expect_err("badly marked").to_string()
        };
        let unended = told("a\n// BEGIN SOLUTION", json!({"solution": true}));
        assert!(unended.starts_with("exercises/01.ipynb, cell ex7, line 2: "), "{unended}");
        let region = "1;\n// BEGIN HIDDEN TESTS\n2;\n// END HIDDEN TESTS";
        let unmarked = told(region, json!({"locked": true}));
        assert!(unmarked.contains("cell ex7, line 2: ") && unmarked.contains("\"grade\": true"));
        let unmarked = told("// BEGIN SOLUTION\n1\n// END SOLUTION", Value::Null);
        assert!(unmarked.contains("\"solution\": true"), "{unmarked}");
    }

    #[test]
    fn an_answer_without_a_region_is_replaced_whole() {
        let solution = json!({"solution": true});
        let both = json!({"solution": true, "grade": true});
        let source = notebook(json!([
            cell("code", "a", "1 + 1", solution),
            cell("markdown", "b", "Two.", both)
        ]));
        let made = cells(&source, &Words::default()).expect("well marked");
        assert_eq!(joined(&made[0]["source"]), "todo!(\"write this\")");
        assert_eq!(joined(&made[1]["source"]), "YOUR ANSWER HERE");
        assert!(joined(&made[2]["source"]).contains("```rust\n1 + 1\n```"));
    }

    #[test]
    fn a_fence_in_the_solution_does_not_end_it() {
        let shown = joined(&folded("x", "/// ```\n/// f();\n/// ```", &Words::default())["source"]);
        assert!(shown.contains("````rust\n/// ```"), "{shown}");
    }
}
