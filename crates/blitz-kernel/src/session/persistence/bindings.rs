//! What the `let` statements of a cell bind.

use crate::syntax;
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, AstToken, SyntaxNode};

/// A variable that a `let` statement binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The variable.
    pub name: String,
    /// It is bound with `mut`.
    pub is_mut: bool,
    /// The statement.
    pub text: String,
    /// What stands behind its `=`.
    pub initializer: Option<String>,
    /// The line of the cell, from 1, where the statement begins.
    pub line: usize,
    /// Where it ends, in bytes.
    pub end: usize,
    /// It is all of the pattern.
    pub is_alone: bool,
    /// Where the pattern ends, in bytes, if rustc has to find the type.
    pub untyped: Option<usize>,
}

/// What the `let` statements of `code` bind, in order.
pub fn bindings(code: &str) -> Vec<Binding> {
    let mut found = Vec::new();
    for (start, node) in syntax::placed_statements(code) {
        let Some(statement) = ast::LetStmt::cast(node) else { continue };
        let Some(pattern) = statement.pat() else { continue };
        let text = statement.syntax().text().to_string();
        let place = usize::from(
            pattern.syntax().text_range().end() - statement.syntax().text_range().start(),
        );
        let untyped = Some(start + place).filter(|_| needs_type(&statement));
        let names = pattern.syntax().descendants().filter_map(ast::IdentPat::cast);
        for name in names.filter(|it| it.name().is_some()) {
            found.push(Binding {
                name: name.name().map(|it| it.text().to_string()).unwrap_or_default(),
                is_mut: name.mut_token().is_some(),
                initializer: statement.initializer().map(|it| it.syntax().text().to_string()),
                line: 1 + code[..start].matches('\n').count() + lines_before(&statement),
                end: start + text.len(),
                text: text.clone(),
                is_alone: ast::IdentPat::can_cast(pattern.syntax().kind()),
                untyped,
            });
        }
    }
    found
}

/// Where the last statement of `code` ends, in bytes, that is no value.
pub fn end_of_statements(code: &str) -> usize {
    let ends = syntax::placed_statements(code).into_iter().filter_map(|(start, node)| {
        let text = node.text().to_string();
        text.ends_with([';', '}']).then_some(start + text.len())
    });
    ends.last().unwrap_or(code.len())
}

/// Whether something is left of a statement's type to be inferred, where a type can be given to it.
fn needs_type(statement: &ast::LetStmt) -> bool {
    let is_left = |node: SyntaxNode| ast::InferType::can_cast(node.kind());
    match statement.ty() {
        Some(it) => statement.initializer().is_some() && it.syntax().descendants().any(is_left),
        None => true,
    }
}

/// The lines of comments and attributes that belong to a statement and stand before its `let`.
fn lines_before(statement: &ast::LetStmt) -> usize {
    let tokens = statement.syntax().descendants_with_tokens().filter_map(|it| it.into_token());
    let before = tokens.take_while(|token| Some(token) != statement.let_token().as_ref());
    let texts = before.filter(|token| {
        ast::Whitespace::can_cast(token.kind()) || ast::Comment::can_cast(token.kind())
    });
    texts.map(|token| token.text().matches('\n').count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_pattern_binds() {
        let code = ":dep tch\nlet (mut a, [b, ..]) = f();\n// of c\nlet c = 1; // one\nlet d;";
        let bindings = bindings(code);
        let found: Vec<_> =
            bindings.iter().map(|it| (it.name.as_str(), it.is_mut, it.line)).collect();
        assert_eq!(found, [("a", true, 2), ("b", false, 2), ("c", false, 4), ("d", false, 5)]);
        assert_eq!(&code[..bindings[2].end].lines().last(), &Some("let c = 1;"));
        assert_eq!(bindings[2].initializer.as_deref(), Some("1"));
        assert_eq!(bindings[3].initializer, None);
        assert_eq!(bindings[3].untyped, Some(code.len() - 1));
        let code = "let a: Vec<_> = f(); let b: i64 = 1; let c: (u8, _);";
        let found = super::bindings(code).into_iter().map(|it| it.untyped).collect::<Vec<_>>();
        assert_eq!(found, [Some(5), None, None]);
    }
}
