//! What is asked, and the source that an answer is found in.

use crate::session::definitions::{Definitions, dependencies};
use crate::session::dependencies::translate;
use crate::syntax::commands::{settle, without_commands_of};
use blitz_contract::Layout;
use serde::{Deserialize, Serialize};

/// The line with which the process says that it has read everything.
pub const READY: &str = "ready";

/// A question about a place in a cell.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Question {
    /// What is asked.
    pub what: What,
    /// The cell, possibly half written.
    pub code: String,
    /// The place, as an offset in bytes.
    pub position: usize,
    /// What the cells so far have defined.
    pub definitions: Definitions,
}

/// The two kinds of questions.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum What {
    /// What could stand here?
    Complete,
    /// What is this?
    Inspect,
}

/// An answer.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What could stand from `start` to `end`, with the kind of each.
    pub matches: Vec<(String, String)>,
    /// Where the completed text begins, as an offset in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Documentation as text and HTML.
    pub documentation: Option<(String, String)>,
}

impl Question {
    /// The cell behind everything that it can use, and the place in it. With `commands`, evcxr's
    /// commands stand first, in the words of the repository at `layout`.
    pub fn source(&self, layout: &Layout, commands: CommandLines) -> (String, usize) {
        let mut source = String::new();
        let settled = settle(&self.code, |name| self.definitions.knows(name)).apply(&self.code);
        if commands == CommandLines::Kept {
            let known = self.definitions.commands.iter().map(String::as_str);
            let folder = std::env::current_dir().unwrap_or_default();
            for command in known.chain(dependencies(&settled)) {
                // One that is refused adds nothing to know.
                source.push_str(&translate(command, layout, &folder).unwrap_or_default());
                source.push('\n');
            }
        }
        for item in &self.definitions.items {
            source.push_str(&item.source);
            source.push('\n');
        }
        for (name, type_name) in &self.definitions.variables {
            source.push_str(&format!("let mut {name}: {type_name} = loop {{}};\n"));
        }
        // Nothing behind a line of Rust is a command; the cell's own are blanked.
        source.push_str("();\n");
        let position = source.len() + self.position;
        source.push_str(&without_commands_of(&settled, &self.code));
        (source, position)
    }
}

/// Whether evcxr's commands belong to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandLines {
    Kept,
    Left,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::definitions::Item;

    #[test]
    fn the_place_moves_with_the_source() {
        let mut definitions = Definitions::default();
        definitions.add_commands(":dep a = \"1\"\nfn f() {}");
        for (key, source) in [("c", "use b::c;"), ("f", "fn f() -> u8 { 1 }")] {
            definitions.items.push(Item { key: key.to_owned(), source: source.to_owned() });
        }
        definitions.variables.push(("x".to_owned(), "Vec<u8>".to_owned()));
        let code = ":dep d\nlet y = x.le".to_owned();
        let question = Question { what: What::Complete, position: code.len(), code, definitions };
        let (source, position) = question.source(&Layout::new("/srv"), CommandLines::Kept);
        let expected = ":dep a = \"1\"\n:dep d\nuse b::c;\nfn f() -> u8 { 1 }\n\
                        let mut x: Vec<u8> = loop {};\n();\n      \nlet y = x.le";
        assert_eq!(source, expected);
        assert_eq!(position, source.len());
    }
}
