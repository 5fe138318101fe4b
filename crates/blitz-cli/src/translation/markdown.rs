//! What of Markdown is for translators.

use super::code::{self, Language};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;

const OPTIONS: Options = Options::ENABLE_MATH.union(Options::ENABLE_TABLES);

/// The places of the texts to translate, in order: the contents of paragraphs, headings, items and
/// cells of tables that have words outside of code and formulas, and comments in blocks of code.
pub fn texts(markdown: &str) -> Vec<Range<usize>> {
    let mut texts = Texts::default();
    for (event, range) in Parser::new_ext(markdown, OPTIONS).into_offset_iter() {
        texts.take(&event, range, markdown);
    }
    texts.close();
    texts.found
}

#[derive(Default)]
struct Texts {
    found: Vec<Range<usize>>,
    open: Option<Range<usize>>,
    has_words: bool,
    is_code: bool,
    language: Option<Language>,
}

impl Texts {
    fn take(&mut self, event: &Event<'_>, range: Range<usize>, markdown: &str) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                self.close();
                self.is_code = true;
                self.language = match kind {
                    CodeBlockKind::Fenced(name) => Language::of(name),
                    CodeBlockKind::Indented => None,
                };
            }
            Event::End(TagEnd::CodeBlock) => self.is_code = false,
            // The block's lines come one by one: in a quotation, its marks stand between them.
            Event::Text(_) if self.is_code => {
                let comments = code::comments(&markdown[range.clone()], self.language);
                self.found.extend(comments.into_iter().map(|it| moved(it, range.start)));
            }
            Event::Html(_) => {
                self.close();
                self.found.extend(summary(markdown, range));
            }
            Event::Text(text) => {
                self.has_words |= text.chars().any(char::is_alphabetic);
                self.extend(range);
            }
            Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::InlineHtml(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Start(Tag::Emphasis | Tag::Strong | Tag::Link { .. } | Tag::Image { .. })
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Link | TagEnd::Image) => {
                self.extend(range);
            }
            _ => self.close(),
        }
    }

    fn extend(&mut self, range: Range<usize>) {
        let open = self.open.get_or_insert_with(|| range.clone());
        open.end = open.end.max(range.end);
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take()
            && self.has_words
        {
            self.found.push(open);
        }
        self.has_words = false;
    }
}

/// What a fold is called.
fn summary(markdown: &str, html: Range<usize>) -> Option<Range<usize>> {
    const BEGIN: &str = "<summary>";
    let text = &markdown[html.clone()];
    let begin = text.find(BEGIN)? + BEGIN.len();
    let length = text[begin..].find("</summary>")?;
    Some(moved(begin..begin + length, html.start))
}

fn moved(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(markdown: &str) -> Vec<&str> {
        texts(markdown).into_iter().map(|range| &markdown[range]).collect()
    }

    #[test]
    fn a_message_is_the_content_of_a_block() {
        let markdown = "# A `tensor`\n\nTwo lines\nof *one* paragraph.\n\n- first, `x`\n- $y$ second\n\n\
                        1. [a link](b.ipynb#c) here\n\n| Python | Rust |\n|---|---|\n| `x` | a word |\n";
        let expected = [
            "A `tensor`",
            "Two lines\nof *one* paragraph.",
            "first, `x`",
            "$y$ second",
            "[a link](b.ipynb#c) here",
            "Python",
            "Rust",
            "a word",
        ];
        assert_eq!(found(markdown), expected);
    }

    #[test]
    fn code_formulas_and_html_are_none_but_for_comments_and_summaries() {
        let markdown = "`code`\n\n$$x = y$$\n\n<details>\n<summary>Hint 1</summary>\n\nTry.\n\n</details>\n\n\
                        ```rust\nlet x = 1; // a number\n```\n\n> ```python\n> x = 1  # one\n> y = \"# no\"\n> ```\n\n\
                        ```sh\ncargo run # runs\n```\n\n```text\nplain # text\n```\n";
        assert_eq!(found(markdown), ["Hint 1", "Try.", "a number", "one", "runs"]);
    }
}
