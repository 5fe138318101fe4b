//! Asking rustc for types: in the place of each statement that keeps a variable stands a call whose
//! bound no type fulfils, and the error names the type.

use super::inferred;
use super::spelling::{is_nameable, names_function, written};
use super::{Signature, Variable};
use crate::absolute::PUT;
use crate::messages::diagnostics;
use crate::static_lifetimes::with_static_lifetimes;
use serde_json::Value;
use std::collections::HashSet;

/// Has rustc look at a source, with unstable features; returns its diagnostics, one a line.
pub type Ask<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How evcxr keeps a variable where it only looks at a cell.
pub const LOOKED_AT: &str = "evcxr_variable_store(";
/// The questions about one variable: its type, arguments, result, what it yields, what it comes to where
/// it is awaited, and arguments and result of what it holds.
const QUESTIONS: usize = 7;

const FEATURES: &str = "#![feature(unboxed_closures, tuple_trait)] ";
const PROBES: &str = "
trait EvcxrProbe<const N: ::std::primitive::usize> {}
fn evcxr_type<const N: ::std::primitive::usize, T: EvcxrProbe<N>>(_: &T) {}
fn evcxr_call<const N: ::std::primitive::usize, const M: ::std::primitive::usize, A: EvcxrProbe<N> + ::std::marker::Tuple, F: ::std::ops::FnOnce<A, Output: EvcxrProbe<M>>>(_: &F) {}
fn evcxr_item<const N: ::std::primitive::usize, I: ::std::iter::Iterator<Item: EvcxrProbe<N>>>(_: &I) {}
fn evcxr_future<const N: ::std::primitive::usize, F: ::std::future::Future<Output: EvcxrProbe<N>>>(_: &F) {}
fn evcxr_held<const N: ::std::primitive::usize, const M: ::std::primitive::usize, A: EvcxrProbe<N> + ::std::marker::Tuple, F: ::std::ops::FnOnce<A, Output: EvcxrProbe<M>>, I: ::std::iter::IntoIterator<Item = F>>(_: &I) {}
fn evcxr_fn<A: ::std::marker::Tuple, F: ::std::ops::Fn<A>>(_: &F) {}
";

/// A statement that keeps a variable.
struct Keeping {
    /// The variable.
    name: String,
    /// Its first line and the one behind it, from 0.
    lines: (usize, usize),
}

/// The types of the variables that `source` keeps, of those that rustc knows; only of those whose types it
/// has to find, where there are such. What it has `told` of them already, it is not asked for.
pub fn types(source: &str, crates: &[String], told: Option<String>, ask: Ask) -> Vec<Variable> {
    let mut statements = statements(source);
    if inferred::is_in(source) {
        let lines: Vec<&str> = source.split('\n').collect();
        statements.retain(|statement| inferred::is_kept(lines[statement.lines.0]));
    }
    let source = &inferred::left_to_rustc(source);
    if statements.is_empty() {
        return Vec::new();
    }
    let mut answers = vec![None; statements.len() * QUESTIONS];
    let mut functions = HashSet::new();
    let note = |answers: &mut [Option<String>], functions: &mut HashSet<usize>, lines: &str| {
        for (number, type_name) in diagnostics(lines).filter_map(|it| answer(&it, &statements)) {
            if let Some(answer) = answers.get_mut(number) {
                *answer = Some(written(&type_name, crates));
                functions.extend(names_function(&type_name).then_some(number));
            }
        }
    };
    let first = |number, name: &str| format!("evcxr_type::<{}, _>(&{name});", number * QUESTIONS);
    note(&mut answers, &mut functions, &told.unwrap_or_default());
    if answers.iter().step_by(QUESTIONS).any(Option::is_none) {
        let Some(lines) = ask(&with_probes(source, &statements, first)) else { return Vec::new() };
        note(&mut answers, &mut functions, &lines);
    }
    // A type that has a name needs no more questions, and most have one.
    let has_name = |answers: &[Option<String>]| answers[0].as_deref().is_none_or(is_nameable);
    let named: Vec<bool> = answers.chunks(QUESTIONS).map(has_name).collect();
    if named.contains(&false) {
        let others = |number: usize, name: &str| {
            if named[number] {
                return String::new();
            }
            let [a, r, i, f, h, o] =
                [1, 2, 3, 4, 5, 6].map(|question| number * QUESTIONS + question);
            format!(
                "evcxr_call::<{a}, {r}, _, _>(&{name}); evcxr_item::<{i}, _>(&{name}); \
                 evcxr_future::<{f}, _>(&{name}); evcxr_held::<{h}, {o}, _, _, _>(&{name});"
            )
        };
        let lines = ask(&with_probes(source, &statements, others)).unwrap_or_default();
        note(&mut answers, &mut functions, &lines);
    }
    let mut variables = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        let first = index * QUESTIONS;
        let [Some(type_name), arguments, output, item, future, of_item, output_of_item] =
            &answers[first..first + QUESTIONS]
        else {
            continue;
        };
        variables.push(Variable {
            name: statement.name.clone(),
            type_name: type_name.clone(),
            signature: signature(arguments, output),
            signature_of_item: signature(of_item, output_of_item),
            item: item.clone(),
            future: future.clone(),
            is_function: functions.contains(&first),
            is_misspelt: false,
        });
    }
    tell_kinds(source, &statements, &mut variables, ask);
    variables
}

