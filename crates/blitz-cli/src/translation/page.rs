//! A page, a notebook or a Markdown file, and its messages.

use super::anchors::{Anchors, linked};
use super::catalogue::{Catalogue, Extracted};
use super::code::{self, Language};
use super::markdown;
use crate::notebook::nbformat::Notebook;
use std::ops::Range;

/// The messages of a notebook, in order. `is_exercise`: what learners are told in code is among them.
pub fn of_notebook(notebook: &Notebook, is_exercise: bool) -> Vec<Extracted> {
    let name = notebook.name();
    let mut messages = Vec::new();
    for cell in notebook.sources() {
        let place = format!("{name}#{}", cell.id);
        let ranges = texts(&cell.source, cell.is_code, is_exercise);
        let texts = ranges.into_iter().map(|range| one_line(&cell.source[range]));
        messages.extend(texts.map(|text| Extracted { text, place: place.clone() }));
    }
    messages
}

/// The messages of a Markdown file.
pub fn of_markdown(name: &str, text: &str) -> Vec<Extracted> {
    let texts = markdown::texts(text).into_iter().map(|range| one_line(&text[range]));
    texts.map(|text| Extracted { text, place: name.to_owned() }).collect()
}

/// Translates a notebook as far as `catalogue` goes; the rest stays English.
pub fn translate_notebook(
    notebook: &mut Notebook,
    is_exercise: bool,
    catalogue: &Catalogue,
    anchors: &Anchors,
) {
    let name = notebook.name();
    notebook.edit_sources(|source, is_code| {
        let ranges = texts(source, is_code, is_exercise);
        let translated = replaced(source, ranges, catalogue);
        if is_code { translated } else { linked(&translated, &name, anchors) }
    });
}

/// Translates Markdown as far as `catalogue` goes.
pub fn translate_markdown(
    name: &str,
    text: &str,
    catalogue: &Catalogue,
    anchors: &Anchors,
) -> String {
    linked(&replaced(text, markdown::texts(text), catalogue), name, anchors)
}

fn texts(source: &str, is_code: bool, is_exercise: bool) -> Vec<Range<usize>> {
    if !is_code {
        return markdown::texts(source);
    }
    let mut texts = code::comments(source, Some(Language::Rust));
    if is_exercise {
        texts.extend(code::told(source));
        texts.sort_by_key(|range| range.start);
    }
    texts
}

/// A message without the line breaks and marks of a quotation that it has in its page.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim_start_matches(['>', ' ']).trim_end());
    lines.collect::<Vec<_>>().join(" ")
}

fn replaced(source: &str, ranges: Vec<Range<usize>>, catalogue: &Catalogue) -> String {
    let mut replaced = String::with_capacity(source.len());
    let mut end = 0;
    for range in ranges {
        if let Some(translation) = catalogue.translation(&one_line(&source[range.clone()])) {
            replaced.push_str(&source[end..range.start]);
            replaced.push_str(translation);
            end = range.end;
        }
    }
    replaced + &source[end..]
}

#[cfg(test)]
mod tests {
    use super::super::anchors;
    use super::*;
    use crate::files::write_atomically;

    fn catalogue(translations: &[(&str, &str)]) -> Catalogue {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("p.po");
        let mut text =
            "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n\n".to_owned();
        for (english, translation) in translations {
            text += &format!("msgid {english:?}\nmsgstr {translation:?}\n\n");
        }
        write_atomically(&path, text.as_bytes()).expect("written");
        Catalogue::read(&path, "zh_CN").expect("a catalogue")
    }

    #[test]
    fn a_page_is_translated_as_far_as_the_catalogue_goes() {
        let catalogue =
            catalogue(&[("A size", "大小"), ("See [above](#A-size).", "见[上文](#A-size)。")]);
        let markdown =
            "# A size\n\n> See [above](#A-size).\n\nNot yet, and [there](p.ipynb#A-size).";
        let anchors = anchors::of_cell("p", markdown, &catalogue);
        assert_eq!(
            translate_markdown("p", markdown, &catalogue, &anchors),
            "# 大小\n\n> 见[上文](#大小)。\n\nNot yet, and [there](p.ipynb#大小)."
        );
        assert_eq!(of_markdown("p", markdown).len(), 3);
    }

    #[test]
    fn comments_and_what_learners_are_told_are_translated_in_code() {
        let json = r##"{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code",
            "id": "c", "metadata": {}, "outputs": [], "execution_count": null,
            "source": ["check!(exercises, \"1\", {\n", "    f(2) => 3, \"is it three?\"; // half\n", "});"]}]}"##;
        let mut notebook = Notebook::parse("p.ipynb".into(), json).expect("a notebook");
        let texts: Vec<String> =
            of_notebook(&notebook, true).into_iter().map(|it| it.text).collect();
        assert_eq!(texts, ["is it three?", "half"]);
        let catalogue = catalogue(&[("is it three?", "是三吗？"), ("half", "一半")]);
        translate_notebook(&mut notebook, true, &catalogue, &Anchors::new());
        let source = notebook.sources().next().expect("a cell").source;
        assert_eq!(source, "check!(exercises, \"1\", {\n    f(2) => 3, \"是三吗？\"; // 一半\n});");
    }
}
