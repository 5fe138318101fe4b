//! Reading cells as Rust code, with the parser that evcxr uses.

use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, SyntaxNode, SyntaxToken};
use serde::{Deserialize, Serialize};

/// What evcxr wraps around a cell to parse it.
const PRELUDE: &str = "fn f(){";

/// Whether a piece of code can be run as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// It can.
    Complete,
    /// Something is missing at the end; the next line begins with this indentation.
    Incomplete(String),
    /// It can never become right by adding to it.
    Invalid,
}

/// An item that a cell defines: what it is and its source.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Tells items apart: a later one with the same key replaces this one.
    pub key: String,
    /// The source.
    pub source: String,
}

/// Whether the last statement of `code` is an expression without a semicolon.
pub fn ends_with_expression(code: &str) -> bool {
    let last = statements(code).last().map(SyntaxNode::kind);
    last.is_some_and(ast::Expr::can_cast)
}

/// The line, from 1, of a `let` without a pattern, if there is one. evcxr drops such a statement.
pub fn let_without_pattern(code: &str) -> Option<usize> {
    let lets = statements(code).into_iter().filter_map(ast::LetStmt::cast);
    let statement = lets.into_iter().find(|statement| statement.pat().is_none())?;
    let start = usize::from(statement.syntax().text_range().start()).checked_sub(PRELUDE.len())?;
    Some(1 + code.get(..start)?.matches('\n').count())
}

/// The functions, types, imports and so on that `code` defines.
pub fn items(code: &str) -> Vec<Item> {
    let items = statements(code).into_iter().filter_map(ast::Item::cast);
    items
        .map(|item| Item { key: item_key(&item), source: item.syntax().text().to_string() })
        .collect()
}

/// The brackets that are open at the end of `code`, closed.
pub fn closing_brackets(code: &str) -> String {
    let mut closing = Vec::new();
    for token in tokens(&without_commands(code)) {
        match token.kind() {
            SyntaxKind::L_CURLY => closing.push('}'),
            SyntaxKind::L_PAREN => closing.push(')'),
            SyntaxKind::L_BRACK => closing.push(']'),
            SyntaxKind::R_CURLY | SyntaxKind::R_PAREN | SyntaxKind::R_BRACK => drop(closing.pop()),
            _ => {}
        }
    }
    closing.iter().rev().collect()
}

/// Whether `code` is complete.
pub fn completeness(code: &str) -> Completeness {
    let code = code.trim_end();
    if code.lines().last().is_some_and(|line| is_command(line.trim_start())) {
        return Completeness::Complete;
    }
    let mut open = Vec::new();
    let mut last = None;
    for token in tokens(&without_commands(code)) {
        match token.kind() {
            SyntaxKind::L_CURLY | SyntaxKind::L_PAREN | SyntaxKind::L_BRACK => {
                open.push(token.kind());
            }
            kind if opening(kind).is_some() && open.pop() != opening(kind) => {
                return Completeness::Invalid;
            }
            _ => {}
        }
        if !token.kind().is_trivia() || is_unterminated(&token) {
            last = Some(token);
        }
    }
    let Some(last) = last else { return Completeness::Complete };
    if is_unterminated(&last) {
        return Completeness::Incomplete(String::new());
    }
    if !open.is_empty() || continues(last.kind()) {
        return Completeness::Incomplete("    ".repeat(open.len()));
    }
    judge(&without_commands(code))
}

/// What the parser says of code whose brackets match.
fn judge(code: &str) -> Completeness {
    let errors =
        |code: &str| SourceFile::parse(&wrapped(code), Edition::Edition2024).errors().len();
    if errors(code) == 0 {
        return Completeness::Complete;
    }
    // A missing semicolon or body at the end may still come.
    let can_go_on =
        [";", " {}", " x;", " x {}"].iter().any(|end| errors(&format!("{code}{end}")) == 0);
    if can_go_on { Completeness::Incomplete(String::new()) } else { Completeness::Invalid }
}

fn wrapped(code: &str) -> String {
    format!("{PRELUDE}{code}\n}}")
}

/// The statements of `code`, each with where it begins, in bytes.
pub fn placed_statements(code: &str) -> Vec<(usize, SyntaxNode)> {
    let place =
        |node: &SyntaxNode| usize::from(node.text_range().start()).checked_sub(PRELUDE.len());
    statements(code).into_iter().filter_map(|node| Some((place(&node)?, node))).collect()
}

fn statements(code: &str) -> Vec<SyntaxNode> {
    let file = SourceFile::parse(&wrapped(&without_commands(code)), Edition::Edition2024).tree();
    let function = file.syntax().children().find_map(ast::Fn::cast);
    let list = function.and_then(|function| function.body()?.stmt_list());
    list.map(|list| list.syntax().children().collect()).unwrap_or_default()
}