/// A signature of what rustc says of the tuple of arguments and of the result.
fn signature(arguments: &Option<String>, output: &Option<String>) -> Option<Signature> {
    let (arguments, output) = arguments.as_deref().zip(output.as_deref())?;
    let arguments = arguments.trim_start_matches('(').to_owned();
    let arguments = arguments.strip_suffix(')').unwrap_or(&arguments);
    let arguments = arguments.trim_end_matches(',').to_owned();
    // A reference that comes from no argument lives as long as the process.
    let is_own = !arguments.contains(['&', '\'']);
    let output = if is_own { with_static_lifetimes(output) } else { output.to_owned() };
    Some(Signature { kind: "Fn".to_owned(), arguments, output })
}

/// Corrects the kinds of those closures that may not be called through a shared reference.
fn tell_kinds(source: &str, statements: &[Keeping], variables: &mut [Variable], ask: Ask) {
    let is_closure = |variable: &&mut Variable| {
        variable.signature.is_some() && variable.type_name.starts_with("{closure")
    };
    let mut closures: Vec<&mut Variable> = variables.iter_mut().filter(is_closure).collect();
    if closures.is_empty() {
        return;
    }
    let question = |_, name: &str| match closures.iter().any(|it| it.name == name) {
        true => format!("evcxr_fn(&{name});"),
        false => String::new(),
    };
    let Some(lines) = ask(&with_probes(source, statements, question)) else { return };
    for diagnostic in diagnostics(&lines) {
        let message = diagnostic["message"].as_str().unwrap_or_default();
        let Some((_, kind)) = message.rsplit_once("only implements `") else { continue };
        let kind = kind.trim_end_matches('`').rsplit("::").next().unwrap_or_default();
        let spans = diagnostic["spans"].as_array().into_iter().flatten();
        let lines: Vec<u64> = spans.filter_map(|span| span["line_start"].as_u64()).collect();
        let asked = statements.iter().filter(|it| lines.contains(&(it.lines.0 as u64 + 1)));
        for statement in asked {
            let closure = closures.iter_mut().find(|closure| closure.name == statement.name);
            if let Some(signature) = closure.and_then(|closure| closure.signature.as_mut()) {
                signature.kind = kind.to_owned();
            }
        }
    }
}

/// The last statements that keep each variable.
fn statements(source: &str) -> Vec<Keeping> {
    let lines: Vec<&str> = source.split('\n').collect();
    let mut found: Vec<Keeping> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let is_looked_at = line.starts_with(LOOKED_AT);
        if !line.starts_with(PUT) && !is_looked_at {
            continue;
        }
        let Some(length) = lines[at..].iter().position(|line| line.ends_with(");")) else { break };
        let name = match is_looked_at {
            true => line[LOOKED_AT.len()..].strip_suffix(");"),
            false => inferred::kept_variable(lines[at + length]),
        };
        if let Some(name) = name {
            found.push(Keeping { name: name.to_owned(), lines: (at, at + length + 1) });
        }
    }
    found
}

/// `source` with `question` in the place of each statement that keeps a variable.
fn with_probes(
    source: &str,
    statements: &[Keeping],
    question: impl Fn(usize, &str) -> String,
) -> String {
    let mut lines: Vec<String> = source.split('\n').map(str::to_owned).collect();
    for (number, statement) in statements.iter().enumerate() {
        let (first, behind) = statement.lines;
        lines[first..behind].iter_mut().for_each(String::clear);
        lines[first] = question(number, &statement.name);
    }
    format!("{FEATURES}{}{PROBES}", lines.join("\n"))
}

/// The number of a question about one of the `statements` and the type that answers it.
fn answer(diagnostic: &Value, statements: &[Keeping]) -> Option<(usize, String)> {
    if diagnostic["code"]["code"] == inferred::WARNING {
        return told(diagnostic, statements);
    }
    let message = diagnostic["message"].as_str()?.strip_prefix("the trait bound `")?;
    let (type_name, rest) = message.rsplit_once(": EvcxrProbe<")?;
    let number = rest.strip_suffix(">` is not satisfied")?.parse().ok()?;
    Some((number, type_name.to_owned()))
}

/// What rustc says of a statement that [tells](inferred::telling) a type.
fn told(warning: &Value, statements: &[Keeping]) -> Option<(usize, String)> {
    let span = warning["spans"].as_array()?.iter().find(|span| span["label"].is_string())?;
    let line = span["line_start"].as_u64()?;
    let index = statements.iter().position(|it| it.lines.0 as u64 + 1 == line)?;
    let type_name = span["label"].as_str()?.strip_prefix("argument has type `&")?;
    Some((index * QUESTIONS, type_name.strip_suffix('`')?.to_owned()))
}

#[cfg(test)]
mod tests;
