//! The diagnostics of a cell that evcxr writes once more in another form.
//!
//! A cell that does not compile, evcxr compiles again: with another way of showing its last expression, and
//! then without catching its panics, for better words about what closures borrow. Where the first errors are
//! about names and types, the others would be the same, at other lines. So they are not asked for.

use crate::absolute::{self, ENTRY, SEND};
use crate::messages;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

/// Where the last failure waits, below the build directory.
const FILE: &str = "failed.json";
/// The beginnings of the codes of errors about names and types: the compiler stops at those before it looks
/// at what is borrowed or moved.
const OF_NAMES_AND_TYPES: [&str; 2] = ["E03", "E04"];
/// Codes that begin so and are about borrows and moves, or lead evcxr to another form that may compile.
const NOT_OF_TYPES: [&str; 10] =
    ["E0373", "E0381", "E0382", "E0383", "E0384", "E0385", "E0386", "E0387", "E0388", "E0499"];
/// Further codes of errors about names and types.
const FURTHER: [&str; 9] =
    ["E0061", "E0107", "E0277", "E0282", "E0283", "E0560", "E0599", "E0609", "E0614"];
/// How evcxr ends the first form, and begins and ends the second.
const SHOWN: &str = ").evcxr_display();";
const SENT: (&str, &str) = ("evcxr_send_text_plain(&format!(", ")));");
const OPENING: &str = "(";

/// A cell that did not compile.
#[derive(Deserialize, Serialize)]
struct Failure {
    /// evcxr's source.
    source: String,
    /// rustc's diagnostics, one a line.
    lines: String,
}

/// Forgets the last failure: another cell begins.
pub fn forget(build_dir: &Path) {
    let _ = fs::remove_file(build_dir.join(FILE));
}

/// Notes that `source`, as evcxr wrote it, does not compile, if another form of it cannot either. Best
/// effort: without it, rustc is asked again.
pub fn note(build_dir: &Path, source: &str, lines: &str) {
    forget(build_dir);
    if !is_about_names_and_types(lines) {
        return;
    }
    let failure = Failure { source: source.to_owned(), lines: lines.to_owned() };
    if let Ok(text) = serde_json::to_string(&failure) {
        let _ = fs::write(build_dir.join(FILE), text);
    }
}

/// rustc's diagnostics of `source`, if it is another form of the cell that failed before.
pub fn diagnostics(build_dir: &Path, source: &str) -> Option<String> {
    let text = fs::read_to_string(build_dir.join(FILE)).ok()?;
    let failure: Failure = serde_json::from_str(&text).ok()?;
    let lines = same_lines(&failure.source, source)?;
    let moved = |line: &str| {
        let mut diagnostic: Value = serde_json::from_str(line).ok()?;
        move_spans(&mut diagnostic, &lines)?;
        Some(diagnostic.to_string())
    };
    failure.lines.lines().map(moved).collect::<Option<Vec<_>>>().map(|lines| lines.join("\n"))
}

fn is_about_names_and_types(lines: &str) -> bool {
    messages::all_errors_are(lines, |code| {
        let begins = OF_NAMES_AND_TYPES.iter().any(|start| code.starts_with(start));
        (begins && !NOT_OF_TYPES.contains(&code)) || FURTHER.contains(&code)
    })
}

/// For each line of `before`, from 1, the line of `now` that is the same, if both are forms of one cell.
fn same_lines(before: &str, now: &str) -> Option<HashMap<u64, u64>> {
    let (olds, news): (Vec<&str>, Vec<&str>) =
        (before.split('\n').collect(), now.split('\n').collect());
    let head = |lines: &[&str]| lines.iter().rposition(|line| line.starts_with(ENTRY));
    let (head, other) = (head(&olds)?, head(&news)?);
    if olds[..head] != news[..other] {
        return None;
    }
    let olds = written(&olds, absolute::lines_of_cell(before)?);
    let news = written(&news, absolute::lines_of_cell(now)?);
    let mut same: HashMap<u64, u64> = (0..head).map(|line| (number(line), number(line))).collect();
    let (mut olds, mut news) = (olds.into_iter().peekable(), news.into_iter().peekable());
    loop {
        match (olds.peek(), news.peek()) {
            (None, None) => return Some(same),
            (Some(old), Some(new)) if old.1 == new.1 => {
                same.insert(number(old.0), number(new.0));
                olds.next();
                news.next();
            }
            // The bracket around the last expression, which is in one of the forms alone.
            (Some((_, OPENING)), _) => drop(olds.next()),
            (_, Some((_, OPENING))) => drop(news.next()),
            _ => return None,
        }
    }
}

fn number(line: usize) -> u64 {
    line as u64 + 1
}