/// `code` with evcxr's commands (`:dep …`, `!ls`) made blank. No offset in bytes changes.
pub fn without_commands(code: &str) -> String {
    let blank = |line: &str| line.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
    let lines = code.split_inclusive('\n');
    lines
        .map(|line| if is_command(line.trim_start()) { blank(line) } else { line.to_owned() })
        .collect()
}

fn is_command(line: &str) -> bool {
    let mut characters = line.chars();
    matches!(characters.next(), Some(':')) && characters.next().is_some_and(char::is_alphabetic)
        || line.starts_with('!') && line.len() > 1
}

fn tokens(code: &str) -> Vec<SyntaxToken> {
    // Parsed as a file: only its tokens count here, and wrapping would add brackets.
    let file = SourceFile::parse(code, Edition::Edition2024).tree();
    file.syntax().descendants_with_tokens().filter_map(|element| element.into_token()).collect()
}

fn is_unterminated(token: &SyntaxToken) -> bool {
    let text = token.text();
    match token.kind() {
        SyntaxKind::STRING => text.len() < 2 || !text.ends_with('"') || text.ends_with("\\\""),
        SyntaxKind::COMMENT => text.starts_with("/*") && !text.ends_with("*/"),
        _ => false,
    }
}

fn opening(kind: SyntaxKind) -> Option<SyntaxKind> {
    match kind {
        SyntaxKind::R_CURLY => Some(SyntaxKind::L_CURLY),
        SyntaxKind::R_PAREN => Some(SyntaxKind::L_PAREN),
        SyntaxKind::R_BRACK => Some(SyntaxKind::L_BRACK),
        _ => None,
    }
}

/// Whether something must follow a token of this kind.
fn continues(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::EQ
            | K::PLUS
            | K::MINUS
            | K::STAR
            | K::SLASH
            | K::AMP
            | K::PIPE
            | K::DOT
            | K::COMMA
            | K::COLON
            | K::COLON2
            | K::THIN_ARROW
            | K::FAT_ARROW
            | K::AMP2
            | K::PIPE2
            | K::PLUSEQ
            | K::LET_KW
            | K::ELSE_KW
            | K::FN_KW
            | K::STRUCT_KW
            | K::IMPL_KW
            | K::USE_KW
    )
}

fn item_key(item: &ast::Item) -> String {
    let name = match item {
        ast::Item::Fn(item) => item.name(),
        ast::Item::Struct(item) => item.name(),
        ast::Item::Enum(item) => item.name(),
        ast::Item::Trait(item) => item.name(),
        ast::Item::Const(item) => item.name(),
        ast::Item::Static(item) => item.name(),
        ast::Item::TypeAlias(item) => item.name(),
        ast::Item::Module(item) => item.name(),
        ast::Item::MacroRules(item) => item.name(),
        _ => None,
    };
    // Imports and implementations have no name of their own: their source tells them apart.
    name.map_or_else(|| item.syntax().text().to_string(), |name| name.text().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_statement_decides() {
        assert!(ends_with_expression("let x = 1;\nx + 1"));
        assert!(ends_with_expression(":dep tch = \"1\"\nx // the value\n"));
        assert!(!ends_with_expression("x;"));
        assert!(!ends_with_expression("let x = 1;"));
        assert!(!ends_with_expression("fn f() {}"));
    }

    #[test]
    fn a_let_needs_a_pattern() {
        assert_eq!(let_without_pattern("let x = 1;\nlet = ;"), Some(2));
        assert_eq!(let_without_pattern("let x = 1;\nlet (a, _) = f();"), None);
    }

    #[test]
    fn open_brackets_are_closed() {
        assert_eq!(closing_brackets("fn f(t: &T) { g(t[0], \"(\""), ")}");
        assert_eq!(closing_brackets("a(b)"), "");
    }

    #[test]
    fn items_are_found() {
        let items = items("use tch::Tensor;\nfn f() {}\nlet x = 1;\nstruct S;\nx");
        let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
        assert_eq!(keys, ["use tch::Tensor;", "f", "S"]);
    }

    #[test]
    fn complete_incomplete_invalid() {
        let complete =
            ["1 + 1", "let x = 5;", "fn f() { 1 }", ":dep tch = \"0.24\"", "", "// done", "\"{\""];
        for code in complete {
            assert_eq!(completeness(code), Completeness::Complete, "{code}");
        }
        let incomplete = [
            ("fn f() {", "    "),
            ("println!(\"{}\",", "    "),
            ("let x =", ""),
            ("let x = 5", ""),
            ("let s = \"never ends", ""),
            ("/* never ends", ""),
            ("if x { (1, [", "            "),
            ("x.", ""),
            ("struct S", ""),
        ];
        for (code, indent) in incomplete {
            assert_eq!(completeness(code), Completeness::Incomplete(indent.to_owned()), "{code}");
        }
        for code in ["fn f() }", "let 1x = ;", "a b c", "(]"] {
            assert_eq!(completeness(code), Completeness::Invalid, "{code}");
        }
    }
}
