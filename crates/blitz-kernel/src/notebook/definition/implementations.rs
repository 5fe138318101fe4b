//! Implementations: of a trait as a whole, a type's own items one by one.

use super::{Definition, Kind, Origin, new, signed, word_set};
use crate::syntax;
use ra_ap_syntax::ast::{self, HasGenericParams, HasName};
use ra_ap_syntax::{AstNode, Direction, SyntaxNode};
use std::collections::BTreeSet;

/// The implementation of a trait.
pub fn trait_impl(block: &ast::Impl, origin: Origin, text: String) -> Definition {
    let part = |node: Option<SyntaxNode>| {
        node.map_or_else(String::new, |node| syntax::normalized(&node.text().to_string()))
    };
    let generics = part(block.generic_param_list().map(|it| it.syntax().clone()));
    let of = part(block.trait_().map(|it| it.syntax().clone()));
    let kind = part(block.self_ty().map(|it| it.syntax().clone()));
    let title = format!("impl {of} for {kind}");
    let not = if block.excl_token().is_some() { "!" } else { "" };
    let key = format!("impl {generics} {not}{of} for {kind}");
    let mut definition = new(Kind::Impl, title, vec![key], origin, text);
    definition.subject = (word_set(&kind), word_set(&of));
    definition
}

/// One definition for each item of an `impl Type` block.
pub fn own_items(block: &ast::Impl, origin: &Origin, column: usize) -> Vec<Definition> {
    let text = block.syntax().text().to_string();
    let kind = block.self_ty().map(|it| syntax::normalized(&it.syntax().text().to_string()));
    let kind = kind.unwrap_or_default();
    let subject = (word_set(&kind), BTreeSet::new());
    let Some(list) = block.assoc_item_list() else {
        return vec![new(Kind::Impl, format!("impl {kind}"), Vec::new(), origin.clone(), text)];
    };
    let items: Vec<ast::AssocItem> = list.assoc_items().collect();
    let is_whole =
        items.is_empty() || items.iter().any(|it| matches!(it, ast::AssocItem::MacroCall(_)));
    let start = block.syntax().text_range().start();
    let open = usize::from(list.syntax().text_range().start() - start);
    let attributes = list.l_curly_token().is_some_and(|brace| {
        brace
            .siblings_with_tokens(Direction::Next)
            .any(|it| it.as_node().is_some_and(|node| ast::Attr::can_cast(node.kind())))
    });
    if is_whole || attributes {
        let key = format!("impl {}", syntax::normalized(&text));
        let mut whole = new(Kind::Impl, format!("impl {kind}"), vec![key], origin.clone(), text);
        whole.subject = subject;
        return vec![whole];
    }
    let head = format!("{} {{ ", syntax::one_line(&text[..open]).trim_end());
    let of = |item: ast::AssocItem| {
        let name = match &item {
            ast::AssocItem::Const(item) => item.name(),
            ast::AssocItem::Fn(item) => item.name(),
            ast::AssocItem::TypeAlias(item) => item.name(),
            ast::AssocItem::MacroCall(_) => None,
        };
        let name = name.map(|name| name.text().to_string()).unwrap_or_default();
        let before = &text[..usize::from(item.syntax().text_range().start() - start)];
        let rows = before.matches('\n').count();
        let within = before.rsplit('\n').next().map_or(0, |text| text.chars().count());
        let within = if rows == 0 { within + column } else { within };
        let shift = signed(head.chars().count()) - signed(within);
        let origin = Origin { line: origin.line + rows, shift, ..origin.clone() };
        let keys = vec![format!("item {kind}::{name}")];
        let source = format!("{head}{} }}", item.syntax().text());
        let mut definition = new(Kind::Impl, format!("{kind}::{name}"), keys, origin, source);
        definition.subject = subject.clone();
        definition.names.insert(name);
        definition
    };
    items.into_iter().map(of).collect()
}
