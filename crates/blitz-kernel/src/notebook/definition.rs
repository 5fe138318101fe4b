//! A definition of a notebook: a function, a type, a method, an import …

mod implementations;
mod imports;

use crate::syntax;
use blitz_toolchain::notebook::words;
use implementations::{own_items, trait_impl};
use imports::imports;
use ra_ap_syntax::AstNode;
use ra_ap_syntax::ast::{self, HasModuleItem, HasName};
use std::collections::BTreeSet;

/// The cell that a definition stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The cell's execution count.
    pub cell: usize,
    /// Tells executions apart: not every one is counted.
    pub run: usize,
    /// What the client calls the cell, where it says so: the same when the cell is run again.
    pub id: Option<String>,
    /// The line of the cell where the definition begins, from 1.
    pub line: usize,
    /// What its first line has before the text that stands in the cell, in characters, less what the
    /// cell's line has.
    pub shift: isize,
}

/// What a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A struct, enum, union, trait, type alias, module or constant: what the layout of a value or
    /// the meaning of a type can depend on.
    Type,
    /// A function or a static.
    Value,
    /// `macro_rules!`.
    Macro,
    /// A method or other item of a type's own, or the implementation of a trait.
    Impl,
    /// One imported name, or a glob.
    Use,
    /// A macro that makes items.
    MacroCall,
    /// An `extern` block, an assembly.
    Other,
}

/// A definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Where it stands.
    pub origin: Origin,
    /// What it is.
    pub kind: Kind,
    /// What people call it: `fn area`, `impl Display for Net`, `Net::new`.
    pub title: String,
    /// What it defines. A later definition with one of these replaces this one.
    pub keys: Vec<String>,
    /// The names that it gives to others.
    pub names: BTreeSet<String>,
    /// For an implementation: the words of its type, and of its trait.
    pub subject: (BTreeSet<String>, BTreeSet<String>),
    /// Its Rust.
    pub source: String,
    /// The words in it.
    pub words: BTreeSet<String>,
    /// Why it takes no part at the moment.
    pub set_aside: Option<String>,
}

impl Definition {
    /// The definitions that `item` makes, which begins in `line` and `column` (in characters, from 0)
    /// of a cell.
    pub fn of_item(item: &ast::Item, origin: &Origin, column: usize) -> Vec<Definition> {
        let text = item.syntax().text().to_string();
        // The first line of an item stands where it stands in the cell.
        let origin = Origin { shift: -signed(column), ..origin.clone() };
        match item {
            ast::Item::Use(item) => imports(item, &origin),
            ast::Item::Impl(block) => match block.trait_() {
                Some(_) => vec![trait_impl(block, origin, text)],
                None => own_items(block, &origin, column),
            },
            _ => vec![named(item, origin, text)],
        }
    }

    /// A macro that makes items, called by `text`.
    pub fn of_macro_call(text: String, name: &str, origin: &Origin, column: usize) -> Definition {
        let origin = Origin { shift: -signed(column), ..origin.clone() };
        // Not translated: a key.
        let key = format!("call {}", syntax::normalized(&text));
        let mut definition = new(Kind::MacroCall, format!("{name}!"), vec![key], origin, text);
        definition.names = definition.words.iter().filter(|it| *it != name).cloned().collect();
        definition
    }

    /// Whether it says the same as `other`, which may stand elsewhere.
    pub fn is_like(&self, other: &Definition) -> bool {
        self.keys == other.keys
            && (self.source == other.source
                || syntax::normalized(&self.source) == syntax::normalized(&other.source))
    }

    /// Its name alone, where it has one.
    pub fn name(&self) -> String {
        self.title.rsplit(' ').next().unwrap_or_default().to_owned()
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        1 + self.source.matches('\n').count()
    }

    /// The place in the cell of `line` (from 1) and `column` (from 1) of its source.
    pub fn place(&self, line: usize, column: usize) -> (usize, usize) {
        let shift = if line == 1 { self.origin.shift } else { 0 };
        (self.origin.line + line - 1, column.saturating_add_signed(-shift).max(1))
    }

