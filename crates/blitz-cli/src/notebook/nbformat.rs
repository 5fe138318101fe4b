//! Reading and writing notebooks.

use crate::files::write_atomically;
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A notebook in nbformat 4.
#[derive(Clone)]
pub struct Notebook {
    path: PathBuf,
    json: Map<String, Value>,
}

/// An error as a kernel reports it.
pub struct ErrorOutput {
    /// Its kind, such as `panic`.
    pub name: String,
    /// Its message.
    pub value: String,
    /// What people are shown, with colour codes.
    pub traceback: Vec<String>,
}

/// The text of a cell.
pub struct Source {
    /// The id that it has since nbformat 4.5; empty before.
    pub id: String,
    /// Whether it is code; else it is Markdown.
    pub is_code: bool,
    /// What was written.
    pub source: String,
}

/// A cell.
pub struct Cell<'a> {
    /// Its place among all cells.
    pub index: usize,
    json: &'a Value,
}

impl Notebook {
    /// Reads a notebook.
    ///
    /// # Errors
    /// The file cannot be read, is not JSON, or is not a notebook of format 4.
    pub fn read(path: PathBuf) -> Result<Self> {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(path, &text)
    }

    /// The notebook that `text` is, and that `path` holds or is to hold.
    ///
    /// # Errors
    /// It is not JSON, or is not a notebook of format 4.
    pub fn parse(path: PathBuf, text: &str) -> Result<Self> {
        let name = path.display();
        let json: Value = serde_json::from_str(text)
            .with_context(|| format!("{name} is not a notebook: it is not JSON"))?;
        let Value::Object(json) = json else {
            bail!("{name} is not a notebook: expected a JSON object");
        };
        match json.get("nbformat").and_then(Value::as_i64) {
            Some(4) => {}
            Some(other) => bail!(
                "{name} has notebook format {other}, expected 4. Open it in JupyterLab and save it."
            ),
            None => bail!("{name} is not a notebook: it has no `nbformat`"),
        }
        if !json.get("cells").is_some_and(Value::is_array) {
            bail!("{name} is not a notebook: it has no list of `cells`");
        }
        Ok(Notebook { path, json })
    }

    /// The file that it was read from or belongs to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name for people: its file's name without the ending.
    pub fn name(&self) -> String {
        notebook_name(&self.path)
    }

