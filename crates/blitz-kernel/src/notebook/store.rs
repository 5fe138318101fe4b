//! All definitions of a notebook, in order.

use crate::notebook::definition::{Definition, Kind};
use crate::syntax;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};

/// The definitions of a notebook. Each stands behind the macros that it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    definitions: Vec<Definition>,
}

impl Store {
    /// All definitions, those set aside too.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// The definitions that take part.
    pub fn active(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.iter().filter(|it| it.set_aside.is_none())
    }

    /// Whether a definition like `it` is set aside.
    pub fn has_set_aside(&self, it: &Definition) -> bool {
        self.definitions.iter().any(|known| known.set_aside.is_some() && known.is_like(it))
    }

    /// Whether a macro of that name, defined by a cell, makes items.
    pub fn makes_items(&self, name: &str) -> bool {
        let key = format!("macro {name}");
        self.active().any(|it| it.keys.contains(&key) && is_maker(it))
    }

    /// This store after a cell that has made `new`: each replaces what has one of its keys, and all
    /// of them the implementations that this cell has made before, where the client tells which
    /// cell it is.
    pub fn with_cell(&self, new: Vec<Definition>, id: Option<&str>) -> Store {
        let keys: HashSet<&String> = new.iter().flat_map(|it| &it.keys).collect();
        let is_of_cell = |it: &Definition| {
            let unkeyed = matches!(it.kind, Kind::Impl | Kind::MacroCall | Kind::Other);
            unkeyed && id.is_some() && it.origin.id.as_deref() == id
        };
        let is_replaced = |it: &Definition| it.keys.iter().any(|key| keys.contains(key));
        let mut waiting: Vec<Option<Definition>> = new.iter().cloned().map(Some).collect();
        let mut definitions = Vec::new();
        for old in &self.definitions {
            if is_replaced(old) {
                // A definition stands where the one stood that it replaces.
                for slot in &mut waiting {
                    if slot
                        .as_ref()
                        .is_some_and(|it| it.keys.iter().any(|key| old.keys.contains(key)))
                    {
                        definitions.extend(slot.take());
                    }
                }
            } else if !is_of_cell(old) {
                definitions.push(old.clone());
            }
        }
        definitions.extend(waiting.into_iter().flatten());
        Store { definitions: ordered(definitions) }
    }

    /// Takes those at `indices` out, or sets them aside for the reason given.
    pub fn without(&self, indices: &HashMap<usize, Option<String>>) -> Store {
        let mut definitions = Vec::new();
        for (index, definition) in self.definitions.iter().enumerate() {
            match indices.get(&index) {
                None => definitions.push(definition.clone()),
                Some(None) => {}
                Some(reason) => {
                    definitions
                        .push(Definition { set_aside: reason.clone(), ..definition.clone() });
                }
            }
        }
        Store { definitions }
    }

    /// All definitions, none set aside.
    pub fn with_all(&self) -> Store {
        let all = self.definitions.iter();
        let all = all.map(|it| Definition { set_aside: None, ..it.clone() });
        Store { definitions: all.collect() }
    }

    /// Whether rustc would read the same.
    pub fn is_like(&self, other: &Store) -> bool {
        let same = |(a, b): (&Definition, &Definition)| {
            a.source == b.source && a.set_aside.is_some() == b.set_aside.is_some()
        };
        self.definitions.len() == other.definitions.len()
            && self.definitions.iter().zip(&other.definitions).all(same)
    }

    /// A number that changes when the layout of a value could, whose type has these words, or the
    /// meaning of that type.
    pub fn fingerprint<'a>(&'a self, words: impl Iterator<Item = &'a str>) -> u64 {
        let mut types: HashMap<&str, Vec<&Definition>> = HashMap::new();
        for definition in self.active() {
            let of_types = [Kind::Type, Kind::MacroCall, Kind::Macro, Kind::Use];
            if of_types.contains(&definition.kind) {
                // What a macro is called with may be names of fields, too.
                let can_be_type = |name: &&String| {
                    definition.kind != Kind::MacroCall || name.starts_with(char::is_uppercase)
                };
                for name in definition.names.iter().filter(can_be_type) {
                    types.entry(name).or_default().push(definition);
                }
            }
        }
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<&str> = words.collect();
        let mut texts = BTreeSet::new();
        while let Some(word) = waiting.pop() {
            if !seen.insert(word) {
                continue;
            }
            for definition in types.get(word).into_iter().flatten() {
                texts.insert(syntax::normalized(&definition.source));
                waiting.extend(definition.words.iter().map(String::as_str));
            }
        }
        let mut hasher = DefaultHasher::new();
        texts.hash(&mut hasher);
        hasher.finish()
    }

    /// What leads to the definition: for an implementation the notebook's types in its subject, or
    /// else its trait. `None` where every cell can reach it.
    pub fn leads<'a>(
        &'a self,
        types: &HashSet<&str>,
        it: &'a Definition,
    ) -> Option<BTreeSet<String>> {
        match it.kind {
            Kind::Use | Kind::MacroCall => None,
            Kind::Other if it.names.is_empty() => None,
            Kind::Impl => {
                let known = |words: &BTreeSet<String>| -> BTreeSet<String> {
                    words.iter().filter(|word| types.contains(word.as_str())).cloned().collect()
                };
                let subject = known(&it.subject.0);
                let leads = if subject.is_empty() { known(&it.subject.1) } else { subject };
                (!leads.is_empty()).then_some(leads)
            }
            _ => Some(it.names.clone()),
        }
    }

    /// The names of the notebook's types, traits and modules.
    pub fn type_names(&self) -> HashSet<&str> {
        let types = self.active().filter(|it| matches!(it.kind, Kind::Type | Kind::MacroCall));
        types.flat_map(|it| &it.names).map(String::as_str).collect()
    }
}

/// Whether a definition is a macro that makes items.
fn is_maker(definition: &Definition) -> bool {
    use crate::notebook::cell::makes_only_items;
    use ra_ap_syntax::{AstNode, Edition, SourceFile, ast};
    let file = SourceFile::parse(&definition.source, Edition::Edition2024).tree();
    let rules = file.syntax().children().find_map(ast::MacroRules::cast);
    rules.is_some_and(|rules| makes_only_items(&rules))
}

/// The definitions in their order, but for those that stand before a macro that they call: rustc
/// reads macros from above.
fn ordered(mut definitions: Vec<Definition>) -> Vec<Definition> {
    let is_macro = |it: &Definition| it.kind == Kind::Macro;
    if !definitions.iter().any(is_macro) {
        return definitions;
    }
    let mut ordered: Vec<Definition> = Vec::with_capacity(definitions.len());
    while !definitions.is_empty() {
        let needs = |index: usize| {
            let it: &Definition = &definitions[index];
            let later =
                definitions.iter().enumerate().filter(|(at, other)| *at > index && is_macro(other));
            let mut names = later.flat_map(|(_, other)| &other.names);
            // One of that name already stands above, as where a cell has two.
            let is_above =
                |name: &String| ordered.iter().any(|it| is_macro(it) && it.names.contains(name));
            names.any(|name| it.words.contains(name) && calls(&it.source, name) && !is_above(name))
        };
        let next = (0..definitions.len()).find(|index| !needs(*index)).unwrap_or(0);
        ordered.push(definitions.remove(next));
    }
    ordered
}

/// Whether `source` calls the macro `name`.
fn calls(source: &str, name: &str) -> bool {
    source.match_indices(name).any(|(at, _)| {
        let rest = source[at + name.len()..].trim_start();
        let before = source[..at].chars().next_back();
        rest.starts_with('!')
            && !rest.starts_with("!=")
            && !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}
