//! Every binding of a pattern is a variable of the session.
//!
//! evcxr learns from a cell's `let` statements which variables to keep, and looks only so far into
//! their patterns: it misses what stands behind `@` or in a macro, takes `None` for a variable, types
//! a reference by what it refers to, and forgets `mut` where a name was there before. It is right
//! about `let NAME = …`. So each pattern's bindings are bound again behind the statement, on the same
//! line (`let (a, mut b) = f(); let a = a; let mut b = b;`), and what is no binding is written so
//! that it cannot be taken for one.
//!
//! Whether a bare name in a pattern is a binding or a constant, a unit struct or a variant, rustc
//! decides by what the name refers to. Here a constant is what the session has defined as such, and
//! `None`. Of other names the case decides, as rustc's lints demand, and only where the pattern may
//! be refuted (`let … else`): `Less` and `MAX` are constants there, `x` and the matrix `Q` are not.
//!
//! References in patterns, and a reference to a value that has no name (`let (a, b) = &pair();`),
//! last as long as the session, as they would last to the end of a function: the value moves to a
//! place of its own that is never freed. A reference to another variable cannot be kept.

use crate::syntax::edits::Edits;
use crate::syntax::{LetStatement, let_statements};
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind, T};
use std::collections::BTreeSet;
use std::ops::Range;

/// How a value is moved to a place that is never freed.
const LEAK: (&str, &str) = ("*::std::boxed::Box::leak(::std::boxed::Box::new(", "))");

/// What makes evcxr see the bindings of `code`, which is settled. `is_constant` tells the constants,
/// unit structs and unit variants that the session knows by a bare name.
pub fn rebind(code: &str, is_constant: &dyn Fn(&str) -> bool) -> Edits {
    let mut edits = Edits::default();
    for statement in let_statements(code) {
        let Some(pattern) = statement.node.pat() else { continue };
        let mut names = Names {
            may_be_refuted: statement.node.let_else().is_some(),
            is_constant,
            is_behind_reference: false,
            bindings: Vec::new(),
            constants: Vec::new(),
        };
        names.of(&pattern);
        names.rewrite(&statement, &pattern, &mut edits);
    }
    edits
}

/// The names in a pattern.
struct Names<'a> {
    may_be_refuted: bool,
    is_constant: &'a dyn Fn(&str) -> bool,
    /// Below a `&`: what `ref` refers to there is not part of the statement's value.
    is_behind_reference: bool,
    bindings: Vec<Binding>,
    constants: Vec<ast::Name>,
}

/// A name that is bound.
struct Binding {
    name: String,
    /// In the parsed text.
    node: ra_ap_syntax::TextRange,
    is_mut: bool,
    /// Where `ref` stands, with the `mut` that belongs to it, if it refers to a part of the value.
    by_ref: Option<ra_ap_syntax::TextRange>,
    /// Names behind `@` refer into the same value.
    has_parts: bool,
}

