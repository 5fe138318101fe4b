//! What keeps a cell from being read as Rust at all: characters that only look like Rust's, texts without
//! an end, brackets without a partner.
//!
//! rustc sees the cell within evcxr's lines. It takes a bracket of those for the missing partner, and names
//! no line of the cell, or none that its author wrote.

use super::{is_too_deep, line_at, opening, tokens_of};
use ra_ap_syntax::{Edition, Parse, SourceFile, SyntaxError, SyntaxKind, SyntaxToken};
use std::ops::Range;

/// What cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands in the cell, in bytes.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub helps: Vec<String>,
}

/// Characters of other scripts and of word processors, each with the one that it is taken for.
const LOOK_ALIKE: [(char, char); 34] = [
    ('“', '"'),
    ('”', '"'),
    ('„', '"'),
    ('＂', '"'),
    ('‘', '\''),
    ('’', '\''),
    ('，', ','),
    ('、', ','),
    ('；', ';'),
    ('：', ':'),
    ('。', '.'),
    ('．', '.'),
    ('！', '!'),
    ('？', '?'),
    ('（', '('),
    ('）', ')'),
    ('【', '['),
    ('】', ']'),
    ('［', '['),
    ('］', ']'),
    ('｛', '{'),
    ('｝', '}'),
    ('《', '<'),
    ('》', '>'),
    ('＜', '<'),
    ('＞', '>'),
    ('＝', '='),
    ('＋', '+'),
    ('－', '-'),
    ('×', '*'),
    ('＊', '*'),
    ('／', '/'),
    ('｜', '|'),
    ('＆', '&'),
];

/// The first fault of `code`, in which nothing is a command, if there is one.
pub fn fault(code: &str) -> Option<Fault> {
    if is_too_deep(code) {
        return None;
    }
    let parsed = SourceFile::parse(code, Edition::Edition2024);
    let tokens = tokens_of(&parsed.tree());
    let endless = endless(&parsed).first().copied();
    look_alike(code, &tokens)
        .or_else(|| without_end(code, &tokens, endless?))
        .or_else(|| without_partner(code, &tokens))
}

/// Where texts and comments without an end stand, in bytes: a place in each.
pub(super) fn endless(parsed: &Parse<SourceFile>) -> Vec<usize> {
    let is_endless = |error: &&SyntaxError| {
        let text = error.to_string();
        ENDLESS.iter().any(|it| text.contains(it))
    };
    let errors = parsed.errors();
    errors.iter().filter(is_endless).map(|error| error.range().start().into()).collect()
}

/// What the lexer says of a text or a comment without an end.
// Not translated: rust-analyzer's words.
const ENDLESS: [&str; 3] =
    ["Missing trailing `\"`", "Missing trailing `*/`", "Invalid raw string literal"];

fn range(token: &SyntaxToken) -> Range<usize> {
    token.text_range().start().into()..token.text_range().end().into()
}

fn meant_by(token: &SyntaxToken) -> Option<(char, char)> {
    let mut characters = token.text().chars();
    let character = characters.next().filter(|_| token.kind() == SyntaxKind::ERROR)?;
    LOOK_ALIKE.into_iter().find(|(found, _)| *found == character)
}

fn look_alike(code: &str, tokens: &[SyntaxToken]) -> Option<Fault> {
    let (first, (found, meant)) = tokens.iter().find_map(|it| Some((it, meant_by(it)?)))?;
    let range = range(first);
    let (_, start) = line_at(code, range.start);
    let mut mended = code[start..].lines().next().unwrap_or_default().to_owned();
    let of_line = start..start + mended.len();
    for token in tokens.iter().filter(|it| of_line.contains(&self::range(it).start)).rev() {
        if let Some((_, meant)) = meant_by(token) {
            let at = self::range(token);
            let length = token.text().chars().next().map_or(0, char::len_utf8);
            mended.replace_range(at.start - start..at.start - start + length, &meant.to_string());
        }
    }
    let mended = mended.trim();
    Some(Fault {
        range: range.start..range.start + found.len_utf8(),
        message: format!("`{found}` is another character than `{meant}`, which Rust knows"),
        helps: vec![format!("write `{mended}`")],
    })
}

fn without_end(code: &str, tokens: &[SyntaxToken], at: usize) -> Option<Fault> {
    let endless = tokens.iter().find(|token| range(token).contains(&at))?;
    if endless.kind() == SyntaxKind::COMMENT {
        let message = "this comment has no end: `*/` is missing".to_owned();
        return Some(Fault { range: first_line(endless), message, helps: Vec::new() });
    }
    // Where one has no end, the next one's beginning ends it, and so on.
    let goes_on = |token: &&SyntaxToken| {
        token.kind() == SyntaxKind::STRING
            && token.text().starts_with('"')
            && token.text().lines().next().is_some_and(|line| !line.ends_with('\\'))
            && token.text().contains('\n')
    };
    let first = tokens.iter().find(goes_on).unwrap_or(endless);
    let range = first_line(first);
    let mut helps = Vec::new();
    if let Some(quote) = code[range.clone()].chars().find(|it| ['”', '“', '＂'].contains(it)) {
        helps.push(format!("`{quote}` does not end a text, `\"` does"));
    }
    // That of `r#"a"#` ends with as many signs as it begins with.
    let signs = first.text().split('"').next().unwrap_or_default().matches('#').count();
    let end = format!("\"{}", "#".repeat(signs));
    let message = format!("this text has no end: a `{end}` is missing");
    Some(Fault { range, message, helps })
}

fn first_line(token: &SyntaxToken) -> Range<usize> {
    let start = range(token).start;
    start..start + token.text().lines().next().map_or(1, str::len)
}