    /// Writes the notebook to a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_atomically(path, &self.to_bytes()?)
    }

    /// The notebook in Jupyter's layout.
    ///
    /// # Errors
    /// None: what was read can be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let layout = serde_json::ser::PrettyFormatter::with_indent(b" ");
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, layout);
        serde::Serialize::serialize(&self.json, &mut serializer)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// All cells, in order.
    pub fn all_cells(&self) -> impl Iterator<Item = Cell<'_>> {
        self.cells().iter().enumerate().map(|(index, json)| Cell { index, json })
    }

    /// The code cells that hold code.
    pub fn code_cells(&self) -> impl Iterator<Item = Cell<'_>> {
        self.all_cells().filter(Cell::is_program)
    }

    /// The sources of the code and Markdown cells.
    pub fn sources(&self) -> impl Iterator<Item = Source> {
        let has_source = |cell: &&Value| is_code(cell) || cell["cell_type"] == "markdown";
        self.cells().iter().filter(has_source).map(|cell| Source {
            id: cell["id"].as_str().unwrap_or_default().to_owned(),
            is_code: is_code(cell),
            source: joined(&cell["source"]),
        })
    }

    /// Gives the code and Markdown cells the sources that `edit` returns for theirs; it is told
    /// whether one is code.
    pub fn edit_sources(&mut self, mut edit: impl FnMut(&str, bool) -> String) {
        let cells = self.json.get_mut("cells").and_then(Value::as_array_mut);
        for cell in cells.into_iter().flatten() {
            if is_code(cell) || cell["cell_type"] == "markdown" {
                cell["source"] = lines(&edit(&joined(&cell["source"]), is_code(cell)));
            }
        }
    }

    /// Changes the outputs of all code cells, each in nbformat's JSON.
    pub fn edit_outputs(&mut self, edit: impl FnMut(&mut Value)) {
        let cells = self.json.get_mut("cells").and_then(Value::as_array_mut);
        let outputs = cells.into_iter().flatten().filter_map(|cell| cell.get_mut("outputs"));
        outputs.filter_map(Value::as_array_mut).flatten().for_each(edit);
    }

    /// All cells, in nbformat's JSON.
    pub fn cells(&self) -> &[Value] {
        self.json.get("cells").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A copy with these cells instead, which belongs to `path`.
    pub fn with_cells(&self, path: PathBuf, cells: Vec<Value>) -> Notebook {
        let mut json = self.json.clone();
        json.insert("cells".to_owned(), Value::Array(cells));
        Notebook { path, json }
    }

    /// The same notebook, which belongs to `path` now.
    pub fn at(self, path: PathBuf) -> Notebook {
        Notebook { path, ..self }
    }

    /// What is said of the whole notebook.
    pub fn metadata_mut(&mut self) -> &mut Value {
        self.json.entry("metadata").or_insert_with(|| json!({}))
    }

    /// What is said of the whole notebook under a name; null where nothing is.
    pub fn metadata(&self, name: &str) -> &Value {
        self.json.get("metadata").map_or(&Value::Null, |metadata| &metadata[name])
    }

    /// Gives the Markdown cells the sources that `edit` returns for theirs.
    ///
    /// # Errors
    /// The first of `edit`.
    pub fn try_edit_markdown(
        &mut self,
        mut edit: impl FnMut(&str) -> Result<Option<String>>,
    ) -> Result<()> {
        let cells = self.json.get_mut("cells").and_then(Value::as_array_mut);
        for cell in cells.into_iter().flatten().filter(|cell| cell["cell_type"] == "markdown") {
            if let Some(source) = edit(&joined(&cell["source"]))? {
                cell["source"] = lines(&source);
            }
        }
        Ok(())
    }

    /// States the language as Jupyter's tools expect it. evcxr's kernel misspells
    /// `pygments_lexer`, so that nbconvert would have to guess how to highlight.
    pub fn set_language(&mut self) {
        self.metadata_mut()["language_info"] = json!({
            "codemirror_mode": "rust",
            "file_extension": ".rs",
            "mimetype": "text/x-rust",
            "name": "rust",
            "pygments_lexer": "rust",
        });
    }

    /// Numbers the executed cells from 1. evcxr's kernel begins with 2.
    pub fn number_from_one(&mut self) {
        let cells = self.json.get_mut("cells").and_then(Value::as_array_mut);
        let executed = cells.into_iter().flatten().filter(|cell| cell["execution_count"].is_u64());
        for (count, cell) in (1..).zip(executed) {
            cell["execution_count"] = Value::from(count);
            for output in cell["outputs"].as_array_mut().into_iter().flatten() {
                if output["execution_count"].is_u64() {
                    output["execution_count"] = Value::from(count);
                }
            }
        }
    }

    /// What all code cells printed to standard output.
    pub fn stdout(&self) -> String {
        self.code_cells().map(|cell| cell.stream("stdout")).collect()
    }
}