/// The lines of a cell that its author has written, with their places from 0.
fn written<'a>(lines: &[&'a str], cell: Range<usize>) -> Vec<(usize, &'a str)> {
    let mut cell: Vec<(usize, &str)> = cell.map(|at| (at, lines[at])).collect();
    cell.retain(|(_, line)| !line.is_empty());
    let ends_with = |cell: &[(usize, &str)], end| cell.last().is_some_and(|it| it.1 == end);
    if ends_with(&cell, SHOWN) {
        cell.pop();
    } else if ends_with(&cell, SENT.1)
        && let Some(sent) = cell.iter().rposition(|(_, line)| line.starts_with(SENT.0))
    {
        let send: Vec<&str> = SEND.lines().filter(|line| !line.is_empty()).collect();
        cell.pop();
        if let Some(start) = sent.checked_sub(send.len())
            && cell[start..sent].iter().map(|it| it.1).eq(send)
        {
            cell.drain(start..=sent);
        }
    }
    cell
}

/// Moves the places in a diagnostic. `None` where it is about a line that has no place.
fn move_spans(message: &mut Value, lines: &HashMap<u64, u64>) -> Option<()> {
    if let Some(spans) = message["spans"].as_array_mut() {
        let mut kept = Vec::new();
        for mut span in std::mem::take(spans) {
            match move_span(&mut span, lines) {
                Some(()) => kept.push(span),
                // What surrounds the cell says nothing.
                None if span["is_primary"] == true => return None,
                None => {}
            }
        }
        *spans = kept;
    }
    for child in message["children"].as_array_mut().into_iter().flatten() {
        move_spans(child, lines)?;
    }
    Some(())
}

fn move_span(span: &mut Value, lines: &HashMap<u64, u64>) -> Option<()> {
    if span["file_name"] != "src/lib.rs" {
        return Some(());
    }
    if !span["expansion"].is_null() {
        move_span(&mut span["expansion"]["span"], lines)?;
    }
    for end in ["line_start", "line_end"] {
        span[end] = Value::from(*lines.get(&span[end].as_u64()?)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// evcxr's two ways to show the last expression of a cell.
    fn forms(cell: &str, last: &str) -> [String; 2] {
        let form = |cell: &str| {
            format!(
                "use a;\n{ENTRY}3(\nevcxr_variable_store: *mut u8) -> *mut u8 {{\n\
                 if std::panic::catch_unwind(||{{\n{cell}}}).is_err() {{\n    \
                 println!(\"EVCXR_PANIC_NOTIFICATION\");\n}}\nevcxr_variable_store\n}}\n"
            )
        };
        [
            form(&format!("{cell}(\n{last}\n{SHOWN}\n")),
            form(&format!("{cell}{SEND}{}\"{{:?}}\",&(\n\n{last}\n{}\n", SENT.0, SENT.1)),
        ]
    }

    fn error(code: &str, line: usize) -> String {
        let span = json!({"file_name": "src/lib.rs", "is_primary": true, "line_start": line,
                          "line_end": line, "column_start": 3, "expansion": null});
        let around = json!({"file_name": "src/lib.rs", "is_primary": false, "line_start": line - 1,
                            "line_end": line, "column_start": 1, "expansion": null});
        json!({"level": "error", "code": {"code": code}, "message": "no", "spans": [around, span],
               "children": []})
        .to_string()
    }

    fn line_of(source: &str, text: &str) -> usize {
        1 + source.lines().position(|line| line == text).expect("the line is there")
    }

    #[test]
    fn the_second_form_of_a_cell_has_the_errors_of_the_first_at_its_own_lines() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let dir = dir.path();
        let [first, second] = forms("let y = 1;\n", "x.dimm(\n(\n1)\n)");
        note(dir, &first, &error("E0599", line_of(&first, "x.dimm(")));
        let told: Value = serde_json::from_str(&diagnostics(dir, &second).expect("they are known"))
            .expect("a diagnostic");
        let spans = told["spans"].as_array().expect("spans");
        assert_eq!(spans.len(), 1, "{told}");
        assert_eq!(spans[0]["line_start"], line_of(&second, "x.dimm("));
        // Another cell, or the same with a line more, is another thing.
        for (cell, last) in [("let y = 2;\n", "x.dimm(\n(\n1)\n)"), ("let y = 1;\n", "x.dim()")] {
            assert_eq!(diagnostics(dir, &forms(cell, last)[1]), None);
        }
        assert_eq!(diagnostics(dir, &second.replace("use a;", "use b;")), None);
        forget(dir);
        assert_eq!(diagnostics(dir, &second), None);
    }

    #[test]
    fn errors_of_borrows_and_of_what_surrounds_a_cell_are_asked_for_again() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let dir = dir.path();
        let [first, second] = forms("", "x.dimm()");
        let line = line_of(&first, "x.dimm()");
        for code in ["E0382", "E0505", ""] {
            note(dir, &first, &error(code, line));
            assert_eq!(diagnostics(dir, &second), None, "{code}");
        }
        note(dir, &first, &error("E0599", line_of(&first, "evcxr_variable_store")));
        assert_eq!(diagnostics(dir, &second), None);
        note(dir, &first, &error("E0308", line));
        assert!(diagnostics(dir, &second).is_some());
    }
}
