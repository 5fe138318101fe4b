//! Definitions of which a newer version failed: whoever uses one is told that it is the older one.
//!
//! A cell that does not compile changes nothing, so the cells below it go on with what there was. That
//! is right, and it is not what somebody expects who has just changed a function and runs its check.

use crate::failure::defined::Defined;
use crate::notebook::definition::{Definition, Kind};
use crate::notebook::store::Store;
use crate::notebook::{self, Notebook};
use crate::syntax;
use evcxr::CommandContext;
use ra_ap_syntax::{SyntaxKind, SyntaxToken, T};
use std::collections::HashMap;

const NOTE: &str = "\x1b[1mnote\x1b[0m";

/// The definitions and variables whose newest version failed.
#[derive(Default)]
pub struct Outdated {
    /// By what a definition replaces others ([`Definition::keys`]).
    definitions: HashMap<String, Newer>,
    /// By name.
    variables: HashMap<String, Newer>,
    /// The cells that the variables come from.
    origins: HashMap<String, usize>,
}

/// A cell that has failed with a newer version.
#[derive(Clone, Debug)]
pub struct Newer {
    /// Its execution count.
    pub cell: usize,
    /// What the client calls it, where it says so: the same when it is run again.
    pub id: Option<String>,
    /// How it failed, for the end of a sentence.
    pub how: &'static str,
}

/// What there is to be used when a cell runs.
pub struct InUse<'a> {
    /// The definitions.
    pub store: &'a Store,
    /// The names of the variables.
    pub variables: Vec<&'a str>,
}

impl<'a> InUse<'a> {
    /// What `notebook` and evcxr have.
    pub fn of(notebook: &'a Notebook, engine: Option<&'a CommandContext>) -> Self {
        let variables = engine.into_iter().flat_map(CommandContext::variables_and_types);
        InUse { store: notebook.store(), variables: variables.map(|(name, _)| name).collect() }
    }
}

impl Newer {
    /// The cell that has failed with an error that Jupyter calls `ename`.
    pub fn new(cell: usize, id: Option<&str>, ename: &str) -> Self {
        let how = match ename {
            "compile error" => "did not compile",
            "interrupted" => "was interrupted",
            _ => "ended with an error",
        };
        Newer { cell, id: id.map(str::to_owned), how }
    }
}

impl Outdated {
    /// The cell with the execution count `cell`, which the client calls `id`, has run and has
    /// `defined` this.
    pub fn succeeded(&mut self, defined: &Defined, cell: usize, id: Option<&str>) {
        self.forget(id);
        for key in defined.definitions.iter().flat_map(|it| &it.keys) {
            self.definitions.remove(key);
        }
        for name in &defined.variables {
            self.variables.remove(name);
            self.origins.insert(name.clone(), cell);
        }
    }

    /// A cell has failed that would have `defined` this. `store` has what there is now.
    pub fn failed(&mut self, defined: &Defined, newer: &Newer, store: &Store) {
        self.forget(newer.id.as_deref());
        for new in &defined.definitions {
            let is_of_name = |it: &&Definition| it.keys.iter().any(|key| new.keys.contains(key));
            let mut older = store.active().filter(is_of_name).peekable();
            // The same text may be there, or have come before the cell failed.
            let is_older = older.peek().is_some() && !older.any(|it| it.is_like(new));
            for key in &new.keys {
                match is_older {
                    true => drop(self.definitions.insert(key.clone(), newer.clone())),
                    false => drop(self.definitions.remove(key)),
                }
            }
        }
        for name in &defined.variables {
            self.variables.insert(name.clone(), newer.clone());
        }
    }

    /// What has to be said of `code`, which is about to run and has `defined` this: a line for each
    /// older version that it uses.
    pub fn notes(&self, code: &str, defined: &Defined, in_use: &InUse) -> Vec<String> {
        if self.definitions.is_empty() && self.variables.is_empty() {
            return Vec::new();
        }
        let mut notes = self.of_definitions(code, defined, in_use.store);
        let tokens = syntax::tokens(code);
        for name in &in_use.variables {
            let Some(newer) = self.variables.get(*name) else { continue };
            if !defined.names().any(|own| own == *name) && names_variable(&tokens, name) {
                notes.push(note(name, self.origins.get(*name).copied(), newer));
            }
        }
        notes.sort();
        notes
    }

