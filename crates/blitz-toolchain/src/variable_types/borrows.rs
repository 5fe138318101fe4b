//! Whether rustc's errors are about keeping variables.

use super::Borrow;
use super::probe::LOOKED_AT;
use crate::absolute::PUT;
use crate::messages::diagnostics;
use serde_json::Value;

/// Errors of borrows that last too long, or of values that are gone too soon.
const BORROWS: [&str; 10] =
    ["E0373", "E0499", "E0502", "E0503", "E0505", "E0506", "E0515", "E0521", "E0597", "E0716"];
/// The beginnings of errors, without a code, of borrows of a variable that evcxr's closure around the
/// cell captures. Others say more.
const ESCAPES: [&str; 2] = ["captured variable cannot escape", "lifetime may not live long enough"];
/// Errors of variables that the cell has moved. evcxr does not keep those, and people see nothing.
const MOVED: [&str; 2] = ["E0382", "E0425"];

/// What is wrong with a cell.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement {
    /// These variables borrow from others.
    Borrows(Vec<Borrow>),
    /// The types of these variables are not written as they must be.
    Types(Vec<String>),
    /// Only variables that were moved are kept.
    Moved,
    /// Something else.
    Other,
}

/// What rustc's diagnostics, one a line, say.
pub fn judge(lines: &str) -> Judgement {
    let errors = diagnostics(lines).filter(|it| it["level"] == "error" && !it["spans"].is_null());
    let mut borrows = Vec::new();
    let mut misspelt = Vec::new();
    let mut is_moved = false;
    for error in errors.filter(|error| error["spans"].as_array().is_some_and(|it| !it.is_empty())) {
        let code = error["code"]["code"].as_str().unwrap_or_default();
        let kept = kept(&error);
        let message = error["message"].as_str().unwrap_or_default();
        let is_borrow = BORROWS.contains(&code) || ESCAPES.iter().any(|it| message.starts_with(it));
        if is_borrow && (!kept.is_empty() || code == "E0373") {
            let of = if code.is_empty() { captured(&error) } else { owner(message) };
            let variable = kept.iter().find(|name| Some(*name) != of.as_ref()).cloned();
            let variable = variable.unwrap_or_default();
            borrows.push(Borrow { variable, of, code: code.to_owned() });
        } else if is_about_keeping(&error) && !MOVED.contains(&code) {
            misspelt.extend(kept);
        } else if !is_about_keeping(&error) {
            return Judgement::Other;
        } else {
            is_moved = true;
        }
    }
    borrows.sort_by_key(|borrow: &Borrow| borrow.of.is_none());
    match (misspelt.is_empty(), borrows.is_empty()) {
        (false, _) => Judgement::Types(misspelt),
        (true, false) => Judgement::Borrows(borrows),
        (true, true) if is_moved => Judgement::Moved,
        (true, true) => Judgement::Other,
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
    let name = match text.strip_prefix(LOOKED_AT) {
        Some(name) => name,
        None => text.strip_prefix(PUT)?.rsplit_once("), ")?.1,
    };
    name.strip_suffix(");").map(str::to_owned)
}

/// The variable that evcxr's closure captures.
fn captured(error: &Value) -> Option<String> {
    let is_capture =
        |span: &&Value| span["label"].as_str().is_some_and(|label| label.contains("captured here"));
    let span = spans(error).find(is_capture)?;
    let line = span["text"].as_array()?.first()?;
    let column = |key: &str| line[key].as_u64().and_then(|it| usize::try_from(it).ok());
    let (start, end) = (column("highlight_start")?, column("highlight_end")?);
    let text = line["text"].as_str()?.chars();
    Some(text.skip(start.checked_sub(1)?).take(end.checked_sub(start)?).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn error(code: &str, message: &str, spans: &[(&str, bool)]) -> String {
        let spans: Vec<Value> = spans
            .iter()
            .map(|(text, primary)| json!({ "is_primary": primary, "text": [{ "text": text }] }))
            .collect();
        let code = json!({ "code": code });
        json!({ "level": "error", "code": code, "message": message, "spans": spans, "children": [] })
            .to_string()
    }

    fn kept(name: &str) -> String {
        format!("{PUT}Box<dyn A>>(::std::stringify!({name}), {name});")
    }

    #[test]
    fn a_borrow_has_two_variables() {
        let (first, list) = (kept("first"), kept("list"));
        let gone = error(
            "E0597",
            "`list` does not live long enough",
            &[("let first = &list[0];", true), (&first, false)],
        );
        let moved = error(
            "E0505",
            "cannot move out of `list` because it is borrowed",
            &[(&list, true), (&first, false)],
        );
        let borrow = |code: &str| Borrow {
            variable: "first".to_owned(),
            of: Some("list".to_owned()),
            code: code.to_owned(),
        };
        let expected = Judgement::Borrows(vec![borrow("E0597"), borrow("E0505")]);
        assert_eq!(judge(&format!("{gone}\n{moved}\n")), expected);
        let escapes = error("", "lifetime may not live long enough", &[(&first, true)]);
        assert!(matches!(
            judge(&format!("{escapes}\n{gone}\n")),
            Judgement::Borrows(borrows) if borrows[0] == borrow("E0597")
        ));
        // An error of the cell's own goes before.
        let own = error("E0425", "cannot find value `y`", &[("y + 1", true)]);
        assert_eq!(judge(&format!("{gone}\n{own}\n")), Judgement::Other);
    }

    #[test]
    fn what_evcxr_mends_itself_is_not_judged() {
        let (line, message) = (kept("names"), "use of moved value: `names`");
        let moved = error("E0382", message, &[(&line, true)]);
        assert_eq!(judge(&moved), Judgement::Moved);
        let unknown = error("E0405", "cannot find trait `A` in this scope", &[(&line, true)]);
        let expected = Judgement::Types(vec!["names".to_owned()]);
        assert_eq!(judge(&format!("{moved}\n{unknown}")), expected);
    }

    #[test]
    fn a_place_begins_with_its_variable() {
        let owner = |message: &str| owner(message).expect("a variable");
        assert_eq!(owner("cannot borrow `*list.items` as mutable"), "list");
        assert_eq!(owner("closure may outlive f, but it borrows `base`, which"), "base");
    }
}