impl Cell<'_> {
    /// How people find the cell: its place, its id and its first line.
    pub fn name(&self) -> String {
        let source = self.source();
        let first = source.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let id = self.json["id"].as_str().unwrap_or("without id");
        format!("cell {} ({id}) `{}`", self.index + 1, first.trim())
    }

    /// The id that it has since nbformat 4.5.
    pub fn id(&self) -> Option<&str> {
        self.json["id"].as_str()
    }

    /// All of its text: what it printed to `stdout`, and the text of its results.
    pub fn text(&self) -> String {
        let texts = self.outputs().map(|output| match output["output_type"].as_str() {
            Some("stream") if output["name"] == "stdout" => joined(&output["text"]),
            Some("execute_result") => format!("{}\n", joined(&output["data"]["text/plain"])),
            _ => String::new(),
        });
        texts.collect()
    }

    /// What was written.
    pub fn source(&self) -> String {
        joined(&self.json["source"])
    }

    /// Whether it is code, and there is some.
    pub fn is_program(&self) -> bool {
        is_code(self.json) && !self.source().trim().is_empty()
    }

    /// Whether it is Markdown.
    pub fn is_markdown(&self) -> bool {
        self.json["cell_type"] == "markdown"
    }

    /// Whether the cell carries a tag.
    pub fn has_tag(&self, name: &str) -> bool {
        let tags = self.json["metadata"]["tags"].as_array();
        tags.is_some_and(|tags| tags.iter().any(|tag| tag == name))
    }

    /// Whether the kernel took the cell.
    pub fn was_executed(&self) -> bool {
        !self.json["execution_count"].is_null()
    }

    /// The cell's error output, if it has one.
    pub fn error(&self) -> Option<ErrorOutput> {
        let output = self.outputs().find(|output| output["output_type"] == "error")?;
        let text = |name: &str| output[name].as_str().unwrap_or_default().to_owned();
        let traceback = output["traceback"].as_array().into_iter().flatten();
        Some(ErrorOutput {
            name: text("ename"),
            value: text("evalue"),
            traceback: traceback.filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }

    /// What the cell printed to `stdout` or `stderr`.
    pub fn stream(&self, name: &str) -> String {
        self.outputs()
            .filter(|output| output["name"] == name)
            .map(|output| joined(&output["text"]))
            .collect()
    }

    /// What it printed and showed, in nbformat's JSON.
    pub fn outputs(&self) -> impl Iterator<Item = &Value> {
        self.json["outputs"].as_array().into_iter().flatten()
    }
}

fn is_code(cell: &Value) -> bool {
    cell["cell_type"] == "code"
}

/// A notebook's name for people: its file's name without the ending.
pub fn notebook_name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A source as Jupyter writes it: a list of lines.
pub fn lines(source: &str) -> Value {
    json!(source.split_inclusive('\n').collect::<Vec<&str>>())
}

/// A source or text, which nbformat allows to be one string or a list of lines.
pub fn joined(text: &Value) -> String {
    match text {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notebook(cells: Value) -> Notebook {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("n.ipynb");
        let json = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        fs::write(&path, json.to_string()).expect("writable");
        Notebook::read(path).expect("a notebook")
    }

    fn cell(source: &str, count: Option<u32>, outputs: Value) -> Value {
        json!({"cell_type": "code", "id": "an-id", "metadata": {}, "source": [source],
               "execution_count": count, "outputs": outputs})
    }

    #[test]
    fn cells_are_numbered_from_one_where_they_ran() {
        let result = json!([{"output_type": "execute_result", "execution_count": 3, "data": {}}]);
        let cells =
            [cell("a", Some(2), json!([])), cell("b", Some(3), result), cell("c", None, json!([]))];
        let mut notebook = notebook(json!(cells));
        notebook.number_from_one();
        let count = |index: usize| notebook.json["cells"][index]["execution_count"].clone();
        assert_eq!([count(0), count(1), count(2)], [json!(1), json!(2), Value::Null]);
        assert_eq!(notebook.json["cells"][1]["outputs"][0]["execution_count"], 2);
    }

    #[test]
    fn says_what_is_wrong_with_a_file_that_is_no_notebook() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("broken.ipynb");
        for (text, expected) in [
            ("{", "not JSON"),
            ("[]", "JSON object"),
            ("{}", "nbformat"),
            (r#"{"nbformat":3}"#, "format 3"),
        ] {
            fs::write(&path, text).expect("writable");
            let error = Notebook::read(path.clone()).map(drop).expect_err("no notebook");
            let error = format!("{error:#}");
            assert!(error.contains(expected) && error.contains("broken.ipynb"), "{error}");
        }
    }
}
