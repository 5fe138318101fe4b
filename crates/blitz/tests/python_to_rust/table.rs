//! Rows, and the forms in which they are written down.

use serde_json::{Value, json};
use std::path::Path;

/// The heading of the tables in notebooks; what follows it up to the end of the cell is the table.
pub const HEADING: &str = "## Python → Rust";

/// One line of Python and the Rust for it.
struct Row {
    python: &'static str,
    rust: String,
    /// Python's expression for the result, where the line itself is none.
    shown: Option<&'static str>,
    /// The result as Python prints it.
    result: String,
}

/// Rows that share variables.
pub struct Section {
    title: &'static str,
    /// Python lines that make the variables.
    setup: String,
    rows: Vec<Row>,
}

/// The sections of one notebook.
pub struct Page {
    /// The notebook's file name without its extension.
    pub notebook: &'static str,
    pub sections: Vec<Section>,
}

impl Section {
    pub fn new(title: &'static str, setup: impl Into<String>) -> Section {
        Section { title, setup: setup.into(), rows: Vec::new() }
    }

    /// Called by [`row`](crate::row).
    pub fn add(&mut self, row: (&'static str, &str, Option<&'static str>), result: String) {
        let (python, rust, shown) = row;
        // `stringify!` breaks long lines.
        let rust = rust.split_whitespace().collect::<Vec<_>>().join(" ");
        self.rows.push(Row { python, rust, shown, result });
    }

    fn markdown(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            // A bar would end the column.
            let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
            format!("| {} | {} |\n", code(row.python), code(&row.rust))
        });
        format!("| {} | Rust |\n|---|---|\n{}", self.title, rows.collect::<String>())
    }
}

/// `row!(section, "Python", rust expression)` for a value that both languages give, and
/// `row!(section, "Python", { Rust statements } "Python's result" => result)` for lines that change
/// something. Each begins with the seed 0.
#[macro_export]
macro_rules! row {
    ($section:expr, $python:literal, { $($rust:tt)* } $shown:literal => $value:expr) => {{
        blitz::tch::manual_seed(0);
        $($rust)*
        let result = $crate::in_python::InPython::in_python(&$value);
        $section.add(($python, stringify!($($rust)*), Some($shown)), result);
    }};
    ($section:expr, $python:literal, $rust:expr) => {{
        blitz::tch::manual_seed(0);
        let result = $crate::in_python::InPython::in_python(&$rust);
        $section.add(($python, stringify!($rust), None), result);
    }};
}

impl Page {
    pub fn row_count(&self) -> usize {
        self.sections.iter().map(|section| section.rows.len()).sum()
    }

    fn markdown(&self) -> String {
        let sections: Vec<String> = self.sections.iter().map(Section::markdown).collect();
        sections.join("\n")
    }
}

/// What Python evaluates.
pub fn json(pages: &[Page]) -> String {
    let sections = pages.iter().flat_map(|page| &page.sections).map(|section| {
        let rows = section
            .rows
            .iter()
            .map(|row| json!({ "python": row.python, "shown": row.shown, "result": row.result }));
        json!({
            "title": section.title,
            "setup": section.setup.lines().collect::<Vec<_>>(),
            "rows": rows.collect::<Vec<_>>(),
        })
    });
    let sections: Vec<Value> = sections.collect();
    serde_json::to_string_pretty(&json!({ "sections": sections })).unwrap() + "\n"
}

/// The page of the crate's documentation.
pub fn documentation(pages: &[Page]) -> String {
    let mut text = "What you write in Python, and what you write here. Each row is run in both \
                    languages by the project's tests, and both give the same.\n"
        .to_owned();
    for page in pages {
        text += &format!("\n# {}\n\n{}", page.notebook, page.markdown());
    }
    text
}

/// The notebook's text with the table below [`HEADING`].
///
/// Only the lines of that one cell change, so the file is edited as text: a JSON library would
/// write the rest of it in another way.
pub fn in_notebook(notebook: &str, page: &Page) -> String {
    let line = |text: &str| serde_json::to_string(text).unwrap();
    let first = format!("    {},\n", line(&format!("{HEADING}\n")));
    let Some((before, rest)) = notebook.split_once(&first) else {
        panic!("{}.ipynb has no cell that begins with {HEADING:?}", page.notebook);
    };
    let (_, after) = rest.split_once("\n   ]\n").expect("a cell's source ends");
    let table = format!("\n{}", page.markdown());
    let lines: Vec<String> =
        table.trim_end().split_inclusive('\n').map(|text| format!("    {}", line(text))).collect();
    format!("{before}{first}{}\n   ]\n{after}", lines.join(",\n"))
}

pub fn is_update() -> bool {
    std::env::var_os("BLITZ_UPDATE").is_some()
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

pub fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
