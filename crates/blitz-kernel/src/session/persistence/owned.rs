//! The line that owns what a variable would borrow.

use super::bindings::Binding;
use blitz_toolchain::variable_types::Borrow;

/// Methods that return an `Option` of a reference.
const OPTIONS: [&str; 12] = [
    "first",
    "get",
    "last",
    "last_mut",
    "max",
    "max_by",
    "max_by_key",
    "min",
    "min_by",
    "min_by_key",
    "next",
    "peek",
];
/// Methods that return an iterator that borrows.
const ITERATORS: [&str; 16] = [
    "bytes",
    "chars",
    "char_indices",
    "chunks",
    "enumerate",
    "filter",
    "keys",
    "lines",
    "map",
    "rev",
    "skip",
    "split",
    "split_whitespace",
    "take",
    "values",
    "windows",
];

/// What to write so that the variable of `binding` owns its value.
pub fn line(binding: &Binding, borrow: &Borrow) -> Option<String> {
    let initializer = binding.initializer.as_deref()?.trim();
    let name = &binding.name;
    if is_closure(initializer) {
        let of = borrow.of.as_deref().unwrap_or("it");
        return (!initializer.starts_with("move")).then(|| {
            format!(
                "let the closure own what it uses of `{of}`: `let {name} = move {initializer};`"
            )
        });
    }
    let owned = match borrow.of {
        Some(_) => owned(initializer),
        // The value has no name yet.
        None => match initializer.strip_prefix('&') {
            Some(value) => value.trim_start_matches("mut ").trim().to_owned(),
            None => owned(initializer),
        },
    };
    let mutability = if binding.is_mut { "mut " } else { "" };
    Some(format!("let `{name}` own its value: `let {mutability}{name} = {owned};`"))
}

fn is_closure(text: &str) -> bool {
    ["|", "move |", "move|", "async |", "async move |"].iter().any(|start| text.starts_with(start))
}

/// The expression that owns what `borrowing` borrows.
fn owned(borrowing: &str) -> String {
    if let Some(place) = borrowing.strip_prefix('&') {
        let place = place.trim_start().trim_start_matches("mut ").trim_start();
        let is_part = place.ends_with(']') && place.contains("..");
        return format!("{place}{}", if is_part { ".to_owned()" } else { ".clone()" });
    }
    let method = last_method(borrowing).unwrap_or_default();
    if let Some(list) = borrowing.strip_suffix(".iter()").or(borrowing.strip_suffix(".iter_mut()"))
    {
        return format!("{list}.clone().into_iter()");
    }
    if OPTIONS.contains(&method) {
        return format!("{borrowing}.cloned()");
    }
    if ITERATORS.contains(&method) {
        return match method {
            "lines" | "split" | "split_whitespace" => {
                format!("{borrowing}.map(str::to_owned).collect::<Vec<_>>()")
            }
            _ => format!("{borrowing}.collect::<Vec<_>>()"),
        };
    }
    match method {
        "unwrap" | "expect" => format!("{borrowing}.clone()"),
        _ => format!("{borrowing}.to_owned()"),
    }
}

/// The method that is called last.
fn last_method(expression: &str) -> Option<&str> {
    let before = expression.strip_suffix(')')?;
    let mut depth = 0;
    for (at, character) in before.char_indices().rev() {
        match character {
            ')' => depth += 1,
            '(' if depth == 0 => return before[..at].rsplit('.').next(),
            '(' => depth -= 1,
            _ => {}
        }
    }
    None
}
