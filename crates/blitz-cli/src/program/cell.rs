//! A cell's code, taken apart: its commands, items and statements, and the value that it shows.

use crate::notebook::nbformat::Cell;
use anyhow::{Result, anyhow};
use std::ops::Range;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Block, Expr, Item, Stmt};

/// The tag of a cell that is to fail.
const FAILS: &str = "raises-exception";
/// What the kernel calls the error of a cell that does not compile.
const COMPILE_ERROR: &str = "compile error";
/// Macros that have no value.
const WITHOUT_VALUE: [&str; 8] =
    ["assert", "assert_eq", "assert_ne", "debug_assert", "eprint", "eprintln", "print", "println"];

/// What a cell is in a program.
pub struct Code {
    /// The kernel's commands.
    pub commands: Vec<String>,
    /// What it is of Rust, in order.
    pub parts: Vec<Part>,
    /// How it ends.
    pub end: End,
}

/// How a cell ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Well,
    /// The page shows how it fails.
    Fails,
    /// The page shows what the compiler says of it.
    DoesNotCompile,
}

/// A statement or an item, with the comments above and beside it.
pub struct Part {
    /// As it is to stand in a program.
    pub text: String,
    /// Where it is an item.
    pub item: Option<Item>,
}

impl Code {
    /// Takes a cell apart.
    ///
    /// # Errors
    /// It is not Rust.
    pub fn parse(cell: &Cell<'_>) -> Result<Code> {
        let (commands, rust) = split(&cell.source());
        let compiles = cell.error().is_none_or(|error| error.name != COMPILE_ERROR);
        let end = match (compiles, cell.has_tag(FAILS)) {
            (false, true) => End::DoesNotCompile,
            (_, true) => End::Fails,
            _ => End::Well,
        };
        let parts = match end {
            End::DoesNotCompile => vec![Part { text: rust, item: None }],
            _ => parts(&rust)?,
        };
        Ok(Code { commands, parts, end })
    }
}

/// The kernel's commands, which stand before the first line of Rust, and the rest, in whose place they
/// are blank.
fn split(source: &str) -> (Vec<String>, String) {
    let is_command = |line: &str| {
        let name = line.trim_start().strip_prefix([':', '!']);
        name.is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
    };
    let is_nothing = |line: &str| line.trim().is_empty() || line.starts_with("//");
    let head = source.lines().take_while(|line| is_command(line) || is_nothing(line)).count();
    let (mut commands, mut rust) = (Vec::new(), String::new());
    for (index, line) in source.lines().enumerate() {
        if index < head && is_command(line) {
            commands.push(line.trim().to_owned());
        } else {
            rust.push_str(line);
        }
        rust.push('\n');
    }
    (commands, rust)
}

fn parts(rust: &str) -> Result<Vec<Part>> {
    let statements = Block::parse_within.parse_str(rust).map_err(|error| {
        let place = error.span().start();
        let line = rust.lines().nth(place.line.saturating_sub(1)).unwrap_or_default().trim();
        anyhow!("line {} of the cell, `{line}`, is no Rust: {error}", place.line)
    })?;
    let spans: Vec<Range<usize>> = statements.iter().map(|it| it.span().byte_range()).collect();
    let count = statements.len();
    let mut start = 0;
    let mut parts = Vec::new();
    for (index, statement) in statements.into_iter().enumerate() {
        let span = spans[index].clone();
        let end = match spans.get(index + 1) {
            // A comment behind it on its line belongs to it.
            Some(next) => rust[span.end..next.start]
                .find('\n')
                .map_or(next.start, |length| span.end + length + 1),
            None => rust.len(),
        };
        let (before, own, behind) =
            (&rust[start..span.start], &rust[span.clone()], &rust[span.end..end]);
        let own = match index + 1 == count {
            true => last(own, &statement),
            false => own.to_owned(),
        };
        let item = match statement {
            Stmt::Item(item) => Some(item),
            _ => None,
        };
        parts.push(Part { text: format!("{before}{own}{behind}"), item });
        start = end;
    }
    if parts.is_empty() && !rust.trim().is_empty() {
        parts.push(Part { text: rust.to_owned(), item: None });
    }
    Ok(parts)
}

/// The cell's last statement, `text`: shown where it is a value.
fn last(text: &str, statement: &Stmt) -> String {
    match statement {
        Stmt::Expr(value, None) if !is_unit(value) => format!("blitz::show!({text});"),
        Stmt::Expr(value, None) if !is_block_like(value) => format!("{text};"),
        Stmt::Macro(it) if it.semi_token.is_none() => match is_without_value(&it.mac) {
            true => format!("{text};"),
            false => format!("blitz::show!({text});"),
        },
        _ => text.to_owned(),
    }
}

