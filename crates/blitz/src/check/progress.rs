//! What is solved, kept in a file beside the notebook, so that another kernel knows it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::checkpoint::atomic;
use crate::error::{Error, Result};

/// The file of one notebook's exercises.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    path: PathBuf,
}

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    /// The exercises whose last check passed.
    pub solved: Vec<String>,
    /// The exercise that was checked last.
    pub current: Option<String>,
}

impl Progress {
    /// Of the exercises `name`, in `dir`. Nothing is read or written yet.
    pub fn new(dir: &Path, name: &str) -> Progress {
        Progress { path: dir.join(format!("{name}.json")) }
    }

    /// What was noted; nothing, where there is no file or none that can be read: it is written anew
    /// by the next check.
    pub fn read(&self) -> State {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let noted: Value = serde_json::from_str(&text).unwrap_or_default();
        let solved = noted["solved"].as_array().into_iter().flatten().filter_map(Value::as_str);
        State {
            solved: solved.map(str::to_owned).collect(),
            current: noted["current"].as_str().map(str::to_owned),
        }
    }

    /// Notes whether the exercise `id` is solved now.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note(&self, id: &str, is_solved: bool) -> Result<()> {
        let mut state = self.read();
        state.solved.retain(|solved| solved != id);
        if is_solved {
            state.solved.push(id.to_owned());
        }
        let noted = json!({ "solved": state.solved, "current": id });
        let dir = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        // Whole or not at all: the kernel may be ended at any time.
        atomic::replace(&self.path, |file| {
            file.write_all(noted.to_string().as_bytes()).map_err(Error::io("write", &self.path))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_solved_is_known_to_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new");
        let progress = Progress::new(&path, "练习");
        assert_eq!(progress.read(), State::default());
        progress.note("1", true).unwrap();
        progress.note("2", true).unwrap();
        progress.note("1", false).unwrap();
        let noted = Progress::new(&path, "练习").read();
        assert_eq!(noted, State { solved: vec!["2".to_owned()], current: Some("1".to_owned()) });
    }

    #[test]
    fn a_spoilt_file_is_as_none() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.json"), "{\"solved\": 3").unwrap();
        let progress = Progress::new(dir.path(), "x");
        assert_eq!(progress.read(), State::default());
        progress.note("1", true).unwrap();
        assert_eq!(progress.read().solved, ["1"]);
    }
}
