//! Variables whose types rustc finds.
//!
//! evcxr wants to write down the type of each variable that it keeps. In the place of one that nobody has
//! written stands [`INFERRED`], in a `let` of its own behind the variable's. rustc sees neither: it infers
//! what is kept, and says meanwhile what that is.

use crate::absolute::PUT;

/// The type that stands for one that rustc finds.
pub const INFERRED: &str = "EvcxrInferred";

/// rustc's lint that is about [a statement](telling) that does nothing.
pub const WARNING: &str = "dropping_references";

/// The statement, for the end of a `let`, by which evcxr takes the type of a variable for [`INFERRED`].
pub fn statement(name: &str, is_mut: bool) -> String {
    let mutability = if is_mut { "mut " } else { "" };
    format!(" let {mutability}{name}: {INFERRED} = {name};")
}

/// The annotation, for the end of a `let`'s pattern, that does the same where there is no value yet.
pub fn annotation() -> String {
    format!(": {INFERRED}")
}

/// Whether `line`, of evcxr's source, keeps a variable of such a type.
pub fn is_kept(line: &str) -> bool {
    line.strip_prefix(PUT).is_some_and(|rest| rest.starts_with(INFERRED))
}

/// Whether rustc has to find a type of `source`.
pub fn is_in(source: &str) -> bool {
    source.lines().any(is_kept)
}

/// `source` as rustc sees it. Nothing moves.
pub fn left_to_rustc(source: &str) -> String {
    let lines = source.split('\n').map(|line| match line.contains(INFERRED) {
        true if is_kept(line) => line.replacen(INFERRED, "_", 1),
        true => without_types(line),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `source` as rustc sees it, with statements that have it warn of each such variable, and name its type,
/// while it compiles.
pub fn telling(source: &str) -> String {
    let mut lines: Vec<String> = left_to_rustc(source).split('\n').map(str::to_owned).collect();
    for (line, before) in lines.iter_mut().zip(source.split('\n')) {
        if is_kept(before)
            && let Some(name) = kept_variable(before)
        {
            line.insert_str(0, &format!("#[warn({WARNING})] ::std::mem::drop(&{name}); "));
        }
    }
    lines.join("\n")
}

/// The variable that a statement of evcxr's keeps of which `line` is the last.
pub fn kept_variable(line: &str) -> Option<&str> {
    line.rsplit_once("), ").and_then(|it| it.1.strip_suffix(");"))
}

/// A line of a cell with blanks in the place of what [`statement`] and [`annotation`] have added.
fn without_types(line: &str) -> String {
    let mut line = line.to_owned();
    let annotation = annotation();
    while let Some(at) = line.find(&annotation) {
        let end = at + annotation.len();
        let (start, end) = of_statement(&line, at, end).unwrap_or((at, end));
        line.replace_range(start..end, &" ".repeat(end - start));
    }
    line
}

/// Where the statement begins and ends whose annotation stands from `at` to `end`, if it is one that was
/// added: it gives a variable its own value.
fn of_statement(line: &str, at: usize, end: usize) -> Option<(usize, usize)> {
    let start = line[..at].rfind(" let ")?;
    let name = line[start + " let ".len()..at].trim_start_matches("mut ");
    let value = format!(" = {name};");
    line[end..].starts_with(&value).then(|| (start, end + value.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustc_sees_the_cell_as_it_was_written() {
        let (x, y) = (statement("x", false), statement("r#type", true));
        let source = format!(
            "let x = f();{x} let mut r#type = 1;{y} g(x)\nlet d{};\n{PUT}{INFERRED}>(stringify!(x), \
             x);\n{PUT}i64>(stringify!(n), n);",
            annotation()
        );
        let blank = |text: &str| " ".repeat(text.len());
        let seen = format!(
            "let x = f();{} let mut r#type = 1;{} g(x)\nlet d{};\n{PUT}_>(stringify!(x), \
             x);\n{PUT}i64>(stringify!(n), n);",
            blank(&x),
            blank(&y),
            blank(&annotation())
        );
        assert!(is_in(&source) && !is_in(&seen));
        assert_eq!(left_to_rustc(&source), seen);
        assert_eq!(left_to_rustc(&seen), seen);
    }
}
