//! What set-up remembers.

use crate::files::write_atomically;
use crate::project::Project;
use anyhow::Result;
use serde_json::{Map, Value};
use std::fs;
use std::path::PathBuf;

/// The recorded keys, in [`Project::state_file`].
pub struct State {
    path: PathBuf,
    values: Map<String, Value>,
}

impl State {
    /// Reads the record. One that is missing or damaged counts as empty: the steps are then redone,
    /// which finds what is there already.
    pub fn read(project: &Project) -> Self {
        let path = project.state_file();
        let text = fs::read_to_string(&path).unwrap_or_default();
        let values = match serde_json::from_str(&text) {
            Ok(Value::Object(values)) => values,
            _ => Map::new(),
        };
        State { path, values }
    }

    /// A recorded value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    /// Records a value.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        self.values.insert(name.to_owned(), Value::from(value));
        let text = serde_json::to_string_pretty(&self.values)?;
        write_atomically(&self.path, text.as_bytes())
    }

    /// Forgets a value, so that its step is redone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn forget(&mut self, name: &str) -> Result<()> {
        if self.values.shift_remove(name).is_none() {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(&self.values)?;
        write_atomically(&self.path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blitz_contract::Layout;

    #[test]
    fn a_damaged_record_counts_as_empty_and_can_be_written_again() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let project = Project::new(Layout::new(dir.path()));
        fs::create_dir_all(project.made()).expect("writable");
        fs::write(project.state_file(), "{\"venv\": ").expect("writable");
        let mut state = State::read(&project);
        assert_eq!(state.get("venv"), None);
        state.set("venv", "key").expect("writable");
        assert_eq!(State::read(&project).get("venv"), Some("key"));
    }
}
