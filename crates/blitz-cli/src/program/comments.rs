//! Markdown as comments: wrapped, headings that stand out, links with their addresses.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use std::ops::Range;
use unicode_linebreak::linebreaks;
use unicode_width::UnicodeWidthStr;

const OPTIONS: Options = Options::ENABLE_MATH.union(Options::ENABLE_TABLES);

/// The lines of a comment, without the slashes, wrapped at `width` columns where that can be. Tables,
/// formulas and code stay as they are; quoted code has the mark of a quotation before each line.
pub fn lines(markdown: &str, width: usize) -> Vec<String> {
    let markdown = with_addresses(markdown);
    let mut comment = Comment { width, ..Comment::default() };
    for (event, range) in Parser::new_ext(&markdown, OPTIONS).into_offset_iter() {
        comment.take(&event, range, &markdown);
    }
    comment.close(&markdown);
    while comment.lines.last().is_some_and(String::is_empty) {
        comment.lines.pop();
    }
    comment.lines
}

/// The text of the first heading.
pub fn title(markdown: &str) -> Option<String> {
    let markdown = with_addresses(markdown);
    let mut parser = Parser::new_ext(&markdown, OPTIONS).into_offset_iter();
    let range = parser.find_map(|(event, range)| {
        matches!(event, Event::Start(Tag::Heading { .. })).then_some(range)
    })?;
    Some(heading(&markdown[range]))
}

/// `[text](address)` as `text (address)`; within the page, and in its parts, the text alone.
fn with_addresses(markdown: &str) -> String {
    struct Link {
        range: Range<usize>,
        text: Option<Range<usize>>,
        address: String,
    }
    let mut links: Vec<Link> = Vec::new();
    let mut is_open = false;
    for (event, range) in Parser::new_ext(markdown, OPTIONS).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push(Link { range, text: None, address: dest_url.into_string() });
                is_open = true;
            }
            Event::End(TagEnd::Link | TagEnd::Image) => is_open = false,
            _ if is_open => {
                let text = links.last_mut().map(|link| &mut link.text);
                let text = text.map(|text| text.get_or_insert_with(|| range.clone()));
                if let Some(text) = text {
                    text.end = text.end.max(range.end);
                }
            }
            _ => {}
        }
    }
    let mut written = markdown.to_owned();
    for link in links.iter().rev() {
        let text = &markdown[link.text.clone().unwrap_or(link.range.start..link.range.start)];
        let address = link.address.split('#').next().unwrap_or_default();
        // A page or a place within it is named, an address elsewhere is given in full.
        let address = if link.address.contains("://") { &link.address } else { address };
        let plain = match (address.is_empty() || address == text, text.chars().any(is_wide)) {
            (true, _) => text.to_owned(),
            (false, false) => format!("{text} ({address})"),
            (false, true) => format!("{text}（{address}）"),
        };
        written.replace_range(link.range.clone(), &plain);
    }
    written
}

#[derive(Default)]
struct Comment {
    width: usize,
    lines: Vec<String>,
    /// The text of a block, which comes in parts.
    open: Option<Range<usize>>,
    quotations: usize,
    /// For each open list the number of its next item, where it has numbers.
    lists: Vec<Option<u64>>,
    /// What stands before the first line of an item.
    marker: Option<String>,
    is_code: bool,
    /// The text of the block has been taken as it is.
    is_taken: bool,
}

impl Comment {
    fn take(&mut self, event: &Event<'_>, range: Range<usize>, markdown: &str) {
        match event {
            Event::Text(text) if self.is_code => self.code(text),
            Event::End(TagEnd::Heading(_) | TagEnd::Table) => {
                self.is_taken = false;
                self.blank();
            }
            _ if self.is_taken => {}
            Event::Text(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::InlineHtml(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Start(Tag::Emphasis | Tag::Strong)
            | Event::End(TagEnd::Emphasis | TagEnd::Strong) => {
                let open = self.open.get_or_insert_with(|| range.clone());
                open.end = open.end.max(range.end);
            }
            _ => {
                self.close(markdown);
                self.block(event, &markdown[range]);
            }
        }
    }

    /// Begins or ends a block, whose source is `source`.
    fn block(&mut self, event: &Event<'_>, source: &str) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                self.blank();
                let rule = if *level == HeadingLevel::H1 { "=" } else { "-" };
                self.lines.push(ruled(&heading(source), rule, self.width));
                self.is_taken = true;
            }
            Event::Start(Tag::Table(_)) => {
                self.lines.extend(source.trim_end().lines().map(str::to_owned));
                self.is_taken = true;
            }
            Event::Start(Tag::CodeBlock(_)) => self.is_code = true,
            Event::End(TagEnd::CodeBlock) => {
                self.is_code = false;
                self.blank();
            }
            Event::Start(Tag::BlockQuote(_)) => self.quotations += 1,
            Event::End(TagEnd::BlockQuote(_)) => self.quotations -= 1,
            Event::Start(Tag::List(first)) => self.lists.push(*first),
            Event::End(TagEnd::List(_)) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.blank();
                }
            }
            Event::Start(Tag::Item) => {
                let number = self.lists.last_mut().and_then(Option::as_mut);
                self.marker = Some(match number {
                    Some(number) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    None => "- ".to_owned(),
                });
            }
            Event::End(TagEnd::Paragraph) if self.lists.is_empty() => self.blank(),
            _ => {}
        }
    }

    /// Writes the text that has come.
    fn close(&mut self, markdown: &str) {
        let Some(open) = self.open.take() else { return };
        // In a quotation, its marks stand between the lines.
        let mark = |line: &str| line.trim().trim_start_matches(['>', ' ']).to_owned();
        let text: Vec<String> = markdown[open].lines().map(mark).collect();
        let outer = "  ".repeat(self.lists.len().saturating_sub(1));
        let quotation = "> ".repeat(self.quotations);
        let marker = self.marker.take();
        let hang = match (&marker, self.lists.is_empty()) {
            (Some(marker), _) => " ".repeat(marker.len()),
            (None, true) => String::new(),
            (None, false) => "  ".to_owned(),
        };
        let first = format!("{quotation}{outer}{}", marker.unwrap_or(hang.clone()));
        let others = format!("{quotation}{outer}{hang}");
        self.lines.extend(wrapped(&text.join(" "), self.width, &first, &others));
    }

    /// Lines of code: quoted ones show by their mark that they are another language's.
    fn code(&mut self, text: &str) {
        let mark =
            if self.quotations > 0 { "> ".repeat(self.quotations) } else { "    ".to_owned() };
        self.lines.extend(text.lines().map(|line| format!("{mark}{line}").trim_end().to_owned()));
    }

    fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }
}

