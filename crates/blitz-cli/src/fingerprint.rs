//! Knowing whether something that was made is up to date.
//!
//! Each step of set-up has a key: a hash of everything that its result depends on. The key is recorded
//! when the step has succeeded. A step whose key is recorded is skipped; one that was killed has none.
//! A learner's notebook carries the key of the one that it was made from.

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
}
