//! Types of a cell's variables, as rustc writes them, where evcxr's rust-analyzer does not know how.
//!
//! A variable is kept from cell to cell under a type that is written down. rust-analyzer leaves out
//! the path of a trait behind `dyn` and the brackets of `&(dyn A + B)`, and has no name for a
//! closure. Where a cell does not compile for such a reason, or evcxr gives up before that, rustc is
//! asked ([`probe`]): its names lead from anywhere to what they mean. What it says, and which
//! variables borrow from others, waits in a file for the kernel, which decides what to do.

mod aliases;
mod borrows;
pub mod inferred;
mod probe;
mod spelling;

use crate::session::Session;
use borrows::Judgement;
use probe::Ask;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

pub use inferred::INFERRED;
pub use spelling::extent;

/// How rustc prints types: with whole paths, and not cut.
pub const PRINTING: [&str; 2] = ["--verbose", "-Ztrim-diagnostic-paths=no"];

/// Where the report waits, below the build directory.
const FILE: &str = "variables.json";

/// Why the variables of a cell cannot be kept, and what is known about them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The variables and their types.
    pub variables: Vec<Variable>,
    /// Variables that borrow from others. Where there are some, nothing else is wrong.
    pub borrows: Vec<Borrow>,
}

/// A variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type, with absolute paths. It may have parts that cannot be written in a program
    /// ([`Variable::is_nameable`]).
    pub type_name: String,
    /// How it is called, if that is possible.
    pub signature: Option<Signature>,
    /// How what it holds is called, if it holds values one after the other, and that is possible.
    pub signature_of_item: Option<Signature>,
    /// What it yields, if it is an iterator.
    pub item: Option<String>,
    /// What it comes to where it is awaited, if that is possible.
    pub future: Option<String>,
    /// It is a function or holds one: what has that type is another thing than what its name says, a
    /// pointer.
    pub is_function: bool,
    /// evcxr has written another type, which does not compile.
    pub is_misspelt: bool,
}

/// How a closure is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// `Fn`, `FnMut` or `FnOnce`.
    pub kind: String,
    /// The types of the arguments, with commas between them.
    pub arguments: String,
    /// The type of the result.
    pub output: String,
}

/// A variable that borrows from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Borrow {
    /// The variable that cannot be kept; empty where rustc names none.
    pub variable: String,
    /// What it borrows from; `None` for a value without a name.
    pub of: Option<String>,
    /// rustc's code for it.
    pub code: String,
}

impl Variable {
    /// Whether the type can be written in a program.
    pub fn is_nameable(&self) -> bool {
        spelling::is_nameable(&self.type_name)
    }
}

/// What was found out about the last cell of the kernel that builds in `build_dir`.
pub fn read(build_dir: &Path) -> Option<Report> {
    serde_json::from_slice(&fs::read(build_dir.join(FILE)).ok()?).ok()
}

/// Forgets it.
pub fn forget(build_dir: &Path) {
    let _ = fs::remove_file(build_dir.join(FILE));
}

/// The types of the variables of `source` that are [`INFERRED`] there. `told` is what rustc has said of the
/// source that [tells](inferred::telling) them.
pub fn inferred(source: &str, told: Option<String>, crates: &[String], ask: Ask) -> Report {
    report(source, &[], crates, told, ask)
}

/// Notes what is [`inferred`] for `source`. Returns whether its variables [are named](are_named).
pub fn note_inferred(session: &Session, source: &str, report: &Report) -> bool {
    write(session, report);
    are_named(source, report)
}

/// Whether each variable of `source` that is [`INFERRED`] there can be kept under the type of the report.
pub fn are_named(source: &str, report: &Report) -> bool {
    let wanted = source.lines().filter(|line| inferred::is_kept(line)).count();
    let is_kept = |variable: &&Variable| variable.is_nameable() && !variable.is_function;
    report.variables.iter().filter(is_kept).count() == wanted
}

/// Notes what there is to know of `source`, at which evcxr has only looked, with rustc's diagnostics
/// `lines`: evcxr wants to know what is wrong where its rust-analyzer did not know a type. `ask` has
/// rustc look at a source.
pub fn note_looked_at(session: &Session, source: &str, lines: &str, crates: &[String], ask: Ask) {
    let report = match borrows::judge(lines) {
        Judgement::Borrows(borrows) => Report { borrows, ..Report::default() },
        Judgement::Types(misspelt) => report(source, &misspelt, crates, None, ask),
        Judgement::Moved => report(source, &[], crates, None, ask),
        Judgement::Other if lines.contains("\"level\":\"error\"") => return,
        Judgement::Other => report(source, &[], crates, None, ask),
    };
    write(session, &report);
}

/// Notes what there is to know where `lines`, rustc's diagnostics of `source`, which does not
/// compile, are about keeping variables.
pub fn note_failed(session: &Session, source: &str, lines: &str, crates: &[String], ask: Ask) {
    match borrows::judge(lines) {
        Judgement::Borrows(borrows) => write(session, &Report { borrows, ..Report::default() }),
        Judgement::Types(misspelt) => write(session, &report(source, &misspelt, crates, None, ask)),
        // evcxr leaves those out, and compiles again.
        Judgement::Moved | Judgement::Other => {}
    }
}

/// The types of the variables of `source`, some of which are `misspelt` there.
fn report(
    source: &str,
    misspelt: &[String],
    crates: &[String],
    told: Option<String>,
    ask: Ask,
) -> Report {
    let mut variables = probe::types(source, crates, told, ask);
    for variable in &mut variables {
        variable.is_misspelt = misspelt.contains(&variable.name);
        variable.type_name = aliases::with_aliases(source, &variable.type_name);
    }
    Report { variables, borrows: Vec::new() }
}

/// Best effort: without the file, the person sees evcxr's own error.
fn write(session: &Session, report: &Report) {
    if let Ok(text) = serde_json::to_string(report) {
        let _ = fs::write(session.build_dir.join(FILE), text);
    }
}
