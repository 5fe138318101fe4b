//! The address of each section of a page: its English heading's, in every language.

use crate::notebook::nbformat::Notebook;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The addresses of a notebook's sections, in order.
pub fn of_notebook(notebook: &Notebook) -> Vec<String> {
    let texts = notebook.sources().filter(|cell| !cell.is_code);
    distinct(texts.flat_map(|cell| headings(&cell.source)))
}

/// The addresses of a Markdown page's sections, in order.
pub fn of_markdown(text: &str) -> Vec<String> {
    distinct(headings(text).into_iter())
}

/// The texts of the headings in `markdown`, without those in quotations and lists, which begin no
/// section.
pub fn headings(markdown: &str) -> Vec<String> {
    let (mut headings, mut open, mut depth) = (Vec::new(), None, 0);
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::BlockQuote(_) | Tag::List(_)) => depth += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_)) => depth -= 1,
            Event::Start(Tag::Heading { .. }) if depth == 0 => open = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => headings.extend(open.take()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut open {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    headings
}

/// An address for each heading: lower case, with hyphens, and a number where one stands twice.
fn distinct(headings: impl Iterator<Item = String>) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for heading in headings {
        let words = heading.to_lowercase();
        let words = words.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty());
        let slug = words.collect::<Vec<_>>().join("-");
        // An address begins with a letter.
        let slug = if slug.starts_with(|it: char| it.is_ascii_alphabetic()) {
            slug
        } else {
            format!("section-{slug}")
        };
        let same = anchors.iter().filter(|it| **it == slug).count();
        let numbered = (same + 1..).map(|number| format!("{slug}-{number}"));
        let candidates = std::iter::once(slug.clone()).chain(numbered);
        anchors.extend(candidates.into_iter().find(|it| !anchors.contains(it)));
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_heading_has_an_address_of_its_own() {
        let text = "# 1. Load\n\n```sh\n# no heading\n```\n\n## `no_grad`\n\n## From a `Vec`: how?\n\nLoad\n---\n\n\
                    ## no_grad\n\n> # quoted\n\n## 张量\n\n## 形状";
        let anchors = of_markdown(text);
        let expected = [
            "section-1-load",
            "no-grad",
            "from-a-vec-how",
            "load",
            "no-grad-2",
            "section-",
            "section--2",
        ];
        assert_eq!(anchors, expected);
    }
}
