//! A cell as evcxr gets it, and the way back from there to what the person wrote.

use crate::session::bindings;
use crate::session::definitions::Definitions;
use crate::session::dependencies::{self, Refused};
use crate::syntax::commands::{settle, without_commands_of};
use crate::syntax::edits::Edits;
use crate::syntax::fault::{Fault, fault};
use crate::syntax::line_at;
use crate::syntax::python::python;
use blitz_contract::Layout;
use std::path::Path;

/// A cell in the words that evcxr gets. Its lines are the person's.
pub struct Sent {
    /// What the person wrote.
    pub written: String,
    /// What evcxr gets.
    pub code: String,
    /// The ways there: from a text to the next. Between them, columns of Rust stay.
    steps: [Step; 2],
}

/// A text before and after changes.
struct Step {
    before: String,
    edits: Edits,
    after: String,
}

/// A place between two characters: line and column, both from 1.
pub type Position = (usize, usize);

impl Step {
    fn new(before: String, edits: Edits) -> Self {
        let after = edits.apply(&before);
        Step { before, edits, after }
    }
}

impl Sent {
    /// Translates a cell. `definitions` are those of the cells before.
    ///
    /// # Errors
    /// A `:dep` line asks for what no kernel can have.
    pub fn new(
        written: &str,
        definitions: &Definitions,
        layout: &Layout,
        folder: &Path,
    ) -> Result<Self, Refused> {
        let settling = settle(written, |name| definitions.knows(name));
        let settled = Step::new(written.to_owned(), settling);
        let translated = dependencies::translate(&settled.after, layout, folder)?;
        let known = definitions.items.iter().map(|item| item.source.as_str());
        let constants = bindings::constants(known.chain([translated.as_str()]));
        let rebinding = bindings::rebind(&translated, &|name| constants.contains(name));
        let rebound = Step::new(translated, rebinding);
        let (written, code) = (written.to_owned(), rebound.after.clone());
        Ok(Sent { written, code, steps: [settled, rebound] })
    }

    /// What keeps what was written from being read as Rust.
    pub fn fault(&self) -> Option<Fault> {
        let code = without_commands_of(&self.steps[0].after, &self.written);
        fault(&code).or_else(|| python(&code))
    }

    /// Where a place of what was written stands, in bytes.
    pub fn offset(&self, position: Position) -> usize {
        offset(&self.written, position)
    }

    /// What the places from `start` to `end` of [`Sent::code`] stand for in what was written.
    pub fn original(&self, start: Position, end: Position) -> (Position, Position) {
        self.steps.iter().rev().fold((start, end), |(start, end), step| {
            let (start, end) = (offset(&step.after, start), offset(&step.after, end));
            let range = step.edits.original(start..end.max(start));
            (position(&step.before, range.start), position(&step.before, range.end))
        })
    }
}

/// Where a place stands, in bytes. A column behind the end of its line means that end.
fn offset(text: &str, (line, column): Position) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let line = text[before..].lines().next().unwrap_or_default();
    let column = line.char_indices().nth(column.saturating_sub(1));
    before + column.map_or(line.len(), |(at, _)| at)
}

fn position(text: &str, offset: usize) -> Position {
    let before = &text[..text.floor_char_boundary(offset)];
    let (line, start) = line_at(text, before.len());
    (line, 1 + before[start..].chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back() {
        let mut definitions = Definitions::default();
        definitions.variables.push(("ready".to_owned(), "bool".to_owned()));
        let sent = |code: &str| {
            Sent::new(code, &definitions, &Layout::new("/srv"), Path::new("/")).expect("no refusal")
        };
        let negation = sent("// é\n:dep tch\n!ready && é;");
        assert!(negation.code.ends_with("\n\t!ready && é;"), "{}", negation.code);
        assert_eq!(negation.original((3, 2), (3, 8)), ((3, 1), (3, 7)));
        assert_eq!(negation.original((3, 12), (3, 13)), ((3, 11), (3, 12)));
        let rebound = sent("let (é, b) = f(); é;\nb");
        assert_eq!(rebound.code, "let (é, b) = f(); let é = é; let b = b; é;\nb");
        assert_eq!(rebound.original((1, 23), (1, 24)), ((1, 6), (1, 7)));
        assert_eq!(rebound.original((1, 41), (1, 42)), ((1, 19), (1, 20)));
        assert_eq!(rebound.original((2, 1), (2, 99)), ((2, 1), (2, 2)));
    }
}
