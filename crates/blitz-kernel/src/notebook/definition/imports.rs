//! Imports: each name by itself.

use super::{Definition, Kind, Origin, new, signed};
use crate::syntax;
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, TextSize};

/// One definition for each name that `item` imports: each can be replaced by itself.
pub fn imports(item: &ast::Use, origin: &Origin) -> Vec<Definition> {
    let mut leaves = Vec::new();
    if let Some(tree) = item.use_tree() {
        leaves_of(&tree, String::new(), &mut leaves);
    }
    let all = item.syntax().text().to_string();
    let head = match item.use_token() {
        Some(token) => {
            let start = token.text_range().start() - item.syntax().text_range().start();
            syntax::one_line(&all[..usize::from(start)])
        }
        None => String::new(),
    };
    let first = item.syntax().text_range().start();
    let from = |leaf: Leaf| {
        let before = &all[..usize::from(leaf.start - first)];
        let line = origin.line + before.matches('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count());
        let column =
            if line == origin.line { signed(column) - origin.shift } else { signed(column) };
        let source = format!("{head} use {};", leaf.text);
        // The name stands at the end of what is written here, and somewhere in the cell.
        let written = signed(source.chars().count() - 1 - leaf.length);
        let origin = Origin { line, shift: written - column, ..origin.clone() };
        let key = match leaf.name.as_str() {
            "_" | "*" => format!("use {}", leaf.text),
            name => format!("use {name}"),
        };
        let mut definition = new(
            Kind::Use,
            format!("use {}", leaf.text),
            vec![key],
            origin,
            source.trim_start().into(),
        );
        definition.names.insert(leaf.name);
        definition
    };
    leaves.into_iter().map(from).collect()
}

/// An imported name.
struct Leaf {
    text: String,
    name: String,
    start: TextSize,
    /// The length of what stands in the cell at `start`, in characters.
    length: usize,
}

fn leaves_of(tree: &ast::UseTree, prefix: String, leaves: &mut Vec<Leaf>) {
    let path = tree.path().map(|path| syntax::normalized(&path.syntax().text().to_string()));
    let path = path.unwrap_or_default();
    let is_global = prefix.is_empty() && tree.coloncolon_token().is_some() && path.is_empty();
    let joined = match (prefix.is_empty(), path.is_empty()) {
        (true, _) => path.clone(),
        (false, true) => prefix,
        (false, false) => format!("{prefix}::{path}"),
    };
    let joined = if is_global { "::".to_owned() } else { joined };
    if let Some(list) = tree.use_tree_list() {
        list.use_trees().for_each(|tree| leaves_of(&tree, joined.clone(), leaves));
        return;
    }
    let (start, length) = {
        let range = tree.syntax().text_range();
        (range.start(), tree.syntax().text().to_string().chars().count())
    };
    let mut add = |text: String, name: String| leaves.push(Leaf { text, name, start, length });
    if tree.star_token().is_some() {
        return add(format!("{}::*", joined.trim_end_matches("::")), "*".to_owned());
    }
    let joined = joined.strip_suffix("::self").map_or(joined.clone(), str::to_owned);
    let last = joined.rsplit("::").next().unwrap_or_default().to_owned();
    match tree.rename() {
        Some(rename) => {
            let name = rename.name().map_or_else(|| "_".to_owned(), |name| name.text().to_string());
            add(format!("{joined} as {name}"), name);
        }
        None => add(joined, last),
    }
}
