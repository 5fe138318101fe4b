//! What of code is for translators: comments, and in exercises what a learner is told.

use std::ops::Range;

/// A language by its comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `//`
    Rust,
    /// `#`
    Python,
    /// `#`
    Shell,
}

impl Language {
    /// The language that a fence names.
    pub fn of(name: &str) -> Option<Language> {
        match name {
            "rust" => Some(Language::Rust),
            "python" => Some(Language::Python),
            "sh" => Some(Language::Shell),
            _ => None,
        }
    }

    fn comment(self) -> &'static str {
        match self {
            Language::Rust => "//",
            Language::Python | Language::Shell => "#",
        }
    }
}

/// Comments that tools read: they stay as they are.
const MARKERS: [&str; 3] = ["BEGIN ", "END ", "INSTEAD"];
/// Begins the comments that are code of a learner's version.
const INSTEAD: &str = "// INSTEAD";
const END: &str = "// END SOLUTION";

/// The places of what comments say, in order.
pub fn comments(code: &str, language: Option<Language>) -> Vec<Range<usize>> {
    let Some(language) = language else { return Vec::new() };
    let code_of_learners = instead(code);
    let parts = parts(code, language).into_iter();
    let comments = parts.filter(|part| part.kind == Kind::Comment).map(|part| part.range);
    comments
        .filter(|range| {
            let text = &code[range.clone()];
            let is_marker = MARKERS.iter().any(|marker| text.starts_with(marker));
            let is_code = code_of_learners.iter().any(|it| it.contains(&range.start));
            !is_marker && !is_code && text.chars().any(char::is_alphabetic)
        })
        .collect()
}

/// The places of what a learner is told by the cell of an exercise: titles, hints, questions, and what
/// `todo!` asks for.
pub fn told(code: &str) -> Vec<Range<usize>> {
    let is_told = |range: &Range<usize>| {
        let (text, before) = (&code[range.clone()], code[..range.start - 1].trim_end());
        let is_sentence = text.contains(' ') || !text.is_ascii();
        let asks = before.ends_with("todo!(");
        let declares = code.contains("Exercises::new(") && (before.ends_with([',', '[']));
        let is_last = code[range.end..].starts_with("\";");
        let questions = code.contains("check!(") && before.ends_with(',') && is_last;
        asks || is_sentence && (declares || questions)
    };
    let strings = parts(code, Language::Rust).into_iter();
    let mut found: Vec<Range<usize>> = strings
        .filter(|part| part.kind == Kind::String)
        .map(|part| part.range)
        .filter(is_told)
        .collect();
    found.extend(instead(code).into_iter().flat_map(|lines| asked(code, lines)));
    found.sort_by_key(|range| range.start);
    found
}

/// What `todo!("…")` says in a learner's version, which is a comment here.
fn asked(code: &str, lines: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    const TODO: &str = "todo!(\"";
    let starts = code[lines.clone()].match_indices(TODO).map(|(at, _)| at + TODO.len());
    starts.map(move |at| lines.start + at..string_end(code, lines.start + at - 1))
}

/// Where the comments are that become a learner's code.
fn instead(code: &str) -> Vec<Range<usize>> {
    let begins = code.match_indices(INSTEAD).map(|(at, _)| at + INSTEAD.len());
    begins.map(|at| at..code[at..].find(END).map_or(code.len(), |length| at + length)).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Comment,
    String,
}

/// A comment without its mark, or a string without its quotes.
struct Part {
    kind: Kind,
    range: Range<usize>,
}

fn parts(code: &str, language: Language) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(first) = code[at..].chars().next() {
        let rest = &code[at..];
        let line_end = at + rest.find('\n').unwrap_or(rest.len());
        if rest.starts_with(language.comment()) {
            let text = rest[..line_end - at].trim_start_matches(['/', '#', '!']).trim_start();
            let end = at + rest[..line_end - at].trim_end().len();
            parts.push(Part {
                kind: Kind::Comment,
                range: line_end - text.len()..end.max(line_end - text.len()),
            });
            at = line_end;
        } else if first == '"' {
            let end = string_end(code, at);
            parts.push(Part { kind: Kind::String, range: at + 1..end });
            at = (end + 1).min(code.len());
        } else if first == '\'' {
            at += quoted_character(rest, language);
        } else {
            at += first.len_utf8();
        }
    }
    parts
}

/// The place of the quote that ends the string which begins at `start`.
fn string_end(code: &str, start: usize) -> usize {
    let mut is_escaped = false;
    for (at, character) in code[start + 1..].char_indices() {
        match character {
            '"' if !is_escaped => return start + 1 + at,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    code.len()
}

/// The length of `'x'` or of Python's `'text'`, and 1 for what begins a lifetime.
fn quoted_character(rest: &str, language: Language) -> usize {
    let closing = rest[1..].find('\'').map(|at| at + 2);
    match (language, closing) {
        (Language::Python | Language::Shell, Some(length)) if !rest[..length].contains('\n') => {
            length
        }
        (Language::Rust, Some(length)) if rest[..length].chars().count() <= 4 => length,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(code: &str, ranges: Vec<Range<usize>>) -> Vec<&str> {
        ranges.into_iter().map(|range| &code[range]).collect()
    }

    #[test]
    fn comments_are_found_and_strings_are_not() {
        let code = "let x = \"// no\"; // yes, 'this'  \n/// And this.\nlet c = '\"'; // too\nfn f<'a>() {} // x";
        let rust = texts(code, comments(code, Some(Language::Rust)));
        assert_eq!(rust, ["yes, 'this'", "And this.", "too", "x"]);
        let code = "x = '#' # one\ny = 2 #  \n# 3\n";
        assert_eq!(texts(code, comments(code, Some(Language::Python))), ["one"]);
        assert!(comments(code, None).is_empty());
    }

    #[test]
    fn the_code_of_a_learner_is_no_comment_but_what_it_asks_is_told() {
        let code = "fn f() -> i64 {\n    // BEGIN SOLUTION\n    3 // three\n    // INSTEAD\n    \
                    // let y = 3;\n    // todo!(\"the \\\"number\\\"\")\n    // todo!(\"one\")\n    // END SOLUTION\n}";
        assert_eq!(texts(code, comments(code, Some(Language::Rust))), ["three"]);
        assert_eq!(texts(code, told(code)), ["the \\\"number\\\"", "one"]);
    }

    #[test]
    fn titles_hints_and_questions_are_told_and_names_are_not() {
        let code = "let exercises = Exercises::new(\"01_tensors\")\n    .exercise(\"1\", \"Three sizes\", \
                    &[\"Try `zeros`.\", \"Give it \\\"2\\\".\"]);";
        assert_eq!(texts(code, told(code)), ["Three sizes", "Try `zeros`.", "Give it \\\"2\\\"."]);
        let code = "check!(exercises, \"3\", {\n    name(\"a b\", \"c d\") => \"plane car\", \"is it the first? Or not\";\n});";
        assert_eq!(texts(code, told(code)), ["is it the first? Or not"]);
    }
}
