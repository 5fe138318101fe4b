//! Cells that were compiled before.
//!
//! Who restarts a kernel and runs all cells again has them compiled once more, and nothing else comes of
//! it: what a cell depends on is its source, with the definitions that it reaches and the types of the
//! variables that it names, and the compiled dependencies. So the library of a cell is kept, with what rustc
//! said of it, and the next kernel that would compile the same takes it. Of a cell that does not compile, and
//! of definitions, which are only checked, it is rustc's words alone.
//!
//! A cell that reads other files while it is compiled, or the environment (`include_str!`, `env!`), is not
//! kept. What a procedural macro reads unbeknown to rustc is not seen, as by cargo.

use crate::absolute::{PUT, TAKE};
use crate::aids;
use crate::answers::Question;
use crate::job::Diagnosed;
use crate::messages;
use crate::opt_level;
use crate::recording::{self, Recording};
use crate::rustc;
use crate::session::Session;
use crate::variable_types::Report;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many are kept; some 60 KB each. The project's own notebooks have 400 cells.
const MOST: usize = 1_500;
/// How many of them go at once, those that were not used for the longest time.
const AT_ONCE: usize = 150;

/// A compilation as far as its result depends on it.
pub struct Compilation<'a> {
    session: &'a Session,
    dir: &'a Path,
    question: Question,
    sources: Vec<String>,
    /// Where rustc lists what it has read.
    list: PathBuf,
}

/// What has come of a compilation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Result {
    /// rustc's diagnostics.
    pub diagnosed: Diagnosed,
    /// The variables whose types rustc was asked for.
    pub report: Option<Report>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// What was compiled: names of files are too short to tell all apart.
    sources: Vec<String>,
    result: Result,
}

impl<'a> Compilation<'a> {
    /// That of a cell with this `source`, which is compiled as `instrumented`, to a library; `None` where
    /// nothing is kept.
    pub fn of_cell(
        session: &'a Session,
        recording: &Recording,
        source: &str,
        instrumented: &str,
    ) -> Option<Self> {
        let manifest = fs::read_to_string(session.build_dir.join("Cargo.toml")).ok()?;
        let level = opt_level::choose(instrumented, &manifest);
        let list = rustc::dependencies(&session.build_dir.join("cell"));
        Compilation::new(session, recording, &level, &[source, instrumented], list)
    }

    /// That of a crate of definitions in `dir`, which is only checked.
    pub fn of_definitions(
        session: &'a Session,
        recording: &Recording,
        source: &str,
        dir: &Path,
    ) -> Option<Self> {
        let list = rustc::dependencies(dir);
        Compilation::new(session, recording, "checked", &[source], list)
    }

    fn new(
        session: &'a Session,
        recording: &Recording,
        how: &str,
        sources: &[&str],
        list: PathBuf,
    ) -> Option<Self> {
        let dir = session.kept_cells.as_ref()?;
        let linked = aids::prepared(&session.build_dir).unwrap_or_default();
        let question = recording::question(session)
            .with(&linked.file_name().unwrap_or_default().to_string_lossy())
            .with(&recording.sources_as_text())
            .with(how);
        let sources = sources.iter().map(|&source| source.to_owned()).collect();
        Some(Compilation { session, dir, question, sources, list })
    }

    /// What has come of the same before, with the library where rustc would put it if there is one.
    pub fn take(&self) -> Option<Result> {
        [true, false].into_iter().find_map(|is_success| {
            let (file, sources) = self.file(is_success);
            let kept: Kept = serde_json::from_slice(&fs::read(&file).ok()?).ok()?;
            if kept.sources != sources {
                return None;
            }
            let kept_library = library_beside(&file);
            if kept_library.exists() {
                let library = rustc::library(&self.session.build_dir);
                fs::create_dir_all(library.parent()?).ok()?;
                // A copy of its own: whoever has loaded a file may not see it change.
                let _ = fs::remove_file(&library);
                fs::copy(kept_library, &library).ok()?;
            }
            let used = File::options().append(true).open(&file);
            let _ = used.and_then(|file| file.set_modified(SystemTime::now()));
            Some(kept.result)
        })
    }

