//! What the cells of a session have defined.

use crate::syntax::commands::commands;
use crate::syntax::{self, Item};
use serde::{Deserialize, Serialize};

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
    /// Adds a cell's commands and items; a later definition replaces an earlier one.
    pub fn add(&mut self, code: &str) {
        for command in dependencies(code) {
            if !self.commands.iter().any(|known| known == command) {
                self.commands.push(command.to_owned());
            }
        }
        for item in syntax::items(code) {
            self.items.retain(|known| known.key != item.key);
            self.items.push(item);
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
