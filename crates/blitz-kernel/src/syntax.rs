//! Reading cells as Rust code, with the parser that evcxr uses.

pub mod commands;
pub mod edits;
pub mod fault;
pub mod python;

use commands::{commands, without_commands};
use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, SyntaxNode, SyntaxToken};
use ra_ap_syntax::{TextRange, TextSize};
use std::ops::Range;

/// What evcxr wraps around a cell to parse it.
pub const PRELUDE: &str = "fn f(){";

/// Code that is longer, in bytes, or has more brackets within each other, is not read to tell
/// whether it is complete: the parser would take minutes over some of it.
const LONGEST: usize = 50_000;
const DEEPEST: usize = 500;

/// The parser recurses, also for what has no brackets: each `else if` or `!` takes a piece of this.
const STACK: usize = 128 * 1024 * 1024;

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

/// A `let` statement of a cell.
pub struct LetStatement {
    /// The statement, in a text that begins with more than the cell.
    pub node: ast::LetStmt,
}

impl LetStatement {
    /// Where a part of the statement stands in the cell, in bytes.
    pub fn range(&self, range: TextRange) -> Range<usize> {
        let offset = |at: TextSize| usize::from(at).saturating_sub(PRELUDE.len());
        offset(range.start())..offset(range.end())
    }
}

/// The `let` statements of `code`, which is settled. None where it cannot be read as Rust.
pub fn let_statements(code: &str) -> Vec<LetStatement> {
    if is_too_deep(code) {
        return Vec::new();
    }
    let lets = statements(code).into_iter().filter_map(ast::LetStmt::cast);
    lets.map(|node| LetStatement { node }).collect()
}

/// The items of `code`, parsed.
pub fn parsed_items(code: &str) -> Vec<ast::Item> {
    statements(code).into_iter().filter_map(ast::Item::cast).collect()
}

/// `text` without comments, with spaces only where words would else be one.
pub fn normalized(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for token in tokens(text).iter().filter(|token| !token.kind().is_trivia()) {
        let starts_word = token.text().starts_with(|c| is_word(c) || c == '\'' || c == '"');
        if starts_word && normal.ends_with(is_word) {
            normal.push(' ');
        }
        normal.push_str(token.text());
    }
    normal
}

/// `text` on one line, without comments.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for token in tokens(text) {
        match token.kind() {
            SyntaxKind::WHITESPACE => line.push(' '),
            SyntaxKind::COMMENT if token.text().starts_with("//") => {}
            _ => line.push_str(&token.text().replace('\n', " ")),
        }
    }
    line
}

/// The beginning of `text`, for a message.
pub fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
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

/// Whether `code`, which is settled, is complete. `None` where it is too long to tell.
pub fn completeness(code: &str) -> Option<Completeness> {
    if is_too_deep(code) {
        return None;
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let judged = thread.spawn_scoped(scope, || judge_completeness(code)).ok()?;
        judged.join().ok()
    })
}

/// Whether the parser could take minutes over `code`.
pub fn is_too_deep(code: &str) -> bool {
    code.len() > LONGEST || depth(code) > DEEPEST
}