fn without_partner(code: &str, tokens: &[SyntaxToken]) -> Option<Fault> {
    use SyntaxKind::{L_BRACK, L_CURLY, L_PAREN};
    let mut open: Vec<&SyntaxToken> = Vec::new();
    let mut pairs = Vec::new();
    for token in tokens {
        match (token.kind(), opening(token.kind())) {
            (L_CURLY | L_PAREN | L_BRACK, _) => open.push(token),
            (_, Some(wanted)) => match open.pop() {
                None => return Some(never_opened(token)),
                Some(before) if before.kind() != wanted => {
                    return Some(closed_by_another(code, before, token));
                }
                Some(before) => pairs.push((before, token)),
            },
            _ => {}
        }
    }
    let never_closed = open.pop()?;
    let range = range(never_closed);
    let inside = pairs.iter().filter(|(before, _)| self::range(before).start > range.start);
    let help = inside.filter_map(|(before, after)| indented_otherwise(code, before, after)).next();
    Some(Fault {
        range,
        message: format!("this `{}` is never closed", never_closed.text()),
        helps: help.into_iter().collect(),
    })
}

fn never_opened(token: &SyntaxToken) -> Fault {
    let message = format!("this `{}` closes nothing that is open", token.text());
    Fault { range: range(token), message, helps: Vec::new() }
}

fn closed_by_another(code: &str, before: &SyntaxToken, after: &SyntaxToken) -> Fault {
    let (open, close) = (before.text(), after.text());
    let (line, _) = line_at(code, range(after).start);
    let message = format!("this `{open}` is not closed before `{close}` in line {line}");
    Fault { range: range(before), message, helps: Vec::new() }
}

/// That a bracket, the first of its line, closes one of a line with another indentation: there is where
/// one may be missing.
fn indented_otherwise(code: &str, before: &SyntaxToken, after: &SyntaxToken) -> Option<String> {
    let (from, to) = (range(before).start, range(after).start);
    let ((from, from_start), (to, to_start)) = (line_at(code, from), line_at(code, to));
    let indentation = |start: usize| code[start..].len() - code[start..].trim_start().len();
    let is_first = code[to_start..range(after).start].trim().is_empty();
    (is_first && indentation(from_start) != indentation(to_start)).then(|| {
        let (open, close) = (before.text(), after.text());
        format!(
            "`{close}` in line {to} closes `{open}` of line {from}, which is indented otherwise: one may be \
             missing between them"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::commands::without_commands;

    fn fault(code: &str) -> Option<Fault> {
        super::fault(&without_commands(code))
    }

    /// What is said of a cell, of which part of it, and what helps.
    fn said(code: &str) -> Option<(String, String, String)> {
        let Fault { range, message, helps } = fault(code)?;
        Some((code[range].to_owned(), message, helps.join("\n")))
    }

    fn told(of: &str, message: &str, help: &str) -> Option<(String, String, String)> {
        Some((of.to_owned(), message.to_owned(), help.to_owned()))
    }

    #[test]
    fn what_can_be_read_is_left_to_rustc() {
        for code in [
            "let x = (1, [2, 3]); { f(|y| y) }",
            ":dep tch = \"0.24\"\nlet 名字 = \"（“全角”，\"; // （，\n'（'; r#\"a \" b\"#; b\"x\"",
            "let t: &'static str = 'a: loop { break 'a \"x\\\"\" };\nlet two = \"a \\\n   b\nc\";",
            "println!(\"{{\"); /* ( /* [ */ */",
            "let let = ;",
            "",
        ] {
            assert_eq!(fault(code), None, "{code}");
        }
    }

    #[test]
    fn a_character_that_looks_like_rusts_is_named_and_its_line_mended() {
        let message = "`（` is another character than `(`, which Rust knows";
        assert_eq!(
            said("let a = 1;\nlet z = f（3）；"),
            told("（", message, "write `let z = f(3);`")
        );
        let message = "`“` is another character than `\"`, which Rust knows";
        let help = "write `let c = [\"plane\", \"car\"];`";
        assert_eq!(said("let c = [“plane”, \"car\"];"), told("“", message, help));
        assert_eq!(fault("let 平均 = \"，\"; // 。"), None);
    }

    #[test]
    fn a_text_without_an_end_is_found_where_it_begins() {
        let message = "this text has no end: a `\"` is missing";
        assert_eq!(said("let x = 1;\nlet s = \"abc;\nx"), told("\"abc;", message, ""));
        assert_eq!(said("print!(\"a);\nprint!(\"b\");"), told("\"a);", message, ""));
        let help = "`”` does not end a text, `\"` does";
        assert_eq!(said("println!(\"形状：{}”, 1);"), told("\"形状：{}”, 1);", message, help));
        let message = "this text has no end: a `\"#` is missing";
        assert_eq!(said("let r = r#\"a\";\nx"), told("r#\"a\";", message, ""));
        let message = "this comment has no end: `*/` is missing";
        assert_eq!(said("f();\n/* why"), told("/* why", message, ""));
    }

    #[test]
    fn a_bracket_without_a_partner_is_named() {
        assert_eq!(said("let x = (1, 2;"), told("(", "this `(` is never closed", ""));
        assert_eq!(said("f(1))"), told(")", "this `)` closes nothing that is open", ""));
        let message = "this `(` is not closed before `}` in line 2";
        assert_eq!(said("for i in v { print!(\"{i}\"\n}"), told("(", message, ""));
        assert_eq!(
            said(":vars\ng([1)"),
            told("[", "this `[` is not closed before `)` in line 2", "")
        );
        let help = "`}` in line 4 closes `{` of line 2, which is indented otherwise: one may be missing \
                    between them";
        let code = "fn f() {\n    if x {\n        y();\n}";
        assert_eq!(said(code), told("{", "this `{` is never closed", help));
    }
}
