//! The messages in a Rust source: what its strings say to people.
//!
//! A string is a message where it has words side by side, and a single word where it is given to one of
//! the functions in [`TOLD`]. It is none in tests and documentation, where a program compares with it
//! ([`READ`]), where it is for developers ([`INTERNAL`]), and where it is a value's own text, which
//! programs print (`write!(f, …)`). Lines behind `// Not translated` are passed over, up to the next
//! that ends with a semicolon; or a line that ends so. A line that ends with `// A message` holds one
//! that has no words of its own.

use anyhow::{Result, anyhow};
use blitz_messages::Template;
use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};
use std::collections::HashSet;

#[cfg(test)]
mod tests;

/// What these are given is told to people, single words too.
const TOLD: [&str; 4] = ["io", "say", "told", "translated"];
/// What these are given is looked for in a text, or is a name.
const READ: [&str; 16] = [
    "contains",
    "context_of",
    "ends_with",
    "env",
    "find",
    "get",
    "has",
    "join",
    "name",
    "replace",
    "split",
    "split_once",
    "starts_with",
    "strip_prefix",
    "strip_suffix",
    "trim_start_matches",
];
/// These speak to developers: they tell of a mistake in this project.
const INTERNAL: [&str; 9] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "error_reply",
    "expect",
    "include_str",
    "json",
    "unreachable",
];
/// These write a value's own text, where `f` comes first.
const DISPLAY: [&str; 3] = ["write", "writeln", "write_str"];
/// The first string of these has placeholders.
const FORMATS: [&str; 14] = [
    "anyhow",
    "bail",
    "ensure",
    "eprint",
    "eprintln",
    "error",
    "format",
    "panic",
    "print",
    "println",
    "todo",
    "unimplemented",
    "write",
    "writeln",
];
/// A text of these alone is code.
const KEYWORDS: [&str; 5] = ["async", "let", "loop", "move", "mut"];
/// Behind a message without words.
const MESSAGE: &str = "// A message";
/// Before lines that are no messages.
const MARKER: &str = "// Not translated";

/// The messages of `source`, in order, each in a [`Template`]'s notation.
///
/// # Errors
/// It is no Rust.
pub fn messages(source: &str) -> Result<Vec<String>> {
    let tokens: TokenStream = source.parse().map_err(|error| anyhow!("no Rust: {error}"))?;
    let lines = (1..).zip(source.lines()).filter(|(_, line)| line.contains(MESSAGE));
    let named = lines.map(|(number, _)| number).collect();
    let mut found = Found { left_out: left_out(source), named, messages: Vec::new() };
    found.walk(tokens, &Context::default());
    Ok(found.messages)
}

/// What is around a string.
#[derive(Clone, Default)]
struct Context {
    /// The macro, function or attribute whose argument it is.
    call: String,
    /// It is a macro's argument.
    is_macro: bool,
}

struct Found {
    /// The lines that are passed over, from 1.
    left_out: HashSet<usize>,
    /// The lines of messages without words.
    named: HashSet<usize>,
    messages: Vec<String>,
}

impl Found {
    fn walk(&mut self, tokens: TokenStream, context: &Context) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let (mut index, mut is_first) = (0, true);
        while let Some(token) = tokens.get(index) {
            let before = &tokens[..index];
            index += 1;
            match token {
                TokenTree::Group(group) if is_mark(before, '#') => {
                    if is_test(group) {
                        index += item_length(&tokens[index..]);
                    } else if let Some(text) = attribute_error(group) {
                        self.walk(text, &Context { call: "error".to_owned(), is_macro: true });
                    }
                }
                TokenTree::Group(group) => self.group(group, before, context),
                TokenTree::Literal(literal) => {
                    if !is_pattern(before, &tokens[index..]) {
                        let has_placeholders =
                            is_first && context.is_macro && FORMATS.contains(&&*context.call);
                        self.literal(literal, has_placeholders, context);
                    }
                    is_first &= string(literal).is_none();
                }
                _ => {}
            }
        }
    }

    fn group(&mut self, group: &Group, before: &[TokenTree], context: &Context) {
        let inner = match called(before) {
            Some(inner) => inner,
            // A list or a block in an argument still is the argument.
            None => Context { is_macro: false, ..context.clone() },
        };
        let call = inner.call.as_str();
        let is_display = DISPLAY.contains(&call) && (is_f(group) || call == "write_str");
        let is_block = group.delimiter() == Delimiter::Brace;
        if READ.contains(&call) && !is_block || INTERNAL.contains(&call) || is_display {
            return;
        }
        let inner = if is_block && !inner.is_macro { Context::default() } else { inner };
        self.walk(group.stream(), &inner);
    }

    fn literal(&mut self, literal: &Literal, has_placeholders: bool, context: &Context) {
        let line = literal.span().start().line;
        let Some(text) = string(literal).filter(|_| !self.left_out.contains(&line)) else { return };
        let template = match has_placeholders {
            true => Template::parse(&text),
            false => Some(Template::plain(&text)),
        };
        let Some(template) = template.map(Template::trimmed) else { return };
        let fixed = template.literals().join("…");
        let is_word = TOLD.contains(&&*context.call) && has_word(&fixed);
        if is_prose(&fixed) || is_word || self.named.contains(&line) {
            self.messages.push(template.to_string());
        }
    }
}

