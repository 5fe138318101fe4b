//! Statics that a notebook's macros make.
//!
//! What a macro calls its static is known only where it is called, so the name of the place is put
//! together there: `export_name = concat!("…", stringify!($name))`.

use super::Static;
use crate::notebook::definition::{Definition, Kind};
use crate::notebook::store::Store;
use crate::syntax;
use ra_ap_syntax::ast::{self};
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, SyntaxToken, TextRange};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// For each macro with statics that `definition` calls, its symbol and what tells the calls apart.
pub fn symbols(store: &Store, definition: &Definition) -> Vec<String> {
    let mut symbols = Vec::new();
    let called = store.active().filter(|it| it.kind == Kind::Macro && it.words.contains("static"));
    for called in called.filter(|it| it.names.iter().any(|name| definition.words.contains(name))) {
        let statics = statics(called);
        if statics.is_empty() || definition.kind == Kind::Macro {
            continue;
        }
        let calls = calls(&definition.source, called);
        let tail = |call: &String| {
            let mut hasher = DefaultHasher::new();
            (&definition.keys, call).hash(&mut hasher);
            hasher.finish()
        };
        for call in &calls {
            symbols.extend(statics.iter().map(|it| format!("{}{:016x}", it.symbol, tail(call))));
        }
    }
    symbols
}

/// The calls of the macro `called` in `source`.
fn calls(source: &str, called: &Definition) -> Vec<String> {
    let file = SourceFile::parse(source, Edition::Edition2024).tree();
    let calls = file.syntax().descendants().filter_map(ast::MacroCall::cast);
    let is_of = |call: &ast::MacroCall| {
        let name = call.path().and_then(|path| path.segment()?.name_ref());
        name.is_some_and(|name| called.names.iter().any(|it| name.text() == it))
    };
    calls.filter(is_of).map(|call| syntax::normalized(&call.syntax().text().to_string())).collect()
}

/// The statics in what a macro becomes.
pub fn statics(definition: &Definition) -> Vec<Static> {
    let file = SourceFile::parse(&definition.source, Edition::Edition2024).tree();
    let Some(rules) = file.syntax().descendants().find_map(ast::MacroRules::cast) else {
        return Vec::new();
    };
    let parts = rules.token_tree().map(|it| it.syntax().clone());
    let parts = parts.iter().flat_map(|it| it.children()).filter_map(ast::TokenTree::cast);
    // A pattern, then what it becomes.
    let bodies = parts.skip(1).step_by(2);
    bodies.flat_map(|body| in_body(definition, &body)).collect()
}

fn in_body(definition: &Definition, body: &ast::TokenTree) -> Vec<Static> {
    let tokens: Vec<SyntaxToken> = body
        .syntax()
        .descendants_with_tokens()
        .filter_map(|it| it.into_token())
        .filter(|token| !token.kind().is_trivia())
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].text() == "thread_local"
            && let Some(end) = end_of_call(&tokens, at)
        {
            let within = at + 3..end;
            let start = (within.clone()).find(|at| tokens[*at].kind() == SyntaxKind::STATIC_KW);
            if let Some(parts) = start.and_then(|start| parts(&tokens[..end], start)) {
                let end = if tokens.get(end + 1).is_some_and(|it| it.text() == ";") {
                    end + 1
                } else {
                    end
                };
                found.push(of_thread_local(definition, &tokens, at, end, &parts));
            }
            at = end;
        } else if tokens[at].kind() == SyntaxKind::STATIC_KW
            && let Some(parts) = parts(&tokens, at)
        {
            let end = parts.end;
            found.push(of_static(definition, &tokens, at, &parts));
            at = end;
        }
        at += 1;
    }
    found
}

/// A static's parts, as texts.
struct Parts {
    is_mut: bool,
    name: String,
    kind: String,
    /// The index of the token that ends it.
    end: usize,
}

