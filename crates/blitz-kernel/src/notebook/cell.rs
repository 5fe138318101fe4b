//! A cell taken apart: what it defines, and what it does.

use crate::notebook::definition::{Definition, Origin};
use crate::syntax;
use crate::syntax::commands::commands;
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, SyntaxNode};

/// Macros that make items, whoever has written them.
const MAKERS: [&str; 3] = ["thread_local", "lazy_static", "bitflags"];

/// A cell taken apart.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// evcxr's commands, with which it begins.
    pub commands: String,
    /// What it defines, in order.
    pub definitions: Vec<Definition>,
    /// The cell with blanks in the place of commands and definitions: no place in it moves.
    pub statements: String,
    /// Whether it does anything but define.
    pub has_statements: bool,
}

impl Cell {
    /// Takes `code` apart. `makes_items` tells whether a macro of that name, defined by an earlier
    /// cell, makes items. `None` where the code is no Rust: rustc says why.
    pub fn parse(code: &str, origin: &Origin, makes_items: impl Fn(&str) -> bool) -> Option<Cell> {
        let rust = syntax::commands::without_commands(code);
        let wrapped = format!("{}{rust}\n}}", syntax::PRELUDE);
        if !SourceFile::parse(&wrapped, Edition::Edition2024).errors().is_empty() {
            return None;
        }
        let commands = commands(code).into_iter().map(|it| format!("{}\n", it.text)).collect();
        let mut cell = Cell { commands, ..Cell::default() };
        let mut blanks = Vec::new();
        let mut makers: Vec<String> = Vec::new();
        for node in syntax::statements(code) {
            let start = usize::from(node.text_range().start()) - syntax::PRELUDE.len();
            let end = usize::from(node.text_range().end()) - syntax::PRELUDE.len();
            let before = rust.get(..start)?;
            let line = 1 + before.matches('\n').count();
            let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count());
            let origin = Origin { line, ..origin.clone() };
            if let Some(item) = ast::Item::cast(node.clone()) {
                if matches!(item, ast::Item::ExternCrate(_)) {
                    continue;
                }
                if let ast::Item::MacroRules(item) = &item
                    && makes_only_items(item)
                    && let Some(name) = item.name()
                {
                    makers.push(name.text().to_string());
                }
                cell.definitions.extend(Definition::of_item(&item, &origin, column));
                blanks.push(start..end);
            } else if let Some((name, text)) = macro_call(&node)
                && (MAKERS.contains(&name.as_str()) || makers.contains(&name) || makes_items(&name))
            {
                let text = if text.ends_with(['}', ';']) { text } else { format!("{text};") };
                cell.definitions.push(Definition::of_macro_call(text, &name, &origin, column));
                blanks.push(start..end);
            }
        }
        cell.statements = rust;
        for range in &blanks {
            let blank = cell.statements[range.clone()].chars().map(blank).collect::<String>();
            cell.statements.replace_range(range.clone(), &blank);
        }
        cell.has_statements = !syntax::statements(&cell.statements).is_empty();
        // evcxr would take it for a command, now that it is the first line.
        if cell.statements.trim_start().starts_with(['!', ':'])
            && let Some(first) = blanks.first()
        {
            cell.statements.replace_range(first.start..first.start + 3, "();");
        }
        Some(cell)
    }
}

/// As many bytes of blank: an offset in the cell stays an offset.
fn blank(c: char) -> String {
    match c {
        '\n' => "\n".to_owned(),
        c => " ".repeat(c.len_utf8()),
    }
}

/// The name and text of the macro that a statement consists of calling.
fn macro_call(node: &SyntaxNode) -> Option<(String, String)> {
    let call = match ast::ExprStmt::cast(node.clone()) {
        Some(statement) => statement.expr()?.syntax().clone(),
        None => node.clone(),
    };
    let call = ast::MacroExpr::cast(call)?.macro_call()?;
    let name = call.path()?.segment()?.name_ref()?.text().to_string();
    Some((name, node.text().to_string()))
}

/// Whether what a macro makes is items, in each of its rules.
pub fn makes_only_items(item: &ast::MacroRules) -> bool {
    let Some(rules) = item.token_tree() else { return false };
    let parts: Vec<ast::TokenTree> =
        rules.syntax().children().filter_map(ast::TokenTree::cast).collect();
    // A pattern, then what it becomes.
    let bodies: Vec<&ast::TokenTree> = parts.iter().skip(1).step_by(2).collect();
    !bodies.is_empty() && bodies.into_iter().all(begins_with_item)
}

