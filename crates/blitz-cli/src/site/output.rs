//! The pictures that cells have made.

use crate::notebook::export::escaped;
use crate::notebook::nbformat::{Notebook, joined};
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";

/// What is said of a picture without words of its own.
const NO_WORDS: &str = "A picture without a description";

/// A picture as a file.
pub struct Picture {
    /// Its ending: `png` or `svg`.
    pub extension: &'static str,
    /// What is in the file.
    pub contents: Vec<u8>,
}

/// The first picture among the outputs of the cell `id`.
///
/// # Errors
/// The notebook has no such cell, or the cell shows no picture.
pub fn picture(notebook: &Notebook, id: &str) -> Result<Picture> {
    let cell = notebook.cells().iter().find(|cell| cell["id"] == id);
    let cell = cell.with_context(|| format!("{} has no cell `{id}`", notebook.name()))?;
    let outputs = cell["outputs"].as_array().into_iter().flatten();
    let found = outputs.map(|output| &output["data"]).find_map(|data| {
        if data[SVG].is_null() {
            let png = STANDARD.decode(joined(&data[PNG]).replace('\n', "")).ok()?;
            (!png.is_empty()).then_some(Picture { extension: "png", contents: png })
        } else {
            let contents = joined(&data[SVG]).into_bytes();
            Some(Picture { extension: "svg", contents })
        }
    });
    found.with_context(|| format!("cell `{id}` of {} shows no picture", notebook.name()))
}

/// Puts the words that a cell has for its pictures, their text form, beside them: Sphinx would leave
/// them out.
pub fn describe_pictures(notebook: &mut Notebook) {
    notebook.edit_outputs(|output| {
        let data = &output["data"];
        if !data["text/html"].is_null() {
            return;
        }
        let source = if !data[SVG].is_null() {
            STANDARD.encode(joined(&data[SVG]))
        } else if !data[PNG].is_null() {
            joined(&data[PNG]).replace('\n', "")
        } else {
            return;
        };
        let kind = if data[SVG].is_null() { PNG } else { SVG };
        let words = joined(&data["text/plain"]);
        let words = if words.trim().is_empty() { NO_WORDS } else { words.trim() };
        let html = format!("<img src=\"data:{kind};base64,{source}\" alt=\"{}\">", escaped(words));
        output["data"] = json!({ "text/html": html });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn notebook(data: Value) -> Notebook {
        let output = json!({"output_type": "display_data", "metadata": {}, "data": data});
        let cell = json!({"cell_type": "code", "id": "c", "metadata": {}, "source": "x",
                          "execution_count": 1, "outputs": [output]});
        let json = json!({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        Notebook::parse("n.ipynb".into(), &json.to_string()).expect("a notebook")
    }

    #[test]
    fn pictures_have_their_words_beside_them() {
        let mut svg = notebook(json!({SVG: ["<svg>", "</svg>"], "text/plain": "a \"b\" <c>"}));
        assert_eq!(picture(&svg, "c").expect("one").contents, b"<svg></svg>");
        describe_pictures(&mut svg);
        let html =
            svg.cells()[0]["outputs"][0]["data"]["text/html"].as_str().expect("HTML").to_owned();
        assert!(html.ends_with("alt=\"a &quot;b&quot; &lt;c&gt;\">"), "{html}");
        let mut png = notebook(json!({PNG: "aGk=\n", "text/plain": " "}));
        assert_eq!(picture(&png, "c").expect("one").contents, b"hi");
        describe_pictures(&mut png);
        let html =
            png.cells()[0]["outputs"][0]["data"]["text/html"].as_str().expect("HTML").to_owned();
        assert!(html.contains("image/png;base64,aGk=\"") && html.contains(NO_WORDS), "{html}");
    }

    #[test]
    fn says_where_there_is_no_picture() {
        let text = notebook(json!({"text/plain": "1"}));
        for (id, expected) in [("c", "shows no picture"), ("d", "has no cell `d`")] {
            let error = picture(&text, id).map(drop).expect_err("none").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