impl Names<'_> {
    /// Collects the names in `pattern`.
    fn of(&mut self, pattern: &ast::Pat) {
        match pattern {
            ast::Pat::IdentPat(ident) => self.of_ident(ident),
            ast::Pat::RecordPat(record) => {
                let fields = record.record_pat_field_list();
                for field in fields.iter().flat_map(ast::RecordPatFieldList::fields) {
                    match field.pat() {
                        // The short form of a field is a binding, whatever its name.
                        Some(ast::Pat::IdentPat(ident)) if field.colon_token().is_none() => {
                            self.bind(&ident);
                        }
                        Some(pattern) => self.of(&pattern),
                        None => {}
                    }
                }
            }
            ast::Pat::MacroPat(call) => self.of_macro(call),
            ast::Pat::RangePat(range) => {
                // Both ends are constants.
                let ends = range.syntax().children().filter_map(ast::IdentPat::cast);
                self.constants.extend(ends.filter_map(|end| end.name()));
            }
            ast::Pat::RefPat(reference) => {
                let is_behind_reference = std::mem::replace(&mut self.is_behind_reference, true);
                reference.pat().iter().for_each(|pattern| self.of(pattern));
                self.is_behind_reference = is_behind_reference;
            }
            ast::Pat::ConstBlockPat(_) | ast::Pat::LiteralPat(_) | ast::Pat::PathPat(_) => {}
            _ => {
                for part in pattern.syntax().children().filter_map(ast::Pat::cast) {
                    self.of(&part);
                }
            }
        }
    }

    fn of_ident(&mut self, ident: &ast::IdentPat) {
        let Some(name) = ident.name() else { return };
        let is_bare = ident.ref_token().is_none()
            && ident.mut_token().is_none()
            && ident.at_token().is_none();
        if is_bare && self.is_constant(name.text()) {
            self.constants.push(name);
        } else {
            self.bind(ident);
        }
    }

    fn bind(&mut self, ident: &ast::IdentPat) {
        let Some(name) = ident.name() else { return };
        let by_ref = ident.ref_token().filter(|_| !self.is_behind_reference).map(|token| {
            let range = token.text_range();
            ident.mut_token().map_or(range, |token| range.cover(token.text_range()))
        });
        // The alternatives of a pattern bind the same names.
        if !self.bindings.iter().any(|known| known.name == name.text()) {
            self.bindings.push(Binding {
                name: name.text().to_string(),
                node: name.syntax().text_range(),
                is_mut: ident.mut_token().is_some() && ident.ref_token().is_none(),
                by_ref,
                has_parts: ident.pat().is_some(),
            });
        }
        if let Some(part) = ident.pat() {
            self.of(&part);
        }
    }

    /// What a macro makes of its arguments only rustc knows. A name that could be a variable's and
    /// stands alone is taken for a binding.
    fn of_macro(&mut self, pattern: &ast::MacroPat) {
        let tree = pattern.macro_call().and_then(|call| call.token_tree());
        let tokens: Vec<_> = tree
            .iter()
            .flat_map(|tree| tree.syntax().descendants_with_tokens())
            .filter_map(|element| element.into_token())
            .filter(|token| !token.kind().is_trivia())
            .collect();
        for (at, token) in tokens.iter().enumerate() {
            let near = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(|it| it.kind());
            let (before, after) = (near(at.checked_sub(1)), near(Some(at + 1)));
            let names_more = [T!['('], T!['{'], T![!], T![::], T![:], T![=>]];
            let is_part = after.is_some_and(|kind| names_more.contains(&kind))
                || before.is_some_and(|kind| [T![::], T![.]].contains(&kind));
            let name = token.text();
            let is_lower = name.starts_with(|c: char| c == '_' || c.is_lowercase()) && name != "_";
            let is_known = self.bindings.iter().any(|known| known.name == name);
            if token.kind() == SyntaxKind::IDENT && is_lower && !is_part && !is_known {
                self.bindings.push(Binding {
                    name: name.to_owned(),
                    node: token.text_range(),
                    is_mut: before == Some(T![mut]),
                    by_ref: None,
                    has_parts: false,
                });
            }
        }
    }

    fn is_constant(&self, name: &str) -> bool {
        if name == "None" || (self.is_constant)(name) {
            return true;
        }
        let is_upper = name.starts_with(char::is_uppercase);
        self.may_be_refuted && is_upper && name.chars().count() > 1
    }

    fn rewrite(&self, statement: &LetStatement, pattern: &ast::Pat, edits: &mut Edits) {
        for name in &self.constants {
            let range = statement.range(name.syntax().text_range());
            let is_variant = name.text().contains(char::is_lowercase)
                && name.text().starts_with(char::is_uppercase);
            match is_variant {
                true => edits.insert(range.end, " {}", range),
                false => edits.insert(range.start, "self::", range),
            }
        }
        let (Some(value), Some(end)) =
            (statement.node.initializer(), statement.node.semicolon_token())
        else {
            return;
        };
        let end = statement.range(end.text_range()).end;
        let references: Vec<&Binding> =
            self.bindings.iter().filter(|it| it.by_ref.is_some()).collect();
        let keeps_whole = references.len() == self.bindings.len()
            || references.iter().any(|binding| binding.has_parts);
        let is_value = self.is_value(&value);
        let moves_parts = is_value && !references.is_empty() && !keeps_whole;
        if is_value && !references.is_empty() && keeps_whole {
            leak(statement.range(value.syntax().text_range()), edits);
        }
        if let ast::Expr::RefExpr(reference) = &value
            && let Some(value) = reference.expr()
            && !self.bindings.is_empty()
            && self.is_value(&value)
            && !is_promoted(&value)
        {
            leak(statement.range(value.syntax().text_range()), edits);
        }
        if self.is_plain(pattern) {
            return;
        }
        for binding in &self.bindings {
            let Binding { name, is_mut, by_ref, .. } = binding;
            let origin = statement.range(binding.node);
            let mutable = if *is_mut { "mut " } else { "" };
            let mut value = name.clone();
            if moves_parts && let Some(by_ref) = by_ref {
                let range = statement.range(*by_ref);
                let is_mutable = range.len() > "ref".len();
                edits.replace(range.clone(), " ".repeat(range.len()), range);
                let (before, after) = LEAK;
                value = format!("&{}{before}{name}{after}", if is_mutable { "mut " } else { "" });
            }
            edits.insert(end, format!(" let {mutable}{name} = {value};"), origin);
        }
    }

    /// Whether evcxr is right about the pattern as it is.
    fn is_plain(&self, pattern: &ast::Pat) -> bool {
        let ast::Pat::IdentPat(ident) = pattern else { return self.bindings.is_empty() };
        ident.ref_token().is_none() && ident.pat().is_none()
    }

    /// Whether an expression makes a value, rather than naming a place where one is.
    fn is_value(&self, expression: &ast::Expr) -> bool {
        match expression {
            ast::Expr::PathExpr(path) => (self.is_constant)(&path.syntax().text().to_string()),
            ast::Expr::FieldExpr(_) | ast::Expr::IndexExpr(_) => false,
            ast::Expr::PrefixExpr(prefix) => prefix.op_kind() != Some(ast::UnaryOp::Deref),
            ast::Expr::ParenExpr(inner) => inner.expr().is_some_and(|inner| self.is_value(&inner)),
            _ => true,
        }
    }
}