/// Whether the first word in `body` that is no attribute begins an item.
fn begins_with_item(body: &ast::TokenTree) -> bool {
    use SyntaxKind as K;
    let mut tokens = body
        .syntax()
        .descendants_with_tokens()
        .filter_map(|it| it.into_token())
        .filter(|token| !token.kind().is_trivia())
        .skip(1)
        .peekable();
    while let Some(token) = tokens.next() {
        match token.kind() {
            // `#[…]`
            K::POUND => {
                let mut depth = 0;
                for token in tokens.by_ref() {
                    match token.kind() {
                        K::L_BRACK => depth += 1,
                        K::R_BRACK => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
            // `$(…)*` and `$visibility`
            K::DOLLAR => {
                if tokens.peek().is_some_and(|it| it.kind() == K::L_PAREN) {
                    tokens.next();
                } else {
                    tokens.next();
                    let next = tokens.peek().map(|it| it.kind());
                    if !next.is_some_and(begins_item) {
                        return false;
                    }
                }
            }
            K::PUB_KW | K::UNSAFE_KW | K::ASYNC_KW | K::EXTERN_KW => {
                let next = tokens.peek().map(|it| it.kind());
                if next == Some(K::L_CURLY) {
                    return token.kind() == K::EXTERN_KW;
                }
                if next == Some(K::L_PAREN) {
                    while tokens.next().is_some_and(|it| it.kind() != K::R_PAREN) {}
                }
            }
            K::CONST_KW => return tokens.peek().is_none_or(|it| it.kind() != K::L_CURLY),
            kind => {
                let word = token.text();
                let is_call = tokens.peek().is_some_and(|it| it.kind() == K::BANG);
                return begins_item(kind)
                    || word == "union"
                    || (is_call && (word == "macro_rules" || MAKERS.contains(&word)));
            }
        }
    }
    // It makes nothing.
    false
}

fn begins_item(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::STRUCT_KW
            | K::ENUM_KW
            | K::FN_KW
            | K::IMPL_KW
            | K::MOD_KW
            | K::STATIC_KW
            | K::TRAIT_KW
            | K::TYPE_KW
            | K::USE_KW
            | K::CONST_KW
            | K::UNSAFE_KW
            | K::EXTERN_KW
            | K::ASYNC_KW
            | K::PUB_KW
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(code: &str) -> Cell {
        let origin = Origin { cell: 3, ..Origin::default() };
        Cell::parse(code, &origin, |name| name == "known").expect("the cell is Rust")
    }

    fn titles(code: &str) -> Vec<String> {
        parse(code).definitions.into_iter().map(|it| it.title).collect()
    }

    #[test]
    fn definitions_and_statements_are_told_apart() {
        let code = ":dep a\nstruct S; let x = 1;\nfn f() {}\nf()";
        let cell = parse(code);
        assert_eq!(cell.commands, ":dep a\n");
        assert_eq!(cell.statements, "      \n          let x = 1;\n         \nf()");
        assert!(cell.has_statements && !parse("struct S;").has_statements);
        assert_eq!(titles(code), ["struct S", "fn f"]);
        assert!(Cell::parse("fn f( {", &Origin::default(), |_| false).is_none());
    }

    #[test]
    fn what_looks_like_a_command_behind_a_definition_stays_rust() {
        assert_eq!(parse("fn f() {}\n!true").statements, "();      \n!true");
    }

    #[test]
    fn each_method_and_each_import_is_a_definition_at_its_place() {
        let cell = parse("use a::{b, c as d};\nimpl S {\n    fn f() {}\n    const C: u8 = 1; }");
        let all = cell.definitions;
        let titles: Vec<&str> = all.iter().map(|it| it.title.as_str()).collect();
        assert_eq!(titles, ["use a::b", "use a::c as d", "S::f", "S::C"]);
        assert_eq!(all[2].source, "impl S { fn f() {} }");
        assert_eq!(all[2].place(1, 10), (3, 5));
        assert_eq!(all[3].place(1, 10), (4, 5));
        assert_eq!(all[1].place(1, 5).0, 1);
    }

    #[test]
    fn macros_that_make_items_are_definitions_and_others_statements() {
        let item = "macro_rules! m { ($v:vis $n:ident) => { #[derive(Debug)] $v struct $n; } }";
        assert_eq!(titles(&format!("{item}\nm!(A);")).len(), 2);
        assert_eq!(titles("macro_rules! m { () => { let x = 1; } }\nm!();").len(), 1);
        assert_eq!(titles("macro_rules! m { () => { const { 1 } } }\nm!()").len(), 1);
        assert_eq!(titles("known!(A); println!(); thread_local! { static A: u8 = 1; }").len(), 2);
    }
}
