//! What a program prints and saves against what is stored in its notebook.

use crate::notebook::nbformat::{Cell, Notebook, joined};
use serde_json::Value;

/// The tag of a cell whose outputs are not the same on every machine, or in every run.
const VARIES: &str = "nbval-ignore-output";
/// Begins the line by which a program says where a picture is.
const SAVED: &str = "saved as ";

/// What is not as it is stored, with the cell's name; nothing where all is.
///
/// Where a cell's outputs vary, what the program prints up to those of the next cell is taken for its
/// own.
pub fn differences(notebook: &Notebook, printed: &str) -> Vec<String> {
    let printed = lines(printed);
    let printed: Vec<&str> =
        printed.iter().map(String::as_str).filter(|line| !line.starts_with(SAVED)).collect();
    let (mut next, mut gap, mut differences) = (0, None, Vec::new());
    for cell in notebook.code_cells() {
        let stored = stored(&cell);
        if cell.has_tag(VARIES) {
            if !stored.is_empty() {
                gap = gap.or(Some(cell.name()));
            }
            continue;
        }
        if stored.is_empty() {
            continue;
        }
        let rest = &printed[next..];
        let found = match gap {
            None => rest.starts_with(&refs(&stored)).then_some(0),
            Some(_) => rest.windows(stored.len()).position(|window| window == refs(&stored)),
        };
        match (found, gap.take()) {
            (Some(0), Some(varying)) => differences.push(format!("{varying}: it printed nothing")),
            (Some(_), _) => {}
            (None, before) => differences.push(missing(&cell, &stored, rest, before.is_some())),
        }
        // A cell that is not there takes no part.
        next += found.map_or(0, |start| start + stored.len());
    }
    match (gap, printed.get(next)) {
        (None, Some(line)) => differences.push(format!("after the last cell it printed `{line}`")),
        (Some(varying), None) => differences.push(format!("{varying}: it printed nothing")),
        _ => {}
    }
    differences
}

fn refs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

/// What a cell printed otherwise than it is stored.
fn missing(cell: &Cell<'_>, stored: &[String], rest: &[&str], is_behind_gap: bool) -> String {
    let name = cell.name();
    if is_behind_gap {
        return format!("{name}: `{}` was not printed, or not what follows it", stored[0]);
    }
    let index = stored.iter().zip(rest).position(|(one, other)| one != other);
    let index = index.unwrap_or(rest.len().min(stored.len() - 1));
    match rest.get(index) {
        Some(line) => format!("{name}: expected `{}`, got `{line}`", stored[index]),
        None => format!("{name}: expected `{}`, got nothing", stored[index]),
    }
}

/// The endings of the files that the program saves, in order.
pub fn pictures(notebook: &Notebook) -> Vec<&'static str> {
    const FORMS: [(&str, &str); 3] =
        [("image/png", "png"), ("image/svg+xml", "svg"), ("text/html", "html")];
    let ending = |output: &Value| {
        let form = |(mime_type, _): &&(&str, &str)| output["data"].get(*mime_type).is_some();
        FORMS.iter().find(form).filter(|_| !is_progress(output)).map(|(_, ending)| *ending)
    };
    let endings = notebook
        .code_cells()
        .flat_map(|cell| cell.outputs().filter_map(ending).collect::<Vec<_>>());
    endings.collect()
}

/// The lines that a cell prints in a program.
fn stored(cell: &Cell<'_>) -> Vec<String> {
    let texts = cell.outputs().map(|output| match output["output_type"].as_str() {
        Some("stream") if output["name"] == "stdout" => joined(&output["text"]),
        Some("execute_result" | "display_data") if !is_progress(output) => {
            format!("{}\n", joined(&output["data"]["text/plain"]))
        }
        _ => String::new(),
    });
    let mut lines = lines(&texts.collect::<String>());
    if let Some(error) = cell.error() {
        let kind = if error.name == "panic" { "panic" } else { "error" };
        lines.push(format!("{kind}: {}", error.value));
    }
    lines
}

/// Progress bars are not part of what a program prints: they go to standard error.
fn is_progress(output: &Value) -> bool {
    joined(&output["data"]["text/html"]).contains("<progress")
}

/// Without empty lines, and white space at the ends: streams are stored with and without.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::PathBuf;

    fn cell(id: &str, tags: &[&str], text: &str) -> Value {
        let stream = json!({"output_type": "stream", "name": "stdout", "text": [text]});
        json!({"cell_type": "code", "id": id, "metadata": {"tags": tags}, "source": id,
               "execution_count": 1, "outputs": [stream]})
    }

    fn notebook(cells: &[Value]) -> Notebook {
        let json = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        Notebook::parse(PathBuf::from("n.ipynb"), &json.to_string()).expect("a notebook")
    }

    #[test]
    fn a_cell_whose_output_is_another_is_named() {
        let notebook = notebook(&[
            cell("one", &[], "1\n"),
            cell("time", &[VARIES], "3.2 s\n"),
            cell("two", &[], "2\n\n22\n"),
            cell("three", &[], "3\n"),
        ]);
        let of = |printed: &str| differences(&notebook, printed);
        assert!(of("1\nsaved as a.png\n9 s\n10 s\n2\n22\n3\n").is_empty());
        for (printed, expected) in [
            ("7\n9 s\n2\n22\n3\n", "(one) `one`: expected `1`, got `7`"),
            ("1\n2\n22\n3\n", "(time) `time`: it printed nothing"),
            ("1\n9 s\n2\n3\n", "(two) `two`: `2` was not printed"),
            ("1\n9 s\n2\n22\n", "(three) `three`: expected `3`, got nothing"),
            ("1\n9 s\n2\n22\n3\n4\n", "after the last cell it printed `4`"),
        ] {
            let differences = of(printed);
            assert!(differences[0].contains(expected), "{printed}: {differences:?}");
        }
    }

    #[test]
    fn pictures_are_counted_and_progress_is_none() {
        let data =
            |data: Value| json!({"output_type": "display_data", "data": data, "metadata": {}});
        let outputs = json!([
            data(json!({"text/html": "<progress></progress>", "text/plain": "1/1"})),
            data(json!({"image/png": "", "text/plain": "a"})),
            data(json!({"text/html": "<table></table>", "text/plain": "b"})),
        ]);
        let notebook = notebook(&[json!({"cell_type": "code", "id": "a", "metadata": {},
            "source": "f()", "execution_count": 1, "outputs": outputs})]);
        assert_eq!(pictures(&notebook), ["png", "html"]);
        assert!(differences(&notebook, "a\nb\n").is_empty());
    }
}
