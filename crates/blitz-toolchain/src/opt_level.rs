//! How much a cell is optimized.
//!
//! Optimizing costs a cell 0.1 s and more, and most cells only call what is compiled already. So a
//! cell is optimized where the time that it runs can depend on it: when it loops, itself or in a
//! function that it names.

use ra_ap_syntax::ast::HasName;
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, SyntaxNode, SyntaxToken, ast};
use std::collections::HashSet;

/// The level at which dependencies are compiled, whatever `:opt` says, and cells without `:opt`.
const USUAL: &str = "2";
/// That of a cell that is not optimized.
pub const NONE: &str = "0";
const KEY: &str = "opt-level = ";
/// The names of the functions that evcxr makes of cells begin so.
const CELL: &str = "run_user_code_";

/// The level for the cell in `source`: that of the manifest, which `:opt` sets, or none.
pub fn choose(source: &str, manifest: &str) -> String {
    let level = manifest.lines().find_map(|line| line.strip_prefix(KEY)).unwrap_or(USUAL);
    if loops(source) { level.to_owned() } else { NONE.to_owned() }
}

/// The manifest with the level of the dependencies.
pub fn with_level_of_dependencies(manifest: &str) -> String {
    let line = |line: &str| match line.strip_prefix(KEY) {
        Some(_) => format!("{KEY}{USUAL}\n"),
        None => format!("{line}\n"),
    };
    manifest.lines().map(line).collect()
}

/// A function or a macro of the source.
struct Code {
    /// The words by which it may be called.
    names: Vec<String>,
    body: SyntaxNode,
}

/// Whether the cell's function, or any that it names, contains a loop.
fn loops(source: &str) -> bool {
    let file = SourceFile::parse(source, Edition::Edition2024).tree();
    let all = file.syntax().descendants().filter_map(code);
    let is_cell = |code: &Code| code.names.iter().any(|name| name.starts_with(CELL));
    let (mut reached, mut waiting): (Vec<Code>, Vec<Code>) = all.partition(is_cell);
    while let Some(code) = reached.pop() {
        let tokens = || code.body.descendants_with_tokens().filter_map(|it| it.into_token());
        if tokens().any(|token| is_loop(&token)) {
            return true;
        }
        let words: HashSet<String> = tokens()
            .filter(|it| it.kind() == SyntaxKind::IDENT)
            .map(|it| it.text().into())
            .collect();
        let is_named = |code: &Code| code.names.iter().any(|name| words.contains(name));
        let (named, others): (Vec<Code>, Vec<Code>) = waiting.into_iter().partition(is_named);
        reached.extend(named);
        waiting = others;
    }
    false
}

/// The function or macro that `node` declares.
fn code(node: SyntaxNode) -> Option<Code> {
    let name = match ast::Fn::cast(node.clone()) {
        Some(function) => function.name(),
        None => ast::MacroRules::cast(node.clone())?.name(),
    };
    let mut names = vec![name?.text().to_string()];
    // What a trait asks for may be called without being named: by `for`, `+` or `drop`.
    let block = node.parent().and_then(|list| list.parent()).and_then(ast::Impl::cast);
    let implementor = block.filter(|block| block.trait_().is_some()).and_then(|it| it.self_ty());
    let words = implementor.iter().flat_map(|kind| kind.syntax().descendants_with_tokens());
    let words = words.filter(|element| element.kind() == SyntaxKind::IDENT);
    names.extend(words.map(|word| word.to_string()));
    Some(Code { names, body: node })
}

/// Whether `token` begins a loop, or the closure of an iterator's method. The arguments of a macro
/// are not parsed, so there the neighbours have to tell.
fn is_loop(token: &SyntaxToken) -> bool {
    let parent = token.parent().map(|parent| parent.kind());
    match token.kind() {
        SyntaxKind::WHILE_KW | SyntaxKind::LOOP_KW => true,
        SyntaxKind::FOR_KW => {
            matches!(parent, Some(SyntaxKind::FOR_EXPR | SyntaxKind::TOKEN_TREE))
        }
        SyntaxKind::PIPE | SyntaxKind::PIPE2 => is_closure_of_method(token),
        _ => false,
    }
}

/// Whether `bar` begins a closure that is the first argument of a method: `.map(|x|`.
fn is_closure_of_method(bar: &SyntaxToken) -> bool {
    let mut before = std::iter::successors(bar.prev_token(), SyntaxToken::prev_token)
        .filter(|token| !token.kind().is_trivia() && token.kind() != SyntaxKind::MOVE_KW)
        .map(|token| token.kind());
    before.next() == Some(SyntaxKind::L_PAREN)
        && before.next() == Some(SyntaxKind::IDENT)
        && before.next() == Some(SyntaxKind::DOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The level of a cell with these items and this body.
    fn level(items: &str, body: &str) -> String {
        let source = format!(
            "{items}\npub extern \"C\" fn run_user_code_3(mut store: *mut S) -> *mut S {{\n\
             match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {{\n{body}\n}})) {{\n\
             Ok(_) => {{}} Err(_) => {{ println!(\"panic\"); }}}}\nstore\n}}"
        );
        choose(&source, "[profile.dev]\nopt-level = 3\ndebug = false\n")
    }

    #[test]
    fn a_cell_that_only_calls_is_not_optimized() {
        assert_eq!(level("", "let x = Tensor::ones([2], k); println!(\"{x}\"); (x)"), "0");
        assert_eq!(level("", "tch::no_grad(|| w -= &step);"), "0");
    }

    #[test]
    fn loops_and_iterator_chains_are_optimized() {
        assert_eq!(level("", "for i in 0..9 { f(i); }"), "3");
        assert_eq!(level("", "while go() {}"), "3");
        assert_eq!(level("", "let n: i64 = (0..9).map(|i| i * i).sum();"), "3");
        assert_eq!(level("", "println!(\"{}\", v.iter().all(move |x| *x > 0));"), "3");
    }

    #[test]
    fn a_loop_counts_where_it_is_reached() {
        let inner = "fn inner() { loop {} }\nfn outer() { inner() }";
        assert_eq!(level(inner, "outer();"), "3");
        assert_eq!(level(inner, "println!(\"{:?}\", outer());"), "3");
        assert_eq!(level(inner, "another();"), "0");
    }

    #[test]
    fn a_method_counts_where_it_is_named_and_a_traits_where_the_type_is() {
        let own = "impl Net { fn all(&self) { while true {} } }";
        assert_eq!(level(own, "store.take_variable::<Net>(\"net\").all();"), "3");
        assert_eq!(level(own, "store.take_variable::<Net>(\"net\").other();"), "0");
        let of_trait = "impl Iterator for Net { fn next(&mut self) { loop {} } }";
        assert_eq!(level(of_trait, "store.take_variable::<Net>(\"net\").other();"), "3");
        assert_eq!(level(of_trait, "other();"), "0");
    }

    #[test]
    fn dependencies_keep_their_level() {
        let manifest = "[profile.dev]\nopt-level = 0\ndebug = false\n";
        assert_eq!(
            with_level_of_dependencies(manifest),
            "[profile.dev]\nopt-level = 2\ndebug = false\n"
        );
    }
}
