//! What the evaluator tells the tools of the cell that they compile.
//!
//! The tools are processes that evcxr starts, so it is told in a file. That has always the same
//! length and is overwritten in place: a compilation can be cancelled on a full disk, too.

use crate::repeated;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where it is told, below the build directory.
const FILE: &str = "control.json";
/// The length of the file: more than its JSON has, filled with spaces.
const LENGTH: usize = 80;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    /// The compilation that runs, and any that follows, shall end.
    cancel: bool,
    /// A cell has changed how evcxr shows values.
    own_format: bool,
}

/// The evaluator's end: it tells.
pub struct Control {
    file: PathBuf,
    told: Mutex<Told>,
}

impl Control {
    /// Nothing told yet to the tools of the kernel that builds in `build_dir`.
    pub fn new(build_dir: &Path) -> Self {
        let control = Control { file: build_dir.join(FILE), told: Mutex::default() };
        // Best effort: without the file nothing is cancelled.
        let _ = control.write(Told::default());
        control
    }

    /// The cell `code` is about to be compiled: a request to cancel the last one is taken back.
    /// From a cell on with commands that change how values are shown (`:fmt`, `:types`), showing is
    /// left to evcxr.
    pub fn begin_cell(&self, code: &str) {
        self.file.parent().into_iter().for_each(repeated::forget);
        let own_format = changes_format(code);
        // Without room on the disk for a first file, nothing was cancelled either.
        let _ = self.tell(|told| Told { cancel: false, own_format: told.own_format || own_format });
    }

    /// The cell is done, and a request to cancel it with it.
    pub fn end_cell(&self) {
        let _ = self.tell(|told| Told { cancel: false, ..told });
    }

    /// Asks for the compilation that runs, and any that follows, to end. It ends within 50 ms with
    /// the error "compilation cancelled".
    ///
    /// # Errors
    /// The request cannot be written.
    pub fn cancel(&self) -> io::Result<()> {
        self.tell(|told| Told { cancel: true, ..told })
    }

    fn tell(&self, change: impl FnOnce(Told) -> Told) -> io::Result<()> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let next = change(*told);
        if next == *told {
            return Ok(());
        }
        self.write(next)?;
        *told = next;
        Ok(())
    }

    fn write(&self, told: Told) -> io::Result<()> {
        let text = format!("{:<LENGTH$}", serde_json::to_string(&told)?);
        let file = File::options().write(true).create(true).truncate(false).open(&self.file)?;
        file.write_all_at(text.as_bytes(), 0)
    }
}

/// The tools' end: they look.
#[derive(Clone, Debug)]
pub struct Requests {
    file: PathBuf,
}

impl Requests {
    /// What is told to the tools of the kernel that builds in `build_dir`.
    pub fn new(build_dir: &Path) -> Self {
        Requests { file: build_dir.join(FILE) }
    }

    /// Whether the compilation shall end.
    pub fn is_cancelled(&self) -> bool {
        self.told().cancel
    }

    /// Whether a cell has changed how evcxr shows values.
    pub fn has_own_format(&self) -> bool {
        self.told().own_format
    }

    /// What is told now; nothing where nobody tells, as in set-up.
    fn told(&self) -> Told {
        let text = fs::read(&self.file).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

fn changes_format(cell: &str) -> bool {
    cell.lines().any(|line| {
        let command = line.trim_start().split(' ').next();
        matches!(command, Some(":fmt" | ":types"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_to_cancel_holds_for_one_cell() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let requests = Requests::new(dir.path());
        assert!(!requests.is_cancelled() && !requests.has_own_format(), "nobody tells");
        let control = Control::new(dir.path());
        control.cancel().expect("writable");
        assert!(requests.is_cancelled());
        control.end_cell();
        assert!(!requests.is_cancelled());
        control.cancel().expect("writable");
        control.begin_cell("1");
        assert!(!requests.is_cancelled());
    }

    #[test]
    fn commands_that_change_how_values_are_shown_are_noted_for_good() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (control, requests) = (Control::new(dir.path()), Requests::new(dir.path()));
        control.begin_cell(":dep rand = \"0.9\"\nlet fmt = \":fmt\";");
        assert!(!requests.has_own_format());
        control.begin_cell("  :fmt {:#?}\n1");
        assert!(requests.has_own_format());
        control.begin_cell("2");
        control.cancel().expect("writable");
        assert!(requests.has_own_format() && requests.is_cancelled());
    }

    #[test]
    fn the_file_keeps_its_length_so_that_it_needs_no_more_room() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let control = Control::new(dir.path());
        let length = || fs::metadata(dir.path().join(FILE)).expect("a file").len();
        let before = length();
        control.begin_cell(":types");
        control.cancel().expect("writable");
        assert_eq!(length(), before);
        assert_eq!(before, LENGTH as u64);
    }
}
