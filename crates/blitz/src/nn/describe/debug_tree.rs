//! Reads what `{:#?}` writes: an item per line, nested by four spaces, each ending in a comma.

/// A value in its debug form.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    /// Anything that opens no bracket at the end of its line.
    Atom(String),
    /// A struct, tuple, list or map.
    Group {
        /// The type of a struct or tuple struct; empty otherwise.
        name: String,
        /// `{`, `(` or `[`.
        open: char,
        /// The fields with their names, the items without.
        items: Vec<(Option<String>, Value)>,
    },
}

impl Value {
    /// The field `name` of a struct.
    pub fn field(&self, name: &str) -> Option<&Value> {
        let Value::Group { items, .. } = self else { return None };
        items.iter().find(|(key, _)| key.as_deref() == Some(name)).map(|(_, value)| value)
    }

    pub fn atom(&self) -> Option<&str> {
        match self {
            Value::Atom(text) => Some(text),
            Value::Group { .. } => None,
        }
    }
}

/// The value that `debug` describes; `None` where it is not in the form that `derive` gives it.
pub(super) fn parse(debug: &str) -> Option<Value> {
    let mut lines = debug.lines();
    let first = lines.next()?;
    let mut rest = Lines { lines };
    let value = rest.value(first, 0)?;
    rest.lines.next().is_none().then_some(value)
}

struct Lines<'a> {
    lines: std::str::Lines<'a>,
}

impl<'a> Lines<'a> {
    /// The value that begins with `first`, the rest of a line, at a depth of `indent` spaces.
    fn value(&mut self, first: &'a str, indent: usize) -> Option<Value> {
        if let Some((name, open)) = opening(first) {
            let items = self.items(open, indent)?;
            return Some(Value::Group { name: name.to_owned(), open, items });
        }
        let mut text = first.to_owned();
        // An item ends in a comma, however many lines it takes.
        while indent > 0 && !text.ends_with(',') {
            text = text + "\n" + self.lines.next()?;
        }
        Some(Value::Atom(text.strip_suffix(',').unwrap_or(&text).to_owned()))
    }

    /// The items up to the bracket that closes `open`.
    fn items(&mut self, open: char, indent: usize) -> Option<Vec<(Option<String>, Value)>> {
        let close = match open {
            '{' => '}',
            '(' => ')',
            _ => ']',
        };
        let mut items = Vec::new();
        loop {
            let line = self.lines.next()?;
            let (blank, text) = line.split_at_checked(indent)?;
            if !blank.trim().is_empty() {
                return None;
            }
            if let Some(end) = text.strip_prefix(close) {
                return ["", ","].contains(&end).then_some(items);
            }
            let text = text.strip_prefix("    ").filter(|text| !text.starts_with(' '))?;
            if text == ".." {
                continue; // What the type's Debug leaves out.
            }
            let (key, text) = if open == '{' { key(text) } else { (None, text) };
            items.push((key.map(str::to_owned), self.value(text, indent + 4)?));
        }
    }
}

/// Name and bracket of a line that opens a group: `Net {`, `Some(`, `[`.
fn opening(text: &str) -> Option<(&str, char)> {
    let open = text.chars().last().filter(|last| "{([".contains(*last))?;
    let before = &text[..text.len() - 1];
    let name = match open {
        '{' if !before.is_empty() => before.strip_suffix(' ')?,
        _ => before,
    };
    is_name(name).then_some((name, open))
}

/// The key of a field or of an entry of a map, and what follows it.
fn key(text: &str) -> (Option<&str>, &str) {
    match text.split_once(": ") {
        Some((key, value)) if is_name(key) => (Some(key), value),
        Some((key, value)) if key.len() > 1 && key.starts_with('"') && key.ends_with('"') => {
            (Some(&key[1..key.len() - 1]), value)
        }
        _ => (None, text),
    }
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    #[allow(dead_code)]
    struct Sample {
        list: Vec<Option<(i32, &'static str)>>,
        empty: Vec<i32>,
        unit: (),
    }

    struct TwoLines;

    impl std::fmt::Debug for TwoLines {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("one (\n  two")
        }
    }

    fn atom(text: &str) -> Value {
        Value::Atom(text.to_owned())
    }

    fn group(name: &str, open: char, items: Vec<(Option<&str>, Value)>) -> Value {
        let items = items.into_iter().map(|(key, value)| (key.map(str::to_owned), value));
        Value::Group { name: name.to_owned(), open, items: items.collect() }
    }

    #[test]
    fn the_derived_form_is_read() {
        let sample = Sample { list: vec![Some((5, "a,\nb {")), None], empty: vec![], unit: () };
        let pair = group("", '(', vec![(None, atom("5")), (None, atom("\"a,\\nb {\""))]);
        let list = vec![(None, group("Some", '(', vec![(None, pair)])), (None, atom("None"))];
        let expected = vec![
            (Some("list"), group("", '[', list)),
            (Some("empty"), atom("[]")),
            (Some("unit"), atom("()")),
        ];
        assert_eq!(parse(&format!("{sample:#?}")), Some(group("Sample", '{', expected)));
    }

    #[test]
    fn maps_have_keys() {
        let map = std::collections::BTreeMap::from([("a: b", 1), ("c", 2)]);
        let expected = group("", '{', vec![(None, atom("\"a: b\": 1")), (Some("c"), atom("2"))]);
        assert_eq!(parse(&format!("{map:#?}")), Some(expected));
    }

    #[test]
    fn forms_written_by_hand_stay_whole() {
        let expected = group("", '[', vec![(None, atom("one (\n      two"))]);
        assert_eq!(parse(&format!("{:#?}", [TwoLines])), Some(expected));
        assert_eq!(parse("Net(\n  (a): b\n)"), None);
        assert_eq!(parse("Net {"), None);
        assert_eq!(parse("a\nb"), None);
        assert_eq!(parse(""), None);
    }
}
