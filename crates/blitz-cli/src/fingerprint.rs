//! Knowing whether a step of set-up is up to date.
//!
//! Each step has a key: a hash of everything that its result depends on. The key is recorded when
//! the step has succeeded. A step whose key is recorded is skipped; one that was killed has none.

use crate::project::Project;
use anyhow::{Context, Result};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A hash under construction.
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// An empty one.
    pub fn new() -> Self {
        Fingerprint(Sha256::new())
    }

    /// Adds a text.
    pub fn text(mut self, text: &str) -> Self {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
        self
    }

    /// Adds a file's contents, or all files below a directory. One that is not there counts as
    /// empty.
    pub fn path(mut self, path: &Path) -> Self {
        if !path.is_dir() {
            let contents = fs::read(path).unwrap_or_default();
            self.0.update((contents.len() as u64).to_le_bytes());
            self.0.update(contents);
            return self;
        }
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let mut entries: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        entries.sort();
        for entry in entries {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self = self.text(&name).path(&entry);
        }
        self
    }

    /// Adds when a file, or any file below a directory, was last modified: cargo compiles anew by
    /// that.
    pub fn modified(self, path: &Path) -> Self {
        let time = last_modified(path).and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        self.text(&format!("{time:?}"))
    }

    /// The key.
    pub fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn last_modified(path: &Path) -> Option<SystemTime> {
    let below = fs::read_dir(path).into_iter().flatten().flatten();
    let below = below.filter_map(|entry| last_modified(&entry.path()));
    below.chain(fs::metadata(path).and_then(|data| data.modified()).ok()).max()
}

/// The recorded keys, in `.blitz/state.json`.
pub struct State {
    path: PathBuf,
    values: Map<String, Value>,
}

impl State {
    /// Reads the record. One that is missing or damaged counts as empty: the steps are then redone,
    /// which finds what is there already.
    pub fn read(project: &Project) -> Self {
        let path = project.path(".blitz/state.json");
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

/// Writes a file whole or not at all: beside its place first, then moved there.
///
/// # Errors
/// The directory or the file cannot be written.
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}", std::process::id()));
        fs::write(&beside, contents)?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_where_texts_end_and_files_change() {
        let key = |parts: &[&str]| {
            parts.iter().fold(Fingerprint::new(), |print, part| print.text(part)).finish()
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        let dir = tempfile::tempdir().expect("a temporary directory");
        let of_dir = || Fingerprint::new().path(dir.path()).finish();
        let empty = of_dir();
        fs::write(dir.path().join("a"), "1").expect("writable");
        let one = of_dir();
        fs::write(dir.path().join("a"), "2").expect("writable");
        assert!(empty != one && one != of_dir());
    }

    #[test]
    fn a_damaged_record_counts_as_empty_and_can_be_written_again() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let project = Project::new(Some(dir.path().to_path_buf()));
        fs::create_dir_all(dir.path().join(".blitz")).expect("writable");
        fs::write(dir.path().join(".blitz/state.json"), "{\"venv\": ").expect("writable");
        let mut state = State::read(&project);
        assert_eq!(state.get("venv"), None);
        state.set("venv", "key").expect("writable");
        assert_eq!(State::read(&project).get("venv"), Some("key"));
    }
}
