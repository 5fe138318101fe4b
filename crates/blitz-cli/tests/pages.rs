//! The notebooks as pages: one form for the two languages, and all that the blitz teaches.

mod common;

use common::repository;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A cell as far as a reader sees it.
struct Cell {
    id: String,
    is_code: bool,
    source: String,
}

/// The pages by name.
fn notebooks() -> BTreeMap<String, Vec<Cell>> {
    notebooks_in("notebooks")
}

/// The notebooks of a folder by name.
fn notebooks_in(folder: &str) -> BTreeMap<String, Vec<Cell>> {
    let dir = repository().root().join(folder);
    let files = fs::read_dir(&dir).expect("the folder is there");
    let files = files.map(|entry| entry.expect("readable").path());
    let notebooks = files.filter(|path| path.extension().is_some_and(|it| it == "ipynb"));
    notebooks
        .map(|path| {
            let text = fs::read_to_string(&path).expect("readable");
            let json: Value = serde_json::from_str(&text).expect("JSON");
            let cells = json["cells"].as_array().expect("cells").iter().map(cell).collect();
            (path.file_stem().expect("a name").to_string_lossy().into_owned(), cells)
        })
        .collect()
}

fn cell(json: &Value) -> Cell {
    let source = match &json["source"] {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        text => text.as_str().unwrap_or_default().to_owned(),
    };
    Cell {
        id: json["id"].as_str().unwrap_or_default().to_owned(),
        is_code: json["cell_type"] == "code",
        source,
    }
}

/// The columns of the rows of the Markdown tables in `text`, without heads and rules.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |line: &str| line.starts_with('|') && !line.starts_with("|---");
    let is_head = |index: usize| lines.get(index + 1).is_some_and(|it| it.starts_with("|---"));
    let rows = lines.iter().enumerate().filter(|(index, line)| is_row(line) && !is_head(*index));
    rows.map(|(_, line)| {
        let line = line.replace("\\|", "\u{1}");
        let columns = line.trim().trim_matches('|').split('|');
        columns.map(|column| column.trim().replace('\u{1}', "|")).collect()
    })
    .collect()
}

