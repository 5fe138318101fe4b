//! Variables whose types are written with names that a cell gives another meaning.
//!
//! A `Vec<i32>` is kept as that. When a cell then defines a `struct Vec`, the words mean another
//! type, and the variable would be lost. So before such a cell, the types of the variables become
//! absolute.

use crate::syntax;
use blitz_toolchain::variable_types::Variable;
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxNode};
use std::collections::BTreeSet;

/// The types that Rust knows without a path.
const PRIMITIVE: [&str; 17] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16",
    "u32", "u64", "u128", "usize",
];

/// The names that `code` gives a meaning where types stand. Variants of enums count: a glob import
/// may name them.
pub fn type_names(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, statement) in syntax::placed_statements(code) {
        if !ast::Item::can_cast(statement.kind()) {
            continue;
        }
        names.extend(name_of_item(&statement));
        names.extend(statement.descendants().filter_map(ast::UseTree::cast).filter_map(imported));
        let variants = statement.descendants().filter_map(ast::Variant::cast);
        names.extend(variants.filter_map(|it| Some(it.name()?.text().to_string())));
    }
    names
}

fn name_of_item(node: &SyntaxNode) -> Option<String> {
    let name = match ast::Item::cast(node.clone())? {
        ast::Item::Struct(item) => item.name(),
        ast::Item::Enum(item) => item.name(),
        ast::Item::Union(item) => item.name(),
        ast::Item::Trait(item) => item.name(),
        ast::Item::TypeAlias(item) => item.name(),
        ast::Item::Module(item) => item.name(),
        _ => None,
    };
    Some(name?.text().to_string())
}

/// The name under which a `use` imports, if it is no glob and no group.
fn imported(tree: ast::UseTree) -> Option<String> {
    if let Some(rename) = tree.rename() {
        return Some(rename.name()?.text().to_string());
    }
    let is_leaf = tree.use_tree_list().is_none() && tree.star_token().is_none();
    let path = tree.path().filter(|_| is_leaf)?;
    let name = last_name(&path)?;
    if name != "self" {
        return Some(name);
    }
    let group = tree.syntax().ancestors().skip(1).find_map(ast::UseTree::cast)?;
    last_name(&group.path()?)
}

fn last_name(path: &ast::Path) -> Option<String> {
    Some(path.segment()?.name_ref()?.text().to_string())
}

/// Whether a type is written with one of `names` where a path begins.
pub fn mentions(type_name: &str, names: &BTreeSet<String>) -> bool {
    first_words(type_name).any(|(_, word)| names.contains(word))
}

/// A variable's type, as it can be written where `names` mean something else.
pub fn absolute(variable: &Variable, names: &BTreeSet<String>) -> Option<String> {
    let type_name = with_primitive(&variable.type_name, |word| names.contains(word));
    (variable.is_nameable() && !mentions(&type_name, names)).then_some(type_name)
}

/// A type with a path before each word that is a primitive type's and that `is_shadowed`.
pub fn with_primitive(type_name: &str, is_shadowed: impl Fn(&str) -> bool) -> String {
    let mut written = String::new();
    let mut end = 0;
    for (at, word) in first_words(type_name) {
        if PRIMITIVE.contains(&word) && is_shadowed(word) {
            written.push_str(&type_name[end..at]);
            written.push_str("::std::primitive::");
            end = at;
        }
    }
    written + &type_name[end..]
}

/// The words in a type that begin a path, with where they begin.
fn first_words(type_name: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + type_name[from..].find(is_name)?;
        let word = &type_name[at..];
        let word = &word[..word.find(|c| !is_name(c)).unwrap_or(word.len())];
        from = at + word.len();
        Some((at, word))
    })
    .filter(|(at, _)| !type_name[..*at].ends_with("::") && !type_name[..*at].ends_with('\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn items_imports_and_variants_have_names() {
        let code = "struct Vec; enum E { Ok, Err }\nuse a::{b::C, D as F, self};\nuse E::*;\n\
                    mod std { pub struct Inner; }\nfn f() {}\nlet x = 1;";
        assert_eq!(type_names(code), set(&["C", "E", "Err", "F", "Ok", "Vec", "a", "std"]));
    }

    #[test]
    fn types_become_absolute() {
        let absolute = |type_name: &str, names: &[&str]| {
            let variable = Variable { type_name: type_name.to_owned(), ..Variable::default() };
            absolute(&variable, &set(names))
        };
        assert_eq!(
            absolute("::std::vec::Vec<i32>", &["Vec"]).as_deref(),
            Some("::std::vec::Vec<i32>")
        );
        let primitive = "::std::vec::Vec<(::std::primitive::i32, &'i32 u8)>";
        assert_eq!(
            absolute("::std::vec::Vec<(i32, &'i32 u8)>", &["i32"]).as_deref(),
            Some(primitive)
        );
        assert_eq!(absolute("Net", &["Net"]), None);
        assert!(mentions("Box<dyn Any>", &set(&["Any"])));
        assert!(!mentions("a::Any", &set(&["Any"])));
    }
}