    /// Its title and its cell: "`fn area` of cell [3]".
    pub fn described(&self) -> String {
        format!("`{}` of cell [{}]", self.title, self.origin.cell)
    }
}

fn signed(number: usize) -> isize {
    isize::try_from(number).unwrap_or_default()
}

fn new(kind: Kind, title: String, keys: Vec<String>, origin: Origin, source: String) -> Definition {
    let words = words(&source).map(str::to_owned).collect();
    let (names, subject, set_aside) = (BTreeSet::new(), <_>::default(), None);
    Definition { origin, kind, title, keys, names, subject, source, words, set_aside }
}

fn named(item: &ast::Item, origin: Origin, text: String) -> Definition {
    use Kind::{Macro, Other, Type, Value};
    let (kind, word, name) = match item {
        ast::Item::Fn(it) => (Value, "fn", it.name()),
        ast::Item::Static(it) => (Value, "static", it.name()),
        ast::Item::Const(it) => (Type, "const", it.name()),
        ast::Item::Struct(it) => (Type, "struct", it.name()),
        ast::Item::Enum(it) => (Type, "enum", it.name()),
        ast::Item::Union(it) => (Type, "union", it.name()),
        ast::Item::Trait(it) => (Type, "trait", it.name()),
        ast::Item::TypeAlias(it) => (Type, "type", it.name()),
        ast::Item::Module(it) => (Type, "mod", it.name()),
        ast::Item::MacroRules(it) => (Macro, "macro_rules!", it.name()),
        _ => (Other, "", None),
    };
    let Some(name) = name.map(|name| name.text().to_string()) else {
        // An `extern` block, a constant named `_`: nothing can replace it but its own cell.
        // Not translated: a key.
        let key = format!("other {}", syntax::normalized(&text));
        return new(Other, syntax::first_line(&text), vec![key], origin, text);
    };
    let space = match item {
        ast::Item::Fn(_) | ast::Item::Static(_) | ast::Item::Const(_) => vec!["value"],
        ast::Item::MacroRules(_) => vec!["macro"],
        ast::Item::Struct(it) if !matches!(it.kind(), ast::StructKind::Record(_)) => {
            vec!["type", "value"]
        }
        _ => vec!["type"],
    };
    let keys = space.iter().map(|space| format!("{space} {name}")).collect();
    let mut definition = new(kind, format!("{word} {name}"), keys, origin, text);
    if let ast::Item::Trait(it) = item {
        // A method of a trait is called by its own name.
        definition.names.extend(assoc_names(it));
    }
    if has_impls(item) {
        definition.kind = if kind == Type { Type } else { Other };
        definition.names.extend(definition.words.clone());
    }
    definition.names.insert(name);
    definition
}

fn assoc_names(item: &ast::Trait) -> Vec<String> {
    let list = item.assoc_item_list();
    let items = list.into_iter().flat_map(|list| list.assoc_items());
    let name = |item: ast::AssocItem| match item {
        ast::AssocItem::Const(item) => item.name(),
        ast::AssocItem::Fn(item) => item.name(),
        ast::AssocItem::TypeAlias(item) => item.name(),
        ast::AssocItem::MacroCall(_) => None,
    };
    items.filter_map(name).map(|name| name.text().to_string()).collect()
}

/// Whether implementations stand within `item`: they count wherever their types are.
fn has_impls(item: &ast::Item) -> bool {
    if let ast::Item::Module(module) = item {
        let list = module.item_list();
        let items = list.into_iter().flat_map(|list| list.items());
        return items
            .into_iter()
            .any(|item| matches!(item, ast::Item::Impl(_)) || has_impls(&item));
    }
    matches!(item, ast::Item::Fn(_))
        && item.syntax().descendants().any(|it| ast::Impl::can_cast(it.kind()))
}

fn word_set(text: &str) -> BTreeSet<String> {
    words(text).map(str::to_owned).collect()
}
