//! What the cells of a session have defined.

use crate::syntax::commands::commands;
use serde::{Deserialize, Serialize};

/// An item that a cell defines: what it is and its source.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its name, where it has one.
    pub key: String,
    /// The source.
    pub source: String,
}

/// What the cells so far have defined.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Definitions {
    /// evcxr's commands that add dependencies.
    pub commands: Vec<String>,
    /// Imports, functions, types and so on.
    pub items: Vec<Item>,
    /// Names and types of variables.
    pub variables: Vec<(String, String)>,
}

impl Definitions {
    /// Adds a cell's commands.
    pub fn add_commands(&mut self, code: &str) {
        for command in dependencies(code) {
            if !self.commands.iter().any(|known| known == command) {
                self.commands.push(command.to_owned());
            }
        }
    }

    /// Whether a variable, or an item that has a name, is called so.
    pub fn knows(&self, name: &str) -> bool {
        self.variables.iter().any(|(known, _)| known == name)
            || self.items.iter().any(|item| item.key == name)
    }
}

/// The commands in `code` that add dependencies.
pub fn dependencies(code: &str) -> impl Iterator<Item = &str> {
    let lines = commands(code).into_iter().map(|command| command.text);
    lines.filter(|line| line.starts_with(":dep "))
}