/// How many brackets are open at most. Those in texts and comments count, too.
fn depth(code: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in code.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn judge_completeness(code: &str) -> Completeness {
    let code = code.trim_end();
    if commands(code).last().is_some_and(|command| command.range.end == code.len()) {
        return Completeness::Complete;
    }
    completeness_of_rust(&without_commands(code))
}

/// Whether `code`, in which nothing is a command, is complete.
fn completeness_of_rust(code: &str) -> Completeness {
    let mut open = Vec::new();
    let mut last = None;
    let parsed = SourceFile::parse(code, Edition::Edition2024);
    let endless = fault::endless(&parsed);
    let is_endless = |token: &SyntaxToken| {
        let range = token.text_range();
        endless.iter().any(|at| (range.start().into()..range.end().into()).contains(at))
    };
    for token in tokens_of(&parsed.tree()) {
        match token.kind() {
            SyntaxKind::L_CURLY | SyntaxKind::L_PAREN | SyntaxKind::L_BRACK => {
                open.push(token.kind());
            }
            kind if opening(kind).is_some() && open.pop() != opening(kind) => {
                return Completeness::Invalid;
            }
            _ => {}
        }
        if !token.kind().is_trivia() || is_endless(&token) {
            last = Some(token);
        }
    }
    let Some(last) = last else { return Completeness::Complete };
    if is_endless(&last) {
        return Completeness::Incomplete(String::new());
    }
    if !open.is_empty() || continues(last.kind()) {
        return Completeness::Incomplete("    ".repeat(open.len()));
    }
    judge(code)
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

/// The nodes of the statements of `code`, as they stand behind [`PRELUDE`].
pub fn statements(code: &str) -> Vec<SyntaxNode> {
    let file = SourceFile::parse(&wrapped(&without_commands(code)), Edition::Edition2024).tree();
    let function = file.syntax().children().find_map(ast::Fn::cast);
    let list = function.and_then(|function| function.body()?.stmt_list());
    list.map(|list| list.syntax().children().collect()).unwrap_or_default()
}

/// The tokens of `code`.
pub fn tokens(code: &str) -> Vec<SyntaxToken> {
    // Parsed as a file: only its tokens count here, and wrapping would add brackets.
    tokens_of(&SourceFile::parse(code, Edition::Edition2024).tree())
}

fn tokens_of(file: &SourceFile) -> Vec<SyntaxToken> {
    file.syntax().descendants_with_tokens().filter_map(|element| element.into_token()).collect()
}

/// The number of the line of `code`, from 1, that has the byte `at`, and where it begins.
pub fn line_at(code: &str, at: usize) -> (usize, usize) {
    let before = &code[..at];
    (1 + before.matches('\n').count(), before.rfind('\n').map_or(0, |at| at + 1))
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
    fn a_text_has_one_normal_form() {
        assert_eq!(normalized("& 'static   mut  Vec < u8 >"), "&'static mut Vec<u8>");
        assert_eq!(normalized("dyn A+Send // why\n + 'a"), "dyn A+Send+'a");
        assert_eq!(one_line("a(\n    b, // c\n)"), "a( b,  )");
    }

    #[test]
    fn complete_incomplete_invalid() {
        let complete = [
            "1 + 1",
            "let x = 5;",
            "fn f() { 1 }",
            ":dep tch = \"0.24\"",
            "",
            "// done",
            "\"{\"",
            "\"a\\\\\"",
            "r\"a\\\"",
            "b\"x\"",
        ];
        for code in complete {
            assert_eq!(completeness(code), Some(Completeness::Complete), "{code}");
        }
        let incomplete = [
            ("fn f() {", "    "),
            ("println!(\"{}\",", "    "),
            ("let x =", ""),
            ("let x = 5", ""),
            ("let s = \"never ends", ""),
            ("/* never ends", ""),
            ("f(1); // \"\nlet s = \"a\\\"", ""),
            ("let s = r#\"a\"", ""),
            ("/* /* */", ""),
            ("if x { (1, [", "            "),
            ("x.", ""),
            ("struct S", ""),
        ];
        for (code, indent) in incomplete {
            let expected = Completeness::Incomplete(indent.to_owned());
            assert_eq!(completeness(code), Some(expected), "{code}");
        }
        for code in ["fn f() }", "let 1x = ;", "a b c", "(]"] {
            assert_eq!(completeness(code), Some(Completeness::Invalid), "{code}");
        }
    }

    #[test]
    fn however_deep_it_is() {
        let pieces = [
            "(",
            "[",
            "{",
            "!",
            "-",
            "&",
            "*",
            "a.b(",
            "if x {",
            "if x {} else ",
            "|x|",
            "x = ",
            "x + (",
            "match x { _ => ",
            "return ",
            "mod m {",
            "Vec<",
            "fn f() {",
            "x!{",
            "x::<",
            "..",
            "'a: {",
            "/*",
            "let (",
            "#[a(",
            "let Some(",
            "&&",
            "async ",
            "unsafe {",
            "loop {",
            "break ",
            "x as ",
            "?",
            ".a",
        ];
        for piece in pieces {
            let opened = depth(piece).max(1);
            let deep = piece.repeat((DEEPEST / opened).min(LONGEST / piece.len()));
            assert!(completeness(&deep).is_some(), "{piece}");
        }
        assert_eq!(completeness(&"(".repeat(DEEPEST + 1)), None);
        assert_eq!(completeness(&" ".repeat(LONGEST + 1)), None);
        let operators = "!".repeat(LONGEST - 1) + "x";
        assert_eq!(completeness(&operators), Some(Completeness::Complete));
    }
}
