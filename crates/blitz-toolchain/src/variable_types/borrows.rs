//! Whether rustc's errors are about keeping variables.

use super::Borrow;
use crate::absolute::PUT;
use serde_json::Value;

/// Errors of borrows that last too long, or of values that are gone too soon.
const BORROWS: [&str; 10] =
    ["E0373", "E0499", "E0502", "E0503", "E0505", "E0506", "E0515", "E0521", "E0597", "E0716"];
/// Errors of variables that the cell has moved. evcxr does not keep those, and people see nothing.
const MOVED: [&str; 2] = ["E0382", "E0425"];

/// What is wrong with a cell.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement {
    /// These variables borrow from others.
    Borrows(Vec<Borrow>),
    /// A type is not written as it must be.
    Types,
    /// Something else.
    Other,
}

/// What rustc's diagnostics, one a line, say.
pub fn judge(lines: &str) -> Judgement {
    let diagnostics = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let errors = diagnostics.filter(|it| it["level"] == "error" && !it["spans"].is_null());
    let mut borrows = Vec::new();
    let mut has_types = false;
    for error in errors.filter(|error| error["spans"].as_array().is_some_and(|it| !it.is_empty())) {
        let code = error["code"]["code"].as_str().unwrap_or_default();
        let kept = kept(&error);
        if BORROWS.contains(&code) && (!kept.is_empty() || code == "E0373") {
            let message = error["message"].as_str().unwrap_or_default();
            let of = owner(message);
            let variable = kept.iter().find(|name| Some(*name) != of.as_ref()).cloned();
            let variable = variable.unwrap_or_default();
            borrows.push(Borrow { variable, of, code: code.to_owned() });
        } else if is_about_keeping(&error) && !MOVED.contains(&code) {
            has_types = true;
        } else if !is_about_keeping(&error) {
            return Judgement::Other;
        }
    }
    match (has_types, borrows.is_empty()) {
        (true, _) => Judgement::Types,
        (false, false) => Judgement::Borrows(borrows),
        (false, true) => Judgement::Other,
    }
}

/// Whether the error's own place is a statement that keeps a variable.
fn is_about_keeping(error: &Value) -> bool {
    spans(error).any(|span| span["is_primary"] == true && kept_at(span).is_some())
}

/// The variables whose being kept has to do with an error.
fn kept(error: &Value) -> Vec<String> {
    let children = error["children"].as_array().into_iter().flatten();
    spans(error).chain(children.flat_map(spans)).filter_map(kept_at).collect()
}

fn spans(message: &Value) -> impl Iterator<Item = &Value> {
    message["spans"].as_array().into_iter().flatten()
}

/// The variable that is kept at a place.
fn kept_at(span: &Value) -> Option<String> {
    let text = span["text"].as_array()?.first()?["text"].as_str()?;
    let (_, name) = text.strip_prefix(PUT)?.rsplit_once("), ")?;
    name.strip_suffix(");").map(str::to_owned)
}

/// The variable that a message is about.
fn owner(message: &str) -> Option<String> {
    let (_, quoted) = message.split_once('`')?;
    let (place, _) = quoted.split_once('`')?;
    let start = place.find(|c: char| c.is_alphabetic() || c == '_')?;
    let name = &place[start..];
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    Some(name[..end].to_owned())
}