/// Whether a reference to it lasts by itself, or needs to be seen as it is: a closure's arguments
/// get their types from what the reference is for.
fn is_promoted(expression: &ast::Expr) -> bool {
    matches!(expression, ast::Expr::Literal(_) | ast::Expr::ClosureExpr(_) | ast::Expr::RefExpr(_))
}

fn leak(value: Range<usize>, edits: &mut Edits) {
    edits.insert(value.start, LEAK.0, value.start..value.start);
    edits.insert(value.end, LEAK.1, value.end..value.end);
}

/// The constants, unit structs and, where they are imported, unit variants among `items`, which are
/// sources of items.
pub fn constants<'a>(items: impl Iterator<Item = &'a str> + Clone) -> BTreeSet<String> {
    let mut constants = BTreeSet::new();
    let mut variants: Vec<(String, String)> = Vec::new();
    let mut imports = Vec::new();
    for item in items.flat_map(crate::syntax::parsed_items) {
        match item {
            ast::Item::Const(it) => constants.extend(it.name().map(|it| it.text().to_string())),
            ast::Item::Struct(it) if it.field_list().is_none() => {
                constants.extend(it.name().map(|it| it.text().to_string()));
            }
            ast::Item::Enum(it) => {
                let list = it.variant_list();
                let units = list.iter().flat_map(ast::VariantList::variants);
                let units = units.filter(|it| it.field_list().is_none());
                let name = it.name().map(|it| it.text().to_string()).unwrap_or_default();
                let names = units.filter_map(|it| it.name());
                variants.extend(names.map(|it| (name.clone(), it.text().to_string())));
            }
            ast::Item::Use(it) => imports.push(it.syntax().text().to_string().replace(' ', "")),
            _ => {}
        }
    }
    let is_imported = |name: &str, variant: &str| {
        let all = format!("{name}::*");
        let (one, listed) = (format!("{name}::{variant};"), format!("{name}::{{"));
        imports.iter().any(|it| it.contains(&all) || it.contains(&one) || it.contains(&listed))
    };
    variants.retain(|(name, variant)| is_imported(name, variant));
    constants.extend(variants.into_iter().map(|(_, variant)| variant));
    constants
}

#[cfg(test)]
mod tests;
