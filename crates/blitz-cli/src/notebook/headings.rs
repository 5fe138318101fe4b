//! Headings as a page needs them: one title, and below it no level left out.
//!
//! Notebooks have further headings of the first level for their parts, as PyTorch's pages do. On a page
//! people who cannot see it find their way by the levels, so that there must be one first heading, and
//! each other one must stand one level below what it belongs to.

use super::formulas;
use super::nbformat::Notebook;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;

const OPTIONS: Options = Options::ENABLE_MATH.union(Options::ENABLE_TABLES);

/// Markdown has no deeper level.
const DEEPEST: usize = 6;

/// A heading in Markdown.
struct Heading {
    /// From its first `#`, or its first word.
    range: Range<usize>,
    /// Its text in Markdown.
    content: Range<usize>,
    /// Its text for people.
    text: String,
    /// 1 to 6, as written.
    level: usize,
}

/// Makes the notebook's first heading its title, `#`, and puts all others below it: each one level below
/// the nearest one before it that stands higher, whatever levels are left out between them.
pub fn demote(notebook: &mut Notebook) {
    // The levels, as written, of the headings that the next one may belong to, below the title.
    let mut above: Option<Vec<usize>> = None;
    notebook.edit_sources(
        |source, is_code| {
            if is_code { source.to_owned() } else { demoted(source, &mut above) }
        },
    );
}

/// The text of the first heading, without its marks.
pub fn title(notebook: &Notebook) -> Option<String> {
    let texts = notebook.sources().filter(|cell| !cell.is_code);
    texts.flat_map(|cell| headings(&cell.source)).map(|heading| heading.text).next()
}

/// The Markdown with the levels that its headings get behind those `above`.
fn demoted(markdown: &str, above: &mut Option<Vec<usize>>) -> String {
    let mut demoted = String::with_capacity(markdown.len());
    let mut end = 0;
    for heading in headings(markdown) {
        let level = match above {
            None => {
                *above = Some(Vec::new());
                1
            }
            Some(above) => {
                above.retain(|level| *level < heading.level);
                above.push(heading.level);
                (above.len() + 1).min(DEEPEST)
            }
        };
        demoted.push_str(&markdown[end..heading.range.start]);
        demoted.push_str(&written(markdown, &heading, level));
        end = heading.range.end;
    }
    demoted + &markdown[end..]
}

/// The heading with another level. One that is underlined has but two levels, and is written with `#`.
fn written(markdown: &str, heading: &Heading, level: usize) -> String {
    let original = &markdown[heading.range.clone()];
    let marks = "#".repeat(level);
    if original.starts_with('#') {
        return format!("{marks}{}", original.trim_start_matches('#'));
    }
    let content = &markdown[heading.content.clone()];
    let lines = content.lines().map(|line| line.trim_start_matches(['>', ' ']).trim_end());
    let line_break = if original.ends_with('\n') { "\n" } else { "" };
    format!("{marks} {}{line_break}", lines.collect::<Vec<_>>().join(" "))
}

/// The headings, in order. What looks like one in code, in HTML or in a formula is none.
fn headings(markdown: &str) -> Vec<Heading> {
    let joined = formulas::join_lines(markdown);
    let mut headings = Vec::new();
    let mut open: Option<Heading> = None;
    for (event, range) in Parser::new_ext(&joined, OPTIONS).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let content = range.end..range.start;
                open = Some(Heading { range, content, text: String::new(), level: level as usize });
            }
            Event::End(TagEnd::Heading(_)) => headings.extend(open.take()),
            event => {
                let Some(heading) = &mut open else { continue };
                heading.content.start = heading.content.start.min(range.start);
                heading.content.end = heading.content.end.max(range.end);
                match event {
                    Event::Text(text) | Event::Code(text) | Event::InlineMath(text) => {
                        heading.text += &text;
                    }
                    Event::SoftBreak | Event::HardBreak => heading.text.push(' '),
                    _ => {}
                }
            }
        }
    }
    headings
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::path::PathBuf;

    fn notebook(cells: &[&str]) -> Notebook {
        let cells: Vec<Value> = cells
            .iter()
            .map(|source| match source.strip_prefix("CODE ") {
                Some(code) => json!({"cell_type": "code", "metadata": {}, "source": code,
                                     "execution_count": null, "outputs": []}),
                None => json!({"cell_type": "markdown", "metadata": {}, "source": source}),
            })
            .collect();
        let json = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4});
        Notebook::parse(PathBuf::from("n.ipynb"), &json.to_string()).expect("a notebook")
    }

    fn demoted(cells: &[&str]) -> Vec<String> {
        let mut notebook = notebook(cells);
        demote(&mut notebook);
        notebook.sources().map(|cell| cell.source).collect()
    }

    #[test]
    fn all_headings_stand_below_the_title_and_no_level_is_left_out() {
        let cells = [
            "# Tensors\n\nText",
            "## How to read",
            "## A first tensor",
            "# Creating",
            "### Deep\n\n## Zeros #\n\n### Ones",
            "# End",
        ];
        let expected = [
            "# Tensors\n\nText",
            "## How to read",
            "## A first tensor",
            "## Creating",
            "### Deep\n\n### Zeros #\n\n#### Ones",
            "## End",
        ];
        assert_eq!(demoted(&cells), expected);
    }

    #[test]
    fn a_page_that_is_in_order_stays_and_the_first_heading_is_the_title() {
        let cells = ["# A\n", "## B", "### C", "## D"];
        assert_eq!(demoted(&cells), cells);
        assert_eq!(demoted(&["## A", "### B", "## C"]), ["# A", "## B", "## C"]);
        let deep: Vec<String> = (1..=6).map(|level| "#".repeat(level) + " x").collect();
        let deep: Vec<&str> = ["# T"].into_iter().chain(deep.iter().map(String::as_str)).collect();
        assert_eq!(demoted(&deep)[5..], ["###### x", "###### x"]);
    }

    #[test]
    fn what_looks_like_a_heading_elsewhere_stays() {
        let cells = [
            "# A",
            "```sh\n# a comment\n```\n\n> ```python\n> # pip install\n> ```\n\n~~~\n# B\n~~~",
            "    # indented code",
            "CODE #[derive(Debug)]\n# not Markdown",
            "<!--\n# hidden\n-->\n\n#hashtag, and # in a text",
            "$$\na\n=\nb\n$$\n\n$x\n- y$",
            "| a |\n|---|\n| # |\n\n---\n\ntext\n\n---",
        ];
        let expected: Vec<String> =
            cells.iter().map(|cell| cell.trim_start_matches("CODE ").to_owned()).collect();
        assert_eq!(demoted(&cells), expected);
    }

    #[test]
    fn underlined_headings_and_quoted_ones_are_headings() {
        let cells = [
            "Title `x`\n===\n\nText",
            "Part\n====\nText",
            "two *lines*\nlong\n---\n",
            "> # Q\n> q",
        ];
        let expected =
            ["# Title `x`\n\nText", "## Part\nText", "### two *lines* long\n", "> ## Q\n> q"];
        assert_eq!(demoted(&cells), expected);
    }

    #[test]
    fn the_title_is_the_first_heading_for_people() {
        let cells = ["Before", "CODE # no", "# The `item` of *a* [tensor](x.md)\n\n# Second"];
        assert_eq!(title(&notebook(&cells)).as_deref(), Some("The item of a tensor"));
        assert_eq!(title(&notebook(&["no heading"])), None);
    }
}
