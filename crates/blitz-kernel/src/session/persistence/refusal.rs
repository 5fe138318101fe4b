//! What is said of a variable that cannot be kept.

use super::bindings::Binding;
use super::{owned, rebinding};
use blitz_toolchain::variable_types::{Borrow, Report, Variable};
use evcxr::Error;

/// A variable that cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKept {
    /// The line of the cell that binds it, from 1.
    pub line: usize,
    /// Which variable it is, and why.
    pub message: String,
    /// What to write instead.
    pub helps: Vec<String>,
}

/// The refusal of a variable that borrows.
pub fn borrowed(report: &Report, bindings: &[Binding]) -> Option<NotKept> {
    let borrow = report.borrows.iter().find(|it| !it.variable.is_empty());
    let borrow = borrow.or(report.borrows.first())?;
    let is_binding = |it: &&Binding| match borrow.variable.as_str() {
        "" => it.initializer.is_some(),
        name => it.name == name,
    };
    let binding = bindings.iter().rfind(is_binding)?;
    Some(NotKept {
        line: binding.line,
        message: why_not_borrowed(borrow, binding),
        helps: [owned::line(binding, borrow), Some(in_braces(binding))]
            .into_iter()
            .flatten()
            .collect(),
    })
}

fn why_not_borrowed(borrow: &Borrow, binding: &Binding) -> String {
    let name = &binding.name;
    match &borrow.of {
        Some(of) => format!(
            "`{name}` borrows from `{of}`, so it cannot be kept for later cells: they could move or \
             change `{of}` while `{name}` still refers to it"
        ),
        None => format!(
            "`{name}` borrows from a value without a name, so it cannot be kept for later cells: \
             that value is gone when this cell ends"
        ),
    }
}

fn in_braces(binding: &Binding) -> String {
    format!(
        "or put the lines that use `{}` into one cell, in braces: `{{ {} … }}`",
        binding.name,
        binding.text.lines().next().unwrap_or_default()
    )
}

/// The refusal of a variable whose type no program can write down.
pub fn unnameable(binding: &Binding, variable: &Variable, error: &Error) -> NotKept {
    let name = &binding.name;
    let (what, instead) = if variable.type_name.contains("{closure") {
        let shown = rebinding::boxed_parts(&evcxrs_type(error));
        let shown = shown.or_else(|| rebinding::boxed_closure(variable));
        ("a closure, and each closure has a type of its own, without a name", shown)
    } else if variable.type_name.contains("{async") {
        // Not translated: a type.
        let boxed = "std::pin::Pin<Box<dyn Future<Output = …>>>".to_owned();
        ("an `async` block, whose type has no name", Some(boxed))
    } else {
        (
            "a value whose type is only known as `impl …`",
            rebinding::boxed_parts(&variable.type_name),
        )
    };
    let instead = instead.map(|type_name| {
        format!(
            "give it a type that has a name, and box what has none: `let {name}: {type_name} = …;`"
        )
    });
    NotKept {
        line: binding.line,
        message: format!(
            "`{name}` cannot be kept for later cells: it holds {what}, and what is kept needs one"
        ),
        helps: instead.into_iter().chain([in_braces(binding)]).collect(),
    }
}

/// The type that evcxr's message names, if it names one.
fn evcxrs_type(error: &Error) -> String {
    let message = error.to_string();
    let found = message.split_once("has type `").and_then(|(_, rest)| rest.split_once("` which"));
    found.map(|(type_name, _)| type_name.to_owned()).unwrap_or_default()
}

/// The refusal of a variable whose type is known but cannot be used here.
pub fn without_a_name(binding: &Binding, type_name: &str) -> NotKept {
    let name = &binding.name;
    NotKept {
        line: binding.line,
        message: format!(
            "`{name}` cannot be kept for later cells: its type, `{type_name}`, is private or cannot \
             be written here"
        ),
        helps: vec![
            format!("give it a type that has a name: `let {name}: … = …;`"),
            in_braces(binding),
        ],
    }
}