#[test]
fn each_row_of_the_coverage_has_its_cell() {
    let mut notebooks = notebooks();
    let exercises = notebooks_in("notebooks/exercises").into_iter();
    notebooks.extend(exercises.map(|(name, cells)| (format!("exercises/{name}"), cells)));
    let text = fs::read_to_string(repository().root().join("docs/coverage.md")).expect("readable");
    let rows = rows(&text);
    let mut wrong = Vec::new();
    let mut reached = BTreeSet::new();
    for row in &rows {
        let [what, places, note @ ..] = row.as_slice() else { panic!("not a row: {row:?}") };
        if places == "—" {
            let reason = note.first().is_some_and(|note| !note.is_empty());
            wrong.extend((!reason).then(|| format!("{what}: no reason why it is not here")));
            continue;
        }
        for place in places.split(", ") {
            let place = place.trim_matches('`');
            let found = place.split_once('#').and_then(|(name, id)| {
                reached.insert(name.to_owned());
                notebooks.get(name)?.iter().find(|cell| cell.id == id)
            });
            wrong.extend(found.is_none().then(|| format!("{what}: no cell {place}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= 150, "{} rows", rows.len());
    let pages = notebooks.keys().filter(|name| name.starts_with('0'));
    let unreached: Vec<_> = pages.filter(|name| !reached.contains(*name)).collect();
    assert!(unreached.is_empty(), "no row leads to {unreached:?}");
}

#[test]
fn python_stands_quoted_above_its_rust_cell() {
    let mut wrong = Vec::new();
    for (name, cells) in &notebooks() {
        for (index, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_code) {
            let says = |text: &str| wrong_place(name, cell, text);
            let text = &cell.source;
            for line in text.lines() {
                let is_bare = matches!(line.trim(), "In Python:" | "In Rust:");
                wrong.extend(is_bare.then(|| says("a bare line names the language")));
                let is_unquoted = line == "```python";
                wrong.extend(is_unquoted.then(|| says("Python is not quoted")));
            }
            let ends_in_python = text.contains("> ```python") && text.trim_end().ends_with("> ```");
            let leads_to_rust = cells.get(index + 1).is_some_and(|next| next.is_code);
            let is_alone = ends_in_python && !leads_to_rust;
            wrong.extend(is_alone.then(|| says("no Rust cell follows the Python")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// VS Code gives the blocks of cells that it shows at the same moment one identifier, and can then put a
/// block that it colours in the place of one whose language it does not.
#[test]
fn blocks_that_nobody_colours_name_no_language() {
    for folder in ["notebooks", "notebooks/exercises"] {
        for (name, cells) in notebooks_in(folder) {
            let texts = cells.iter().filter(|cell| !cell.is_code);
            let fences = texts.flat_map(|cell| cell.source.lines().map(move |line| (cell, line)));
            for (cell, line) in fences {
                let Some((_, language)) = line.split_once("```") else { continue };
                let is_coloured = ["", "python", "rust", "sh", "toml"].contains(&language.trim());
                let is_inline = language.contains('`');
                assert!(is_coloured || is_inline, "{folder}/{name}#{}: {line}", cell.id);
            }
        }
    }
}

/// Words that somebody reads in a minute, code among them.
const WORDS_A_MINUTE: usize = 200;

#[test]
fn each_page_takes_the_time_that_it_announces() {
    for (name, cells) in notebooks().iter().filter(|(name, _)| name.starts_with('0')) {
        // The tables at the end are there to look things up.
        let read = cells.iter().filter(|cell| !cell.source.starts_with("## Python → Rust"));
        let words = read.flat_map(|cell| cell.source.split_whitespace());
        let words = words.filter(|word| word.contains(char::is_alphanumeric)).count();
        let minutes = words / WORDS_A_MINUTE;
        let announced = cells[0].source.split_once("**Time:** about ").and_then(|(_, rest)| {
            rest.split_once(" minutes").and_then(|(number, _)| number.parse::<usize>().ok())
        });
        let announced = announced.unwrap_or_else(|| panic!("{name} announces no time"));
        assert!(
            minutes <= announced + announced / 10 && announced <= 2 * minutes.max(5),
            "{name} announces {announced} minutes, and reading it takes {minutes}"
        );
    }
}

fn wrong_place(name: &str, cell: &Cell, text: &str) -> String {
    format!("{name}, cell {}: {text}", cell.id)
}

/// A heading as the address that Jupyter gives it.
fn anchor(heading: &str) -> String {
    heading.trim_start_matches('#').trim().replace('`', "").replace(' ', "-")
}

#[test]
fn links_within_the_pages_lead_somewhere() {
    let notebooks = notebooks();
    let headings = |cells: &[Cell]| -> BTreeSet<String> {
        let texts = cells.iter().filter(|cell| !cell.is_code);
        let lines = texts.flat_map(|cell| cell.source.lines().map(str::to_owned));
        lines.filter(|line| line.starts_with('#')).map(|line| anchor(&line)).collect()
    };
    let mut wrong = Vec::new();
    for (name, cells) in &notebooks {
        for cell in cells.iter().filter(|cell| !cell.is_code) {
            for part in cell.source.split("](").skip(1) {
                let target = part.split(')').next().unwrap_or_default();
                let (file, heading) = target.split_once('#').unwrap_or((target, ""));
                let is_notebook = file.is_empty() || file.ends_with(".ipynb");
                if !is_notebook || target.contains("://") {
                    continue;
                }
                let page = file.strip_suffix(".ipynb").unwrap_or(name);
                // What `cargo blitz exercises` makes of a notebook in exercises/.
                let is_exercise = page.strip_prefix("my_exercises/").is_some_and(|exercise| {
                    let made_of = format!("notebooks/exercises/{exercise}.ipynb");
                    repository().root().join(made_of).is_file()
                });
                let leads = is_exercise
                    || notebooks.get(page).is_some_and(|cells| {
                        heading.is_empty() || headings(cells).contains(&anchor(heading))
                    });
                let says = || wrong_place(name, cell, &format!("no {target}"));
                wrong.extend((!leads).then(says));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_page_ends_with_the_rust_that_one_met() {
    for (name, cells) in &notebooks() {
        if !name.starts_with('0') || name.starts_with("00") {
            continue;
        }
        let title = "Rust you met on this page";
        let met = cells.iter().find(|cell| !cell.is_code && cell.source.contains(title));
        let met = met.unwrap_or_else(|| panic!("{name} has no box \"{title}\""));
        let rows = rows(&met.source);
        assert!((5..=16).contains(&rows.len()), "{name}: {} rows", rows.len());
        for row in rows {
            assert!(row.len() == 3 && row[2].contains("](#"), "{name}, no link: {row:?}");
        }
    }
}
