//! Which lines of a cell are commands of evcxr's (`:dep …`, `!ls`) and which are Rust.
//!
//! evcxr looks for commands line by line, and no further than the first line of Rust; blank lines
//! and comments at the start of a line do not count as such. Behind it, `!ready` and `:dep` are
//! Rust, or text in a string or a comment. Everything here that must tell the two apart asks this
//! module.
//!
//! The first line itself can be meant either way, and evcxr takes every `!…` and `:…` there for a
//! command. People mean:
//! - by `::module::f()`, `:` and `: x`, Rust: a command's name begins with a letter;
//! - by `!ls`, `!git status`, `!./run`, `!echo "a (b)"` a shell command, as in every notebook;
//! - by `!ready`, `!list.is_empty()`, `!(a && b)` Rust where `ready`, `list`, `a` is a name that the
//!   session knows, by `!true` and `!0` always, and by `!is_odd(3)`, `!cfg!(unix)`, `!a::B` always,
//!   because no shell command is written so. All of it only where the rest of the cell, with this
//!   line, can be Rust: with a variable `git`, `!git status` remains a shell command.
//!
//! [`settle`] writes the first line in the way that makes evcxr see it as it is meant.

use super::edits::Edits;
use super::{Completeness, completeness_of_rust, is_too_deep, tokens};
use ra_ap_syntax::{SyntaxKind, T};
use std::ops::Range;

/// A line of a cell that is a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// The line, from 1.
    pub line: usize,
    /// Where it stands in the cell, in bytes, without the line break.
    pub range: Range<usize>,
    /// The line without white space around it.
    pub text: &'a str,
}

/// What a line is while commands may follow.
enum Line {
    Command,
    /// Blank, or a comment.
    Nothing,
    Rust,
}

/// The commands in `code`, which is settled.
pub fn commands(code: &str) -> Vec<Command<'_>> {
    let mut commands = Vec::new();
    let mut start = 0;
    for (line, text) in (1..).zip(code.split_inclusive('\n')) {
        match kind(text) {
            Line::Command => commands.push(Command {
                line,
                range: start..start + text.trim_end_matches(['\r', '\n']).len(),
                text: text.trim(),
            }),
            Line::Nothing => {}
            Line::Rust => break,
        }
        start += text.len();
    }
    commands
}

/// `code`, which is settled, with its commands made blank. No offset in bytes changes.
pub fn without_commands(code: &str) -> String {
    blank(code, &commands(code))
}

/// `code` with the commands made blank that `settled`, which is `code` settled, has. They stand before
/// the place where settling changes anything, so no offset in bytes changes.
pub fn without_commands_of(settled: &str, code: &str) -> String {
    blank(code, &commands(settled))
}

fn blank(code: &str, commands: &[Command]) -> String {
    let mut blanked = code.to_owned();
    for command in commands {
        blanked.replace_range(command.range.clone(), &" ".repeat(command.range.len()));
    }
    blanked
}

/// What makes evcxr take the first lines of `code` as they are meant: a tab before a line of Rust
/// that begins like a command. `is_known` tells the names that the session has defined.
pub fn settle(code: &str, is_known: impl Fn(&str) -> bool) -> Edits {
    let mut edits = Edits::default();
    let mut start = 0;
    for text in code.split_inclusive('\n') {
        let is_meant_as_rust = match text.chars().next() {
            Some('!') => is_negation(&code[start..], &is_known),
            _ => text.trim_start().starts_with(':') && matches!(kind(text), Line::Rust),
        };
        if is_meant_as_rust {
            edits.insert(start, "\t", start..start);
        }
        if is_meant_as_rust || matches!(kind(text), Line::Rust) {
            break;
        }
        start += text.len();
    }
    edits
}

fn kind(line: &str) -> Line {
    let text = line.trim();
    let mut characters = text.chars();
    if characters.next() == Some(':') && characters.next().is_some_and(char::is_alphabetic) {
        // evcxr takes spaces before a command, and no tab.
        let indent = line.len() - line.trim_start_matches(' ').len();
        return if line[indent..].starts_with(':') { Line::Command } else { Line::Rust };
    }
    if line.starts_with('!') {
        return Line::Command;
    }
    if line.starts_with("//") || text.is_empty() { Line::Nothing } else { Line::Rust }
}