/// Whether a program compares with the string: `== "text"`, `"text" =>`, `"text" |`.
fn is_pattern(before: &[TokenTree], after: &[TokenTree]) -> bool {
    let is_mark = |token: Option<&TokenTree>, mark: char| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark);
    let ends_with = |first: char, second: char| {
        let mut last = before.iter().rev();
        is_mark(last.next(), second) && is_mark(last.next(), first)
    };
    let is_arm = is_mark(after.first(), '=') && is_mark(after.get(1), '>');
    ends_with('=', '=') || ends_with('!', '=') || is_arm || is_mark(after.first(), '|')
}

/// What is called with the group behind `before`: `name!(…)`, `name(…)`, `.name::<T>(…)`.
fn called(before: &[TokenTree]) -> Option<Context> {
    match before {
        [.., TokenTree::Ident(name), TokenTree::Punct(mark)] if mark.as_char() == '!' => {
            Some(Context { call: name.to_string(), is_macro: true })
        }
        [.., TokenTree::Ident(name)] => Some(Context { call: name.to_string(), is_macro: false }),
        _ => None,
    }
}

fn is_mark(before: &[TokenTree], mark: char) -> bool {
    matches!(before, [.., TokenTree::Punct(punct)] if punct.as_char() == mark)
        || matches!(before, [.., TokenTree::Punct(punct), TokenTree::Punct(bang)]
            if punct.as_char() == mark && bang.as_char() == '!')
}

/// `[cfg(test)]`
fn is_test(attribute: &Group) -> bool {
    attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// What stands in `[error("…")]`.
fn attribute_error(attribute: &Group) -> Option<TokenStream> {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(name), TokenTree::Group(inner)] if name == "error" => {
            Some(inner.stream())
        }
        _ => None,
    }
}

/// The tokens up to the end of the item that begins here.
fn item_length(tokens: &[TokenTree]) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    tokens.iter().position(is_end).map_or(tokens.len(), |index| index + 1)
}

/// Whether the first argument is `f`, a formatter.
fn is_f(group: &Group) -> bool {
    let first = group.stream().into_iter().next();
    matches!(first, Some(TokenTree::Ident(name)) if name == "f" || name == "formatter")
}

/// What a string says; `None` for another literal.
fn string(literal: &Literal) -> Option<String> {
    syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|it| it.value())
}

/// Whether a text has two words, or one beside a space or a value, and is no markup.
fn is_prose(text: &str) -> bool {
    let is_markup = ["</", "=\"", "\u{1b}"].iter().any(|mark| text.contains(mark));
    let is_keyword = |word: &&str| KEYWORDS.contains(word);
    let is_code = text
        .split(|it: char| !it.is_alphanumeric())
        .filter(|it| !it.is_empty())
        .all(|it| is_keyword(&it));
    has_word(text) && text.contains(' ') && !is_markup && !is_code
}

fn has_word(text: &str) -> bool {
    text.split(|it: char| !it.is_alphabetic()).any(|word| word.chars().count() > 1)
}

/// The lines that a marker leaves out.
fn left_out(source: &str) -> HashSet<usize> {
    let (mut lines, mut is_left_out) = (HashSet::new(), false);
    for (number, line) in (1..).zip(source.lines()) {
        let (line, marked) = (line.trim(), line.contains(MARKER));
        if marked || is_left_out {
            lines.insert(number);
        }
        let is_alone = line.starts_with("//");
        is_left_out = (is_left_out || marked && is_alone) && (is_alone || !line.ends_with(';'));
    }
    lines
}