    fn of_definitions(&self, code: &str, defined: &Defined, store: &Store) -> Vec<String> {
        let newer = |it: &Definition| it.keys.iter().find_map(|key| self.definitions.get(key));
        if !store.active().any(|it| newer(it).is_some()) {
            return Vec::new();
        }
        let reached = notebook::for_toolchain(store, |it| it.source.clone()).reached(code);
        let all = store.definitions().iter().zip(reached);
        let reached: Vec<&Definition> = all.filter(|(_, is)| *is).map(|(it, _)| it).collect();
        let of = |it: &Definition| (it.title.clone(), syntax::tokens(&it.source));
        let mut texts: Vec<(String, Vec<SyntaxToken>)> = reached.iter().map(|it| of(it)).collect();
        texts.push((String::new(), syntax::tokens(code)));
        let is_used = |it: &Definition| {
            let mut others = texts.iter().filter(|(title, _)| *title != it.title);
            others.any(|(_, tokens)| uses(tokens, it))
        };
        let is_own = |it: &Definition| {
            let mut keys = defined.definitions.iter().flat_map(|own| &own.keys);
            keys.any(|key| it.keys.contains(key)) || defined.variables.contains(&it.name())
        };
        let older = reached.iter().filter(|it| it.set_aside.is_none() && !is_own(it));
        let notes = older.filter_map(|it| Some((it, newer(it)?))).filter(|(it, _)| is_used(it));
        notes.map(|(it, newer)| note(&called(it), Some(it.origin.cell), newer)).collect()
    }

    /// A cell of this name has been run again: what it came to before counts no more.
    fn forget(&mut self, id: Option<&str>) {
        let is_other = |newer: &Newer| id.is_none() || newer.id.as_deref() != id;
        self.definitions.retain(|_, newer| is_other(newer));
        self.variables.retain(|_, newer| is_other(newer));
    }
}

fn note(name: &str, older: Option<usize>, newer: &Newer) -> String {
    let older = older.map_or_else(|| "an earlier cell".to_owned(), |cell| format!("cell [{cell}]"));
    let Newer { cell, how, .. } = newer;
    format!("{NOTE}: `{name}` here is that of {older}: the newer one, in cell [{cell}], {how}.\n")
}

/// How people write a definition where they use it.
fn called(definition: &Definition) -> String {
    match definition.kind {
        Kind::Impl => definition.title.clone(),
        Kind::Macro => format!("{}!", definition.name()),
        Kind::Use => definition.names.iter().next().cloned().unwrap_or_default(),
        _ => definition.name(),
    }
}

/// Whether code with these tokens uses `definition`, which it reaches.
fn uses(tokens: &[SyntaxToken], definition: &Definition) -> bool {
    match (definition.kind, definition.title.rsplit_once("::")) {
        // A type's own item: `.name` or `Type::name`.
        (Kind::Impl, Some((_, name))) if !definition.names.is_empty() => {
            let mut found = near(tokens).filter(|it| it.text == name);
            found.any(|it| [Some(T![.]), Some(T![:]), Some(T![::])].contains(&it.before))
        }
        // What a trait is used for need not be written.
        (Kind::Impl, _) => true,
        _ => definition.names.iter().any(|name| names(tokens, name)),
    }
}

/// Whether an item `name` is meant somewhere: no field, no method, and no text but what a format string
/// shows.
fn names(tokens: &[SyntaxToken], name: &str) -> bool {
    near(tokens).any(|it| it.is_named(name)) || is_shown(tokens, name)
}

/// Whether a variable `name` is meant somewhere: as [`names`], and no part of a path.
fn names_variable(tokens: &[SyntaxToken], name: &str) -> bool {
    near(tokens).any(|it| it.is_named(name) && !it.is_in_path) || is_shown(tokens, name)
}

/// Whether a format string shows it.
fn is_shown(tokens: &[SyntaxToken], name: &str) -> bool {
    let shown = [format!("{{{name}}}"), format!("{{{name}:")];
    let mut texts = tokens.iter().filter(|it| it.kind() == SyntaxKind::STRING);
    texts.any(|it| shown.iter().any(|shown| it.text().contains(shown.as_str())))
}

/// A word, and what stands around it.
struct Near<'a> {
    text: &'a str,
    before: Option<SyntaxKind>,
    /// A single colon follows.
    is_field: bool,
    /// `::` stands before it.
    is_in_path: bool,
}

impl Near<'_> {
    fn is_named(&self, name: &str) -> bool {
        self.text == name && self.before != Some(T![.]) && !self.is_field
    }
}

fn near(tokens: &[SyntaxToken]) -> impl Iterator<Item = Near<'_>> {
    let code: Vec<&SyntaxToken> = tokens.iter().filter(|it| !it.kind().is_trivia()).collect();
    let near = |at: usize| {
        let kind = |at: Option<usize>| at.and_then(|at| code.get(at)).map(|it| it.kind());
        let is_field = kind(Some(at + 1)) == Some(T![:]) && kind(Some(at + 2)) != Some(T![:]);
        let before = kind(at.checked_sub(1));
        let is_colon = |at: Option<usize>| kind(at) == Some(T![:]);
        // In a macro's arguments they are two.
        let are_colons = is_colon(at.checked_sub(1)) && is_colon(at.checked_sub(2));
        let is_in_path = before == Some(T![::]) || are_colons;
        Near { text: code[at].text(), before, is_field, is_in_path }
    };
    let words = (0..code.len()).filter(|at| code[*at].kind() == SyntaxKind::IDENT);
    words.map(near).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests;