/// Whether `code`, which begins with `!`, is meant as Rust.
fn is_negation(code: &str, is_known: &impl Fn(&str) -> bool) -> bool {
    if is_too_deep(code) {
        return false;
    }
    let tokens = tokens(code);
    let mut words = tokens.iter().filter(|token| !token.kind().is_trivia()).peekable();
    let operators = [T![!], T![&], T![*], T![-], T!['(']];
    while words.next_if(|token| operators.contains(&token.kind())).is_some() {}
    let Some(head) = words.next() else { return true };
    let end = head.text_range().end();
    let next = words.next().filter(|next| next.text_range().start() == end);
    let is_of_rust = match head.kind() {
        SyntaxKind::INT_NUMBER | SyntaxKind::FLOAT_NUMBER | T![true] | T![false] => true,
        T![if] | T![match] | T![unsafe] | T![self] | T![Self] | T![crate] | T![::] => true,
        T![=] => true,
        SyntaxKind::IDENT => {
            let goes_on = next.is_some_and(|next| matches!(next.kind(), T!['('] | T![!] | T![::]));
            goes_on || is_known(head.text())
        }
        _ => false,
    };
    // `!=` is a comparison whose first line is missing: no command either.
    is_of_rust && (head.kind() == T![=] || completeness_of_rust(code) != Completeness::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(code: &str) -> Vec<&str> {
        commands(code).into_iter().map(|command| command.text).collect()
    }

    fn settled(code: &str) -> String {
        let known = ["ready", "list", "git", "a", "b"];
        settle(code, |name| known.contains(&name)).apply(code)
    }

    #[test]
    fn commands_stand_before_the_first_line_of_rust() {
        let code = "// one\n\n:dep a = \"1\"\r\n  :vars\n!ls -l\nlet x = a\n!b\n:dep c";
        assert_eq!(texts(code), [":dep a = \"1\"", ":vars", "!ls -l"]);
        assert_eq!(commands(code)[0].line, 3);
        assert_eq!(&code[commands(code)[0].range.clone()], ":dep a = \"1\"");
        for rust in [
            "let s = \"\n:dep a\n\";",
            "/*\n:dep a\n!ls\n*/",
            " // indented\n:dep a",
            "let x = if a\n    :b",
            "assert!(a &&\n!b)",
            "#![allow(unused)]\n:vars",
            " !a",
            "::std::mem::drop(1)",
            ":",
        ] {
            assert_eq!(texts(rust), [""; 0], "{rust}");
        }
    }

    #[test]
    fn blanking_moves_nothing() {
        let code = ":dep é = \"1\"\r\n!ls\nlet x = 1\n!y";
        let blanked = without_commands(code);
        assert_eq!(blanked.len(), code.len());
        assert!(blanked.ends_with("\r\n   \nlet x = 1\n!y"), "{blanked:?}");
        assert!(blanked[..11].trim().is_empty());
    }

    #[test]
    fn a_negation_on_the_first_line_is_rust() {
        for code in [
            "!ready",
            "!ready && list.is_empty()",
            "!list.is_empty()",
            "!!ready",
            "!(a && b)",
            "!true",
            "!0",
            "!0u8 & 7",
            "!cfg!(debug_assertions)",
            "!is_odd(3)",
            "!std::path::Path::new(\"/\").exists()",
            "!ready\n    && list.is_empty()",
            "!ready && (",
            "!*a",
            "!",
            "!= 3",
            "::std::mem::drop(1)",
            "!if a { b } else { a }",
        ] {
            assert_eq!(settled(code), format!("\t{code}"), "{code}");
            assert_eq!(texts(&settled(code)), [""; 0], "{code}");
        }
        assert_eq!(settled("// why\n!ls\n!ready"), "// why\n!ls\n\t!ready");
    }

    #[test]
    fn a_shell_command_stays_one() {
        for code in [
            "!ls",
            "!ls -la",
            "!git status",
            "!git commit -m \"a\"",
            "!./run.sh",
            "!/bin/ls",
            "!echo \"a (b)\" && ls",
            "!(cd / && ls)",
            "!python3 -c 'print(1)'",
            "!cat file.txt | wc -l",
            "!pwd\nlet x = 1;",
            "!pwd\n!ls",
            "!cargo --version",
            "!date",
            "!echo it's",
            ":dep a",
            "let x = a\n!b",
        ] {
            assert_eq!(settled(code), code, "{code}");
        }
    }
}
