//! Cells that were compiled before.
//!
//! Who restarts a kernel and runs all cells again has them compiled once more, and nothing else comes of
//! it: what a cell depends on is its source, with the definitions that it reaches and the types of the
//! variables that it names, and the compiled dependencies. So the library of a cell is kept, with what rustc
//! said of it, and the next kernel that would compile the same takes it. Of definitions, which are only
//! checked, and of a cell that evcxr tries in another form next, it is rustc's words alone.
//!
//! Nothing is kept of what reads other files while it is compiled, or the environment (`include_str!`,
//! `env!`), or links to native libraries, and nothing where cells have crates of a person's own, whose build
//! scripts may do anything. What a procedural macro reads unbeknown to rustc is not seen, as by cargo.

use crate::aids;
use crate::answers::{self, Question, whole};
use crate::control::Requests;
use crate::job::Diagnosed;
use crate::messages;
use crate::recording::{self, Recording};
use crate::rustc;
use crate::session::Session;
use crate::toolchain::Stamped;
use crate::unused_variables::begins_statement;
use crate::variable_types::Report;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How many are kept; some 60 KB each. The project's own notebooks have 400 cells.
const MOST: usize = 1_500;
/// How many of them go at once, those that were not used for the longest time.
const AT_ONCE: usize = 150;
/// What a tool that was killed has left of a file is this old at least.
const ABANDONED: Duration = Duration::from_secs(3_600);
/// The errors after which evcxr tries a cell in another form: a value that cannot be shown, or that was
/// moved. All depends on the source and the crates. Other errors are for people, and rustc is asked again.
const OF_ANOTHER_FORM: [&str; 2] = ["E0277", "E0382"];
/// Begins an attribute by which a cell links to what rustc does not list.
const LINK: &str = "#[link(";

/// A compilation as far as its outcome depends on it.
pub struct Compilation<'a> {
    session: &'a Session,
    dir: &'a Path,
    question: Question,
    source: String,
    /// Where rustc lists what it has read.
    list: PathBuf,
}

/// What has come of a compilation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What rustc has said.
    pub diagnosed: Diagnosed,
    /// The variables whose types rustc was asked for.
    pub report: Option<Report>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// What was compiled: names of files are too short to tell all apart.
    source: String,
    /// The length of the library, where there is one.
    library: Option<u64>,
    outcome: Outcome,
}

impl<'a> Compilation<'a> {
    /// That of a cell to a library, optimized at `level`; `None` where nothing is kept.
    pub fn of_cell(
        session: &'a Session,
        recording: &Recording,
        source: &str,
        level: &str,
    ) -> Option<Self> {
        let list = rustc::dependencies(&session.build_dir.join("cell"));
        Compilation::new(session, recording, level, source, list)
    }

    /// That of a crate of definitions in `dir`, which is only checked.
    pub fn of_definitions(
        session: &'a Session,
        recording: &Recording,
        source: &str,
        dir: &Path,
    ) -> Option<Self> {
        Compilation::new(session, recording, "checked", source, rustc::dependencies(dir))
    }

    fn new(
        session: &'a Session,
        recording: &Recording,
        how: &str,
        source: &str,
        list: PathBuf,
    ) -> Option<Self> {
        let dir = session.kept_cells.as_ref()?;
        let is_closed = recording.is_of_repository(session) && !source.contains(LINK);
        if !is_closed || std::env::var_os(rustc::BOOTSTRAP).is_some() {
            return None;
        }
        // This program decides how rustc is called and what is made of its words. Each kernel has links of
        // its own to it.
        let mut program = Stamped::now(&std::env::current_exe().ok()?)?;
        program.path = PathBuf::new();
        let linked = aids::prepared(&session.build_dir).unwrap_or_default();
        let question = recording::question(session)
            .with(&serde_json::to_string(&program).ok()?)
            .with(&linked.file_name().unwrap_or_default().to_string_lossy())
            .with(&answers::generalize(session, &recording.args.join("\n")))
            .with(&recording.sources_as_text())
            .with(how);
        Some(Compilation { session, dir, question, source: source.to_owned(), list })
    }