    /// Keeps what rustc has just made or said, if that depends on nothing else. Best effort: what is not
    /// kept is compiled again.
    pub fn keep(&self, result: &Result, library: Option<&Path>) {
        let Diagnosed { lines, is_success } = &result.diagnosed;
        if !reads_nothing_else(&self.list) || !is_success && !is_about_the_source(lines) {
            return;
        }
        let (file, sources) = self.file(result.diagnosed.is_success);
        let kept = Kept { sources, result: result.clone() };
        let written = serde_json::to_vec(&kept).map_err(io::Error::from).and_then(|text| {
            if let Some(library) = library {
                whole(&library_beside(&file), |path| fs::copy(library, path).map(drop))?;
            }
            // Last: it says that the library is there.
            whole(&file, |path| fs::write(path, &text))
        });
        if written.is_ok() {
            remove_unused(self.dir);
        }
    }

    /// Where it is kept, and what is compared there. An error names lines, so that of another order of
    /// lines is another one.
    fn file(&self, is_success: bool) -> (PathBuf, Vec<String>) {
        let (kind, sources) = match is_success {
            true => ("made", self.sources.iter().map(|source| in_one_order(source)).collect()),
            false => ("failed", self.sources.clone()),
        };
        let question = sources.iter().fold(self.question, |question, it| question.with(it));
        (self.dir.join(question.file_name(kind)), sources)
    }
}

fn library_beside(file: &Path) -> PathBuf {
    file.with_extension(std::env::consts::DLL_EXTENSION)
}

/// The source with evcxr's statements about variables in one order. evcxr has them in a hash map: in each
/// process in another order, and nothing depends on that. Empty lines stand for those of variables that the
/// cell does not name.
fn in_one_order(source: &str) -> String {
    let mut lines: Vec<&str> = source.split('\n').collect();
    let has_no_place = |line: &str| line.is_empty() || is_about_a_variable(line);
    lines
        .chunk_by_mut(|one, other| has_no_place(one) && has_no_place(other))
        .for_each(<[&str]>::sort_unstable);
    lines.join("\n")
}

/// Whether a line is one of evcxr's statements about a variable, and all of it.
fn is_about_a_variable(line: &str) -> bool {
    const CHECKED: &str = "evcxr_vars_ok &= ";
    let begins = [CHECKED, PUT].into_iter().any(|start| line.starts_with(start));
    (begins || line.starts_with("let ") && line.contains(TAKE)) && line.ends_with(");")
}

/// Whether `list`, rustc's list of what it has read, names the source alone.
fn reads_nothing_else(list: &Path) -> bool {
    let Ok(text) = fs::read_to_string(list) else { return false };
    let mut rules = text.lines().filter_map(|line| line.strip_suffix(':'));
    !text.contains("# env-dep:") && rules.next() == Some("src/lib.rs") && rules.next().is_none()
}

/// Whether all of rustc's errors have a place in the source. A full disk, a linker that was killed and the
/// compiler's own faults may be gone the next time.
fn is_about_the_source(lines: &str) -> bool {
    let is_error = |message: &Value| {
        let text = message["message"].as_str().unwrap_or_default();
        message["level"] == "error" && !text.starts_with("aborting due to ")
    };
    let has_place = |message: Value| message["spans"].as_array().is_some_and(|it| !it.is_empty());
    let mut errors = messages::diagnostics(lines).filter(is_error).peekable();
    errors.peek().is_some() && errors.all(has_place) && !lines.contains("internal compiler error")
}

/// Writes `path` so that nobody sees a part of it.
fn whole(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let unfinished = path.with_extension(format!("{}.part", std::process::id()));
    let written = write(&unfinished).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// Removes those that were not used for the longest time, where there are too many.
fn remove_unused(dir: &Path) {
    let paths = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let paths = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let used = |path: &PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let mut files: Vec<_> = paths.filter_map(|path| Some((used(&path)?, path))).collect();
    if files.len() <= MOST {
        return;
    }
    files.sort();
    for (_, file) in files.iter().take(AT_ONCE) {
        // First what says that the library is there.
        let _ = fs::remove_file(file);
        let _ = fs::remove_file(library_beside(file));
    }
}

#[cfg(test)]
mod tests;