/// The text of a heading's source.
fn heading(source: &str) -> String {
    source.trim().trim_start_matches('#').trim().to_owned()
}

fn ruled(heading: &str, rule: &str, width: usize) -> String {
    let begin = format!("{} {heading} ", rule.repeat(4));
    let rest = width.saturating_sub(begin.as_str().width()).max(4);
    format!("{begin}{}", rule.repeat(rest))
}

/// `text` in lines of at most `width` columns where it may break: at spaces, and in scripts without
/// them, such as Chinese, where their rules allow it. Addresses and code stay whole.
fn wrapped(text: &str, width: usize, first: &str, others: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut is_begun = false;
    for word in words(text) {
        if is_begun && (line.as_str().width() + word.trim_end().width()) > width {
            lines.push(std::mem::replace(&mut line, others.to_owned()).trim_end().to_owned());
        }
        line.push_str(word);
        is_begun = true;
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// Whether it is of a script with its own marks and rules, such as Chinese.
fn is_wide(it: char) -> bool {
    it >= '\u{2e80}'
}

/// The parts of a text that stay whole, each with the space behind it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ').flat_map(|word| {
        let has_own_rules = word.chars().any(is_wide);
        let breaks = linebreaks(word).map(|(place, _)| place).filter(|place| {
            *place == word.len()
                || (has_own_rules && !word[..*place].ends_with(|it: char| it.is_ascii()))
        });
        let mut start = 0;
        breaks.map(move |end| &word[std::mem::replace(&mut start, end)..end]).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_lines_that_a_person_would_write() {
        let markdown = "# Tensors\n\nA *tensor* is\nan array.\n\n- one, with a text that goes on for a while\n- two\n\n\
                        1. first\n2. second\n\n> ```python\n> x = 1\n>\n> y = 2\n> ```\n\n```text\nas is\n```\n\n\
                        | a | b |\n|---|---|\n| `x` | \\| |\n\n<!-- real: id -->\n$$x + y$$\n";
        let expected = "==== Tensors ===========================\n\nA *tensor* is an array.\n\n\
                        - one, with a text that goes on for a\n  while\n- two\n\n1. first\n2. second\n\n\
                        > x = 1\n>\n> y = 2\n\n    as is\n\n| a | b |\n|---|---|\n| `x` | \\| |\n\n$$x + y$$";
        assert_eq!(lines(markdown, 40).join("\n"), expected);
    }

    #[test]
    fn links_have_their_addresses_behind_them() {
        let markdown =
            "See [`nn`](https://docs.rs/tch#x), [here](#here), [01](01_tensors.ipynb#End).";
        let expected = "See `nn` (https://docs.rs/tch#x), here, 01 (01_tensors.ipynb).";
        assert_eq!(lines(markdown, 100), [expected]);
        assert_eq!(lines("<https://a.b>", 100), ["https://a.b"]);
        assert_eq!(title("text\n\n## A `b` [c](d)\n"), Some("A `b` c (d)".to_owned()));
    }

    #[test]
    fn addresses_in_chinese_have_chinese_marks_and_stay_whole() {
        let text = "更深入的内容放在[附录](a3_in_depth.ipynb)里。";
        assert_eq!(lines(text, 100), ["更深入的内容放在附录（a3_in_depth.ipynb）里。"]);
        let wrapped = lines(text, 30);
        assert!(wrapped.iter().any(|line| line.contains("a3_in_depth.ipynb")), "{wrapped:?}");
    }

    #[test]
    fn chinese_wraps_without_spaces_and_by_its_rules() {
        let text = "张量是一个数组，可以有任意多个维度。模型接收张量，也返回张量。";
        let wrapped = lines(text, 20);
        assert!(wrapped.len() > 2 && wrapped.concat() == text, "{wrapped:?}");
        assert!(wrapped.iter().all(|line| line.width() <= 20), "{wrapped:?}");
        assert!(!wrapped.iter().any(|line| line.starts_with(['，', '。'])), "{wrapped:?}");
    }
}
