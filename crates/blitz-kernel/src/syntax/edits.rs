//! What is changed in a cell before evcxr gets it, and the way back to what the person wrote.
//!
//! No edit adds or removes a line, so only columns have to be translated.

use std::ops::Range;

/// Changes to a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// In order, without overlaps.
    edits: Vec<Edit>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Edit {
    /// What is replaced, in bytes of the person's text.
    range: Range<usize>,
    text: String,
    /// What the new text stands for there: errors in it are shown here.
    origin: Range<usize>,
}

impl Edits {
    /// Inserts `text` at `at`, where it stands for `origin`.
    pub fn insert(&mut self, at: usize, text: impl Into<String>, origin: Range<usize>) {
        self.replace(at..at, text, origin);
    }

    /// Replaces `range` by `text`, which stands for `origin`.
    pub fn replace(&mut self, range: Range<usize>, text: impl Into<String>, origin: Range<usize>) {
        let behind = self.edits.partition_point(|edit| edit.range.end <= range.start);
        self.edits.insert(behind, Edit { range, text: text.into(), origin });
    }

    /// `code` with the changes.
    pub fn apply(&self, code: &str) -> String {
        let mut changed = String::with_capacity(code.len());
        let mut at = 0;
        for edit in &self.edits {
            changed.push_str(&code[at..edit.range.start]);
            changed.push_str(&edit.text);
            at = edit.range.end;
        }
        changed.push_str(&code[at..]);
        changed
    }

    /// What `range` of the changed text, in bytes, stands for in the person's text.
    pub fn original(&self, range: Range<usize>) -> Range<usize> {
        let start = match self.place(range.start) {
            Place::Text(at) => at,
            Place::Inserted(origin) => origin.start,
        };
        if range.is_empty() {
            return start..start;
        }
        let end = match self.place(range.end - 1) {
            Place::Text(at) => at + 1,
            Place::Inserted(origin) => origin.end,
        };
        start.min(end)..end.max(start)
    }

    fn place(&self, offset: usize) -> Place {
        let (mut changed, mut original) = (0, 0);
        for edit in &self.edits {
            let before = edit.range.start - original;
            if offset < changed + before {
                break;
            }
            changed += before;
            if offset < changed + edit.text.len() {
                return Place::Inserted(edit.origin.clone());
            }
            changed += edit.text.len();
            original = edit.range.end;
        }
        Place::Text(original + (offset - changed))
    }
}

/// Where a byte of the changed text comes from.
enum Place {
    Text(usize),
    Inserted(Range<usize>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inserted_stands_for_its_origin() {
        let code = "let (a, b) = f(); g(a);";
        let mut edits = Edits::default();
        edits.insert(17, " let b = b;", 8..9);
        edits.insert(17, " let x = x;", 0..3);
        edits.replace(5..6, "cc", 5..6);
        let changed = edits.apply(code);
        assert_eq!(changed, "let (cc, b) = f(); let b = b; let x = x; g(a);");
        let original = |part: &str| {
            let start = changed.find(part).expect("a part");
            &code[edits.original(start..start + part.len())]
        };
        assert_eq!(original("let ("), "let (");
        assert_eq!(original("cc"), "a");
        assert_eq!(original("b)"), "b)");
        assert_eq!(original("b = b"), "b");
        assert_eq!(original("let x"), "let");
        assert_eq!(original("g(a)"), "g(a)");
        assert_eq!(original("f();"), "f();");
        assert_eq!(edits.original(changed.len()..changed.len()), code.len()..code.len());
    }
}