    /// What has come of the same before, with the library where rustc would put it if there is one. Nothing
    /// while the person wants nothing compiled.
    pub fn take(&self) -> Option<Outcome> {
        if Requests::new(&self.session.build_dir).is_cancelled() {
            return None;
        }
        [true, false].into_iter().find_map(|is_success| self.take_kept(is_success))
    }

    fn take_kept(&self, is_success: bool) -> Option<Outcome> {
        let (file, source) = self.file(is_success);
        let text = fs::read_to_string(&file).ok()?;
        let kept: Kept = serde_json::from_str(&answers::specialize(self.session, &text)).ok()?;
        if kept.source != source {
            return None;
        }
        if let Some(length) = kept.library {
            let library = rustc::library(&self.session.build_dir);
            fs::create_dir_all(library.parent()?).ok()?;
            // A copy of its own: whoever has loaded a file may not see it change.
            let _ = fs::remove_file(&library);
            // What was cut off, or is another's by now, is none.
            (fs::copy(library_beside(&file), &library).ok()? == length).then_some(())?;
        }
        let used = File::options().append(true).open(&file);
        let _ = used.and_then(|file| file.set_modified(SystemTime::now()));
        Some(kept.outcome)
    }

    /// Keeps what rustc has just made or said, if that depends on nothing else. Best effort: what is not
    /// kept is compiled again.
    pub fn keep(&self, outcome: &Outcome, library: Option<&Path>) {
        let Diagnosed { lines, is_success } = &outcome.diagnosed;
        let is_for_evcxr =
            *is_success || messages::all_errors_are(lines, |code| OF_ANOTHER_FORM.contains(&code));
        if !is_for_evcxr || !reads_nothing_else(&self.list) {
            return;
        }
        let (file, source) = self.file(*is_success);
        if self.write(&file, source, outcome, library).is_ok() {
            remove_unused(self.dir);
        }
    }

    fn write(
        &self,
        file: &Path,
        source: String,
        outcome: &Outcome,
        library: Option<&Path>,
    ) -> io::Result<()> {
        let mut length = None;
        if let Some(library) = library {
            whole(&library_beside(file), |path| {
                length = Some(fs::copy(library, path)?);
                Ok(())
            })?;
        }
        let kept = Kept { source, library: length, outcome: outcome.clone() };
        let text = answers::generalize(self.session, &serde_json::to_string(&kept)?);
        // Last: it says that the library is there.
        whole(file, |path| fs::write(path, &text))
    }

    /// Where it is kept, and what is compared there. An error names lines, so that of another order of
    /// lines is another one.
    fn file(&self, is_success: bool) -> (PathBuf, String) {
        let (kind, source) = match is_success {
            true => ("made", in_one_order(&self.source)),
            false => ("failed", self.source.clone()),
        };
        (self.dir.join(self.question.with(&source).file_name(kind)), source)
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
    begins_statement(line) && line.ends_with(");")
}

/// Whether `list`, rustc's list of what it has read, names the source alone.
fn reads_nothing_else(list: &Path) -> bool {
    let Ok(text) = fs::read_to_string(list) else { return false };
    let mut rules = text.lines().filter_map(|line| line.strip_suffix(':'));
    !text.contains("# env-dep:") && rules.next() == Some("src/lib.rs") && rules.next().is_none()
}

/// Removes those that were not used for the longest time, where there are too many, and what was left of
/// others.
fn remove_unused(dir: &Path) {
    let paths = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_whole = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let (files, others): (Vec<_>, Vec<_>) = paths.partition(is_whole);
    if files.len() <= MOST {
        return;
    }
    let used = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let mut files: Vec<_> =
        files.into_iter().filter_map(|path| Some((used(&path)?, path))).collect();
    files.sort();
    for (_, file) in files.iter().take(AT_ONCE) {
        // First what says that the library is there.
        let _ = fs::remove_file(file);
        let _ = fs::remove_file(library_beside(file));
    }
    let is_abandoned = |path: &&PathBuf| {
        let age = used(path).and_then(|used| used.elapsed().ok());
        !path.with_extension("json").exists() && age.is_some_and(|age| age > ABANDONED)
    };
    others.iter().filter(is_abandoned).for_each(|path| drop(fs::remove_file(path)));
}

#[cfg(test)]
mod tests;
