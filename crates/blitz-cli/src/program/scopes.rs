//! Which names the cells define, so that a later cell may define one again, as notebooks allow.
//!
//! Rust has one definition of a name in a block. A second one opens a block within, where it is the one
//! that counts, until the program ends.

use anyhow::{Result, bail};
use quote::ToTokens;
use std::collections::{HashMap, HashSet};
use syn::{Item, UseTree};

/// The names of a block, with what they mean.
type Names = HashMap<String, Meaning>;

/// The source of an import: two of the same mean the same. Every other definition is one of its own.
type Meaning = Option<String>;

/// The blocks that are open.
pub struct Scopes {
    /// The names of each block, from the outermost.
    names: Vec<Names>,
    /// Each implementation, with the number of blocks that were open where its type was defined.
    implementations: HashSet<(String, usize)>,
    /// The functions, constants and macros, with the names in them.
    users: Vec<(String, HashSet<String>)>,
}

impl Default for Scopes {
    fn default() -> Self {
        let (names, implementations, users) = (vec![Names::new()], HashSet::new(), Vec::new());
        Scopes { names, implementations, users }
    }
}

impl Scopes {
    /// How many blocks are open.
    pub fn depth(&self) -> usize {
        self.names.len()
    }

    /// Opens a block.
    pub fn open(&mut self) {
        self.names.push(Names::new());
    }

    /// Whether the item needs a block of its own: the innermost one has its name already, or code
    /// further up means something else by it. (An item counts in the whole of its block.)
    pub fn is_taken(&self, item: &Item) -> bool {
        let what = meaning(item);
        let (innermost, outer) = self.names.split_last().unwrap_or((&self.names[0], &[]));
        names(item).iter().any(|name| {
            let means_else = |block: &Names| {
                block.get(name).is_some_and(|other| other.is_none() || *other != what)
            };
            innermost.contains_key(name) || outer.iter().any(means_else)
        })
    }

    /// Takes the item into the innermost block.
    ///
    /// # Errors
    /// A program cannot have it besides what it has.
    pub fn define(&mut self, item: &Item) -> Result<()> {
        for name in names(item) {
            let is_defined = self.names.iter().any(|names| names.contains_key(&name));
            let uses =
                |(user, used): &&(String, HashSet<String>)| *user != name && used.contains(&name);
            if is_defined
                && is_called(item)
                && let Some((user, _)) = self.users.iter().find(uses)
            {
                bail!(
                    "it defines `{name}` again, which `{user}` above calls: in the notebook `{user}` \
                     calls the new one from now on, in a program still the old one. Give the new one \
                     another name"
                );
            }
            if is_called(item) {
                self.users.push((name.clone(), words(item)));
            }
            if let Some(names) = self.names.last_mut() {
                names.insert(name, meaning(item));
            }
        }
        if let Item::Impl(it) = item {
            self.implement(it)?;
        }
        Ok(())
    }

    /// An implementation replaces an earlier one in a notebook; in a program there is one for a type.
    fn implement(&mut self, it: &syn::ItemImpl) -> Result<()> {
        let of = it.self_ty.to_token_stream().to_string();
        let place = self.names.iter().rposition(|names| names.contains_key(&of)).unwrap_or(0);
        let whats: Vec<String> = match &it.trait_ {
            Some((_, path, _)) => vec![path.to_token_stream().to_string()],
            None => it.items.iter().filter_map(member).collect(),
        };
        for what in whats {
            if !self.implementations.insert((format!("{what} for {of}"), place)) {
                bail!(
                    "it implements `{what}` for `{of}` again: a notebook takes the new one, a program \
                     cannot have two. Give the type another name, or define it again, too"
                );
            }
        }
        Ok(())
    }
}

fn member(item: &syn::ImplItem) -> Option<String> {
    match item {
        syn::ImplItem::Fn(it) => Some(it.sig.ident.to_string()),
        syn::ImplItem::Const(it) => Some(it.ident.to_string()),
        _ => None,
    }
}

/// Whether others call or read it by its name, so that they notice which one it is only when they run.
fn is_called(item: &Item) -> bool {
    matches!(item, Item::Fn(_) | Item::Const(_) | Item::Static(_))
}

fn meaning(item: &Item) -> Meaning {
    match item {
        Item::Use(it) => Some(it.to_token_stream().to_string()),
        // No two definitions are the same.
        _ => None,
    }
}

/// The names that an item brings into its block.
fn names(item: &Item) -> Vec<String> {
    match item {
        Item::Const(it) => vec![it.ident.to_string()],
        Item::Enum(it) => vec![it.ident.to_string()],
        Item::Fn(it) => vec![it.sig.ident.to_string()],
        Item::Mod(it) => vec![it.ident.to_string()],
        Item::Static(it) => vec![it.ident.to_string()],
        Item::Struct(it) => vec![it.ident.to_string()],
        Item::Trait(it) => vec![it.ident.to_string()],
        Item::Type(it) => vec![it.ident.to_string()],
        Item::Union(it) => vec![it.ident.to_string()],
        Item::Use(it) => imported(&it.tree),
        _ => Vec::new(),
    }
}

fn imported(tree: &UseTree) -> Vec<String> {
    match tree {
        UseTree::Path(path) if is_self(&path.tree) => vec![path.ident.to_string()],
        UseTree::Path(path) => imported(&path.tree),
        UseTree::Name(name) => vec![name.ident.to_string()],
        UseTree::Rename(it) if it.rename == "_" => Vec::new(),
        UseTree::Rename(it) => vec![it.rename.to_string()],
        UseTree::Glob(_) => Vec::new(),
        UseTree::Group(group) => group.items.iter().flat_map(imported).collect(),
    }
}

fn is_self(tree: &UseTree) -> bool {
    matches!(tree, UseTree::Name(name) if name.ident == "self")
}

/// All words of an item.
fn words(item: &Item) -> HashSet<String> {
    let text = item.to_token_stream().to_string();
    let words = text.split(|it: char| !it.is_alphanumeric() && it != '_');
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