fn parts(tokens: &[SyntaxToken], start: usize) -> Option<Parts> {
    let mut at = start + 1;
    let is_mut = tokens.get(at)?.kind() == SyntaxKind::MUT_KW;
    at += usize::from(is_mut);
    let length = if tokens.get(at)?.kind() == SyntaxKind::DOLLAR { 2 } else { 1 };
    let name = text(tokens.get(at..at + length)?);
    at += length;
    if tokens.get(at)?.text() != ":" {
        return None;
    }
    let type_start = at + 1;
    let mut depth = 0;
    let mut equals = None;
    for (index, token) in tokens.iter().enumerate().skip(type_start) {
        match token.text() {
            "(" | "[" | "{" | "<" => depth += 1,
            ">" if tokens[index - 1].text() == "-" => {}
            ")" | "]" | "}" | ">" => depth -= 1,
            "=" if depth == 0 && equals.is_none() => equals = Some(index),
            ";" if depth == 0 => {
                let kind = text(&tokens[type_start..equals?]);
                return Some(Parts { is_mut, name, kind, end: index });
            }
            _ => {}
        }
        // Comparisons in the value are no brackets; what ends the static stands outside of all.
        if equals.is_some() && matches!(token.text(), "<" | ">") {
            depth += if token.text() == "<" { -1 } else { 1 };
        }
        if depth < 0 {
            // The last static of a `thread_local!` needs no semicolon.
            let kind = text(&tokens[type_start..equals?]);
            return Some(Parts { is_mut, name, kind, end: index - 1 });
        }
    }
    let kind = text(&tokens[type_start..equals?]);
    Some(Parts { is_mut, name, kind, end: tokens.len() - 1 })
}

/// The source from the first token to the last.
fn text(tokens: &[SyntaxToken]) -> String {
    let mut text = String::new();
    for token in tokens {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let next = token.text().starts_with(|c| is_word(c) || c == '\'' || c == '$');
        if text.ends_with(is_word) && next {
            text.push(' ');
        }
        text.push_str(token.text());
    }
    text
}

/// The index of the bracket that ends the call of a macro whose name is at `start`.
fn end_of_call(tokens: &[SyntaxToken], start: usize) -> Option<usize> {
    if tokens.get(start + 1)?.text() != "!" {
        return None;
    }
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(start + 2) {
        match token.text() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

/// Where the visibility begins that may stand before the token at `start`, and its text.
fn visibility(tokens: &[SyntaxToken], start: usize) -> (usize, String) {
    let text_of = |at: usize| tokens.get(at).map(SyntaxToken::text).unwrap_or_default();
    let from = match start {
        at if at >= 1 && text_of(at - 1) == "pub" => at - 1,
        at if at >= 4 && text_of(at - 1) == ")" && text_of(at - 4) == "pub" => at - 4,
        at if at >= 2 && text_of(at - 2) == "$" => at - 2,
        at => at,
    };
    let shown = text(&tokens[from..start]);
    (from, if shown.is_empty() { shown } else { shown + " " })
}

fn symbol(definition: &Definition, tokens: &[SyntaxToken]) -> String {
    let mut hasher = DefaultHasher::new();
    (&definition.keys, text(tokens)).hash(&mut hasher);
    format!("blitz_static_{:016x}_", hasher.finish())
}

fn of_static(definition: &Definition, tokens: &[SyntaxToken], at: usize, parts: &Parts) -> Static {
    let (start, visibility) = visibility(tokens, at);
    let all = &tokens[start..=parts.end];
    let symbol = symbol(definition, all);
    let name = &parts.name;
    let place = format!("concat!({symbol:?}, stringify!({name}))");
    let qualifier = if parts.is_mut { "static mut" } else { "safe static" };
    let declared = format!(
        "unsafe extern \"Rust\" {{ #[link_name = {place}] {visibility}{qualifier} {name}: {}; }}",
        parts.kind
    );
    let range = range(all);
    let start = usize::from(range.start());
    let real = format!(
        "#[unsafe(export_name = {place})] {}",
        &definition.source[start..usize::from(range.end())]
    );
    Static { symbol, range, real, declared }
}

fn of_thread_local(
    definition: &Definition,
    tokens: &[SyntaxToken],
    at: usize,
    end: usize,
    parts: &Parts,
) -> Static {
    let all = &tokens[at..=end];
    let symbol = symbol(definition, all);
    let (name, kind) = (&parts.name, &parts.kind);
    let place = format!("concat!({symbol:?}, stringify!({name}))");
    let key = format!("::std::thread::LocalKey<{kind}>");
    let declared = format!(
        "unsafe extern \"Rust\" {{ #[link_name = {place}] pub safe static {name}: {key}; }}"
    );
    let range = range(all);
    let text = &definition.source[usize::from(range.start())..usize::from(range.end())];
    let real = format!(
        "{text} const _: () = {{ #[unsafe(export_name = {place})] static KEY: {key} = {name}; }};"
    );
    Static { symbol, range, real, declared }
}

fn range(tokens: &[SyntaxToken]) -> TextRange {
    let (first, last) = (&tokens[0], &tokens[tokens.len() - 1]);
    TextRange::new(first.text_range().start(), last.text_range().end())
}