fn is_without_value(it: &syn::Macro) -> bool {
    it.path.get_ident().is_some_and(|name| WITHOUT_VALUE.iter().any(|other| name == other))
}

/// Whether it needs no semicolon behind it.
fn is_block_like(value: &Expr) -> bool {
    matches!(
        value,
        Expr::Block(_)
            | Expr::ForLoop(_)
            | Expr::If(_)
            | Expr::Loop(_)
            | Expr::Match(_)
            | Expr::Unsafe(_)
            | Expr::While(_)
    )
}

/// Whether one sees, without knowing any type, that the value is `()`.
fn is_unit(value: &Expr) -> bool {
    match value {
        Expr::Assign(_) | Expr::ForLoop(_) | Expr::While(_) | Expr::Return(_) => true,
        Expr::Binary(binary) => is_assignment(&binary.op),
        Expr::Block(block) => is_unit_block(&block.block),
        Expr::Unsafe(block) => is_unit_block(&block.block),
        Expr::Loop(it) => is_unit_block(&it.body),
        Expr::If(it) => match &it.else_branch {
            Some((_, other)) => is_unit_block(&it.then_branch) && is_unit(other),
            None => true,
        },
        Expr::Match(it) => it.arms.iter().all(|arm| is_unit(&arm.body)),
        Expr::Macro(it) => is_without_value(&it.mac),
        Expr::Tuple(it) => it.elems.is_empty(),
        _ => false,
    }
}

fn is_unit_block(block: &Block) -> bool {
    match block.stmts.last() {
        Some(Stmt::Expr(value, None)) => is_unit(value),
        Some(Stmt::Macro(it)) if it.semi_token.is_none() => is_without_value(&it.mac),
        _ => true,
    }
}

fn is_assignment(operator: &syn::BinOp) -> bool {
    use syn::BinOp::*;
    matches!(
        operator,
        AddAssign(_)
            | SubAssign(_)
            | MulAssign(_)
            | DivAssign(_)
            | RemAssign(_)
            | BitXorAssign(_)
            | BitAndAssign(_)
            | BitOrAssign(_)
            | ShlAssign(_)
            | ShrAssign(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(rust: &str) -> Vec<String> {
        let parts = parts(rust).expect("it is Rust");
        parts.into_iter().map(|part| part.text.trim().to_owned()).collect()
    }

    #[test]
    fn comments_stay_with_what_they_are_about() {
        let rust = "// above\nlet x = 1; // beside\n\n// grün\nfn f() {}\nx // last\n";
        let expected =
            ["// above\nlet x = 1; // beside", "// grün\nfn f() {}", "blitz::show!(x); // last"];
        assert_eq!(texts(rust), expected);
        assert_eq!(texts("// alone"), ["// alone"]);
        assert!(texts("\n").is_empty());
    }

    #[test]
    fn what_has_a_value_is_shown_and_the_rest_ends_as_a_statement() {
        for (last, expected) in [
            ("x", "blitz::show!(x);"),
            ("f(&x)?", "blitz::show!(f(&x)?);"),
            ("x;", "x;"),
            ("z += 1.0", "z += 1.0;"),
            ("println!(\"a\")", "println!(\"a\");"),
            ("vec![1]", "blitz::show!(vec![1]);"),
            ("for i in 0..2 { f(i) }", "for i in 0..2 { f(i) }"),
            ("if a { b } else { println!() }", "blitz::show!(if a { b } else { println!() });"),
            ("if a { b; } else { println!() }", "if a { b; } else { println!() }"),
            ("match a { _ => println!() }", "match a { _ => println!() }"),
            ("match a { _ => 5 }", "blitz::show!(match a { _ => 5 });"),
        ] {
            assert_eq!(texts(&format!("let a = 1;\n{last}"))[1], expected);
        }
    }

    #[test]
    fn commands_stand_before_the_rust_only() {
        let (commands, rust) = split(":dep tch = \"=0.24.0\"\n// note\n!ls\nlet x = \"\n:no\";\n");
        assert_eq!(commands, [":dep tch = \"=0.24.0\"", "!ls"]);
        assert_eq!(rust, "\n// note\n\nlet x = \"\n:no\";\n");
    }

    #[test]
    fn what_is_no_rust_is_named_by_its_line() {
        let error = parts("let x = 1;\nlet = 2;\n").map(drop).expect_err("no Rust").to_string();
        assert!(error.contains("line 2 of the cell, `let = 2;`"), "{error}");
    }
}
