//! A Markdown page of the repository as a page of the site: links and pictures lead there.

use super::output::{self, Picture};
use super::source::Source;
use crate::notebook::export::words;
use anyhow::{Context, Result};
use pulldown_cmark::{Event, Options, Parser, Tag};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Where the pictures go that notebooks have made.
const PICTURES: &str = "_static/made";

/// Pictures by their paths on the site.
pub type Pictures = BTreeMap<String, Picture>;

/// The text for the site of a page that lies at `path` in the repository: a link to a page that the site
/// has leads there, another link within the repository is its text alone, and a picture
/// `NOTEBOOK.ipynb#CELL` is the one that the cell shows, which is added to `pictures`.
///
/// # Errors
/// A cell shows no picture.
pub fn on_site(
    text: &str,
    path: &Path,
    source: &Source,
    pictures: &mut Pictures,
) -> Result<String> {
    let dir = path.parent().unwrap_or(Path::new(""));
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let (target, is_picture) = match &event {
            Event::Start(Tag::Link { dest_url, .. }) => (dest_url, false),
            Event::Start(Tag::Image { dest_url, .. }) => (dest_url, true),
            _ => continue,
        };
        if range.start < end || target.contains("://") || target.starts_with(['#', '<']) {
            continue;
        }
        let element = &text[range.clone()];
        let replaced = match is_picture {
            true => element.replace(&**target, &made(target, source, pictures)?),
            false => match place(&dir.join(&**target), source) {
                Some(place) => element.replace(&format!("({target})"), &format!("({place})")),
                None => words(element).to_owned(),
            },
        };
        result.push_str(&text[end..range.start]);
        result.push_str(&replaced);
        end = range.end;
    }
    Ok(result + &text[end..])
}

/// The path on the site of the picture that a cell of a notebook shows.
fn made(target: &str, source: &Source, pictures: &mut Pictures) -> Result<String> {
    let parts = target.split_once(".ipynb#");
    let (path, id) = parts.with_context(|| format!("the picture {target} is no cell's"))?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let notebook = source.chapters.iter().find(|it| it.name() == name);
    let notebook = notebook.with_context(|| format!("no notebook `{name}` for a picture"))?;
    let picture = output::picture(notebook, id)?;
    let path = format!("{PICTURES}/{id}.{}", picture.extension);
    pictures.insert(path.clone(), picture);
    Ok(path)
}

/// The place on the site of a file of the repository, with the heading that the link leads to.
fn place(path: &Path, source: &Source) -> Option<String> {
    let text = resolved(path).to_string_lossy().into_owned();
    let (file, heading) = match text.split_once('#') {
        Some((file, heading)) => (file, format!("#{heading}")),
        None => (text.as_str(), String::new()),
    };
    let page = match file.strip_prefix("notebooks/") {
        Some(notebook) => notebook.replace("my_exercises/", "exercises/"),
        None => {
            let document = source.documents.iter().find(|it| it.path == Path::new(file))?;
            format!("{}.md", document.place)
        }
    };
    Some(format!("{page}{heading}"))
}

fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            other => resolved.push(other),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::super::source::Document;
    use super::*;
    use crate::notebook::nbformat::Notebook;
    use serde_json::json;

    fn source() -> Source {
        let output = json!({"output_type": "display_data", "metadata": {},
                            "data": {"image/svg+xml": "<svg/>", "text/plain": "a graph"}});
        let cell = json!({"cell_type": "code", "id": "graph", "metadata": {}, "source": "x",
                          "execution_count": 1, "outputs": [output]});
        let json = json!({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        let notebook = Notebook::parse("02_autograd.ipynb".into(), &json.to_string());
        let kernel = Document {
            path: "docs/kernel.md".into(),
            place: "kernel".to_owned(),
            text: String::new(),
        };
        Source {
            chapters: vec![notebook.expect("a notebook")],
            exercises: Vec::new(),
            documents: vec![kernel],
        }
    }

    fn placed(text: &str) -> (Result<String>, Pictures) {
        let mut pictures = Pictures::new();
        let text = on_site(text, Path::new("docs/site/index.md"), &source(), &mut pictures);
        (text, pictures)
    }

    #[test]
    fn links_lead_to_pages_of_the_site_or_are_their_words() {
        let text = "# One\n\n[k](../kernel.md#a) and [e](../../notebooks/my_exercises/01.ipynb), \
                    [`b`](../benchmarks.md), [w](https://x.org/a.md), [h](#one).\n";
        let expected = "# One\n\n[k](kernel.md#a) and [e](exercises/01.ipynb), \
                        `b`, [w](https://x.org/a.md), [h](#one).\n";
        assert_eq!(placed(text).0.expect("a page"), expected);
    }

    #[test]
    fn a_picture_is_what_the_cell_shows() {
        let (text, pictures) = placed("![a graph](../../notebooks/02_autograd.ipynb#graph)");
        assert_eq!(text.expect("a page"), "![a graph](_static/made/graph.svg)");
        assert_eq!(pictures["_static/made/graph.svg"].contents, b"<svg/>");
        for (text, expected) in [
            ("![](02_autograd.ipynb#other)", "has no cell `other`"),
            ("![](07.ipynb#graph)", "no notebook `07`"),
            ("![](graph.svg)", "no cell's"),
        ] {
            let error = placed(text).0.expect_err("no picture").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
