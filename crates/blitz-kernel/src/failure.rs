//! Why a cell failed, in words for the person who wrote it.

pub mod cell_error;
pub mod compile_error;
pub mod defined;
pub mod definitions;
mod helps;
pub mod names;
pub mod outdated;
pub mod place;
pub mod python;
pub mod undefined;

use crate::cells::event::Panic;
use crate::cells::input::NoInput;
use crate::cells::libtorch;
use crate::cells::outcome::Outcome;
use crate::output::markers::UserError;
use crate::session::sent::Sent;
use crate::syntax::fault::Fault;
use cell_error::{CellError, Line};
use place::{Place, place_caption};
use python::Python;
use std::path::Path;

/// The kinds of errors of cells that do not compile and cannot be loaded.
const COMPILE_ERROR: &str = "compile error"; // Not translated
const LOAD_ERROR: &str = "load error"; // Not translated
/// What is lost with the process that ran the cells.
const LOST: &str = "All variables are gone. The next cell starts afresh: run the notebook from the \
                    top, or the cells that you need.";

/// What evaluating a cell came to, besides what evcxr says of it.
pub struct Failed<'a> {
    /// What was seen while it ran.
    pub outcome: &'a Outcome,
    /// The line of a cell that failed.
    pub place: Option<Place>,
    /// Where libtorch belongs.
    pub libtorch_lib: &'a Path,
    /// Whether backtraces are shown.
    pub full_backtrace: bool,
    /// What Python's names are in Rust.
    pub python: &'a Python,
}

impl Failed<'_> {
    /// The error of a cell that evcxr evaluated, if it failed.
    pub fn after_run(&self) -> Option<CellError> {
        let outcome = self.outcome;
        if let Some(message) = &outcome.not_loaded {
            return Some(self.without_libtorch().unwrap_or_else(|| not_loaded(message)));
        }
        let failed = outcome.panicked || outcome.erred;
        if failed && (outcome.reacted || outcome.input_interrupted) {
            return Some(stopped());
        }
        if outcome.panicked {
            return Some(self.panic(outcome.panics.last()));
        }
        outcome.erred.then(|| self.user_error(outcome.user_error.as_ref()))
    }

    /// The error of a cell that came to its end, but in which an interrupt has ended something early.
    pub fn cut_short(&self) -> Option<CellError> {
        let told = self.outcome.user_error.as_ref().filter(|_| self.outcome.reacted)?;
        Some(interrupted(&told.message).of_complete_cell())
    }

    /// The error of a cell that evcxr could not evaluate.
    pub fn of_evcxr(&self, error: &evcxr::Error, sent: &Sent) -> CellError {
        if let Some(error) = self.without_libtorch() {
            return error;
        }
        if self.outcome.interrupted && !self.outcome.started {
            return compilation_cancelled();
        }
        match error {
            evcxr::Error::SubprocessTerminated(status) => self.crash(status),
            evcxr::Error::CompilationErrors(errors) => {
                compile_error::describe(errors, sent, self.python)
            }
            other => {
                let message = other.to_string();
                let first = message.lines().next().unwrap_or_default();
                let mut error = CellError::new("error", first);
                let rest = message.strip_prefix(first).unwrap_or_default().trim_start_matches('\n');
                error.extend((!rest.is_empty()).then(|| Line::shown(rest)));
                error
            }
        }
    }

    /// The error of a cell with a variable that cannot be kept.
    pub fn of_unkept(&self, message: &str, place: Option<Place>, helps: &[String]) -> CellError {
        if self.outcome.interrupted {
            return interrupted("Compilation was cancelled. Nothing ran, all variables are kept.");
        }
        let mut error = CellError::new(COMPILE_ERROR, message);
        error.extend(place.iter().flat_map(Place::render));
        error.extend(helps.iter().map(|help| Line::help(help)));
        error
    }

    fn panic(&self, panic: Option<&Panic>) -> CellError {
        let Some(panic) = panic else {
            // A panic without a message: something unwound on purpose.
            return CellError::new("panic", "the cell was unwound");
        };
        let message = match panic.message.contains(NoInput::Refused.text()) {
            // However it came to that: the announcement of a question could not be printed, or
            // somebody unwrapped an error.
            true => NoInput::Refused.text().to_owned(),
            false => readable(&panic.message, self.full_backtrace),
        };
        let mut error = CellError::new("panic", &message);
        error.extend(self.place.iter().flat_map(Place::render));
        if self.full_backtrace {
            error.extend(panic.backtrace.lines().map(Line::shown));
        }
        error
    }

    fn user_error(&self, error: Option<&UserError>) -> CellError {
        let Some(error) = error else {
            let message = "an error left the cell through `?`; it is printed above";
            return CellError::new("error", message);
        };
        let name = short_type_name(&error.type_name);
        let message = readable(&error.message, self.full_backtrace);
        let mut told = CellError::new(&name, &message);
        told.extend(self.place.iter().flat_map(Place::render));
        told
    }

    /// The error of a cell that failed because libtorch is gone, whatever the compiler made of it.
    fn without_libtorch(&self) -> Option<CellError> {
        if libtorch::is_in(self.libtorch_lib) {
            return None;
        }
        let message = format!("libtorch is not in {} any more", self.libtorch_lib.display());
        let mut error = CellError::new("libtorch", &message);
        error.extend([Line::told("Run `cargo blitz setup`, then restart the kernel.")]);
        Some(error)
    }

    fn crash(&self, status: &str) -> CellError {
        if self.outcome.killed {
            let message = "The cell did not react to the interrupt, so its process was ended.";
            return interrupted(&format!("{message} {LOST}"));
        }
        let cause = crash_cause(status);
        let mut error = CellError::new("crash", &cause);
        error.extend([Line::told(LOST)]);
        error
    }
}

/// The error of a `let` without a name in this line, which evcxr would pass over in silence.
pub fn let_without_pattern(line: usize) -> CellError {
    let message = format!("expected a name after `let` in line {line}");
    CellError::new(COMPILE_ERROR, &message)
}

/// The error of a cell with this execution count whose `code` cannot be read as Rust.
pub fn unreadable(fault: &Fault, cell: usize, code: &str) -> CellError {
    let mut error = CellError::new(COMPILE_ERROR, &fault.message);
    let (place, part) = Place::of_range(cell, code, fault.range.clone());
    error.extend(place.render_part(part));
    error.extend(fault.helps.iter().map(|help| Line::help(help)));
    error
}

/// The error of a `:dep` line that asks for what no kernel of this project can have.
pub fn refused_dependency(line: usize, reason: &str, code: &str) -> CellError {
    let mut error = CellError::new(COMPILE_ERROR, reason);
    let text = code.lines().nth(line - 1).unwrap_or_default();
    error.extend([place_caption("", &format!("line {line}: {}", text.trim()))]);
    error
}

/// The error of a cell that was interrupted while it waited.
pub fn before_it_began() -> CellError {
    interrupted("The cell was interrupted before it began.")
}

/// The error of a cell for which there is no engine.
pub fn no_engine(reason: &str) -> CellError {
    let mut error = CellError::new("kernel", reason);
    error.extend([Line::told("`cargo blitz doctor` says what is missing.")]);
    error
}

/// The error of a cell that was interrupted while it was compiled.
pub fn compilation_cancelled() -> CellError {
    interrupted("Compilation was cancelled. Nothing ran, all variables are kept.")
}

/// An error without a place in the code.
pub fn kernel_error(message: &str) -> CellError {
    CellError::new("kernel", message)
}

fn stopped() -> CellError {
    interrupted("The cell was interrupted. All variables are kept, except those that it defines.")
}

fn interrupted(message: &str) -> CellError {
    CellError::new("interrupted", message)
}

fn not_loaded(message: &str) -> CellError {
    let text = format!("the compiled cell cannot be loaded: {message}");
    let mut error = CellError::new(LOAD_ERROR, &text);
    let help = "`cargo blitz doctor` says what is missing, `cargo blitz setup` repairs it.";
    error.extend([Line::told(help)]);
    error
}

/// How a process ended, from evcxr's "Subprocess terminated with status: …".
fn crash_cause(status: &str) -> String {
    let signal = |number: u8| status.contains(&format!("signal: {number}"));
    let cause = if signal(11) {
        "segmentation fault (SIGSEGV)"
    } else if signal(6) {
        "the process aborted (SIGABRT)"
    } else if signal(9) {
        "the process was killed (SIGKILL), most likely because memory ran out"
    } else if let Some((_, code)) = status.split_once("exit status: ") {
        return format!("the cell ended its process with exit code {}", code.trim());
    } else {
        status.lines().last().unwrap_or("the process ended")
    };
    cause.to_owned()
}

/// A message without what only says how libtorch is built.
fn readable(message: &str, full: bool) -> String {
    if full {
        return message.to_owned();
    }
    // Not translated: libtorch's words. Inside `{:?}` line breaks are escaped.
    let frames = ["\nException raised from", "\\nException raised from", "\nframe #", "\\nframe #"];
    let Some(cut) = frames.iter().filter_map(|start| message.find(start)).min() else {
        return message.to_owned();
    };
    let message = &message[..cut];
    // tch's functions unwrap the `Result` of their fallible twins.
    let message = match message.split_once("value: Torch(\"") {
        Some((_, inner)) => inner,
        None => message,
    };
    message.replace("\\n", "\n").replace("\\\"", "\"").trim().to_owned()
}

/// `std::num::error::ParseIntError` is `ParseIntError`, `Box<dyn core::error::Error>` is
/// `Box<dyn Error>`.
fn short_type_name(name: &str) -> String {
    let mut short = String::new();
    let mut word = String::new();
    for character in name.chars() {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
        } else if character == ':' {
            word.clear();
        } else {
            short.push_str(&std::mem::take(&mut word));
            short.push(character);
        }
    }
    short + &word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_libtorch_error_is_its_first_sentences() {
        let message = "called `Result::unwrap()` on an `Err` value: Torch(\"mat1 and mat2 shapes \
                       cannot be multiplied (2x3 and 2x3)\\nException raised from meta at \
                       x.cpp:1\\nframe #0: c10::Error\")";
        let expected = "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)";
        assert_eq!(readable(message, false), expected);
        assert_eq!(readable(message, true), message);
        assert_eq!(readable(&format!("{expected}\nException raised from x"), false), expected);
        assert_eq!(readable("index out of bounds", false), "index out of bounds");
    }

    #[test]
    fn type_names_are_short() {
        assert_eq!(short_type_name("core::num::error::ParseIntError"), "ParseIntError");
        assert_eq!(short_type_name("&str"), "&str");
        assert_eq!(short_type_name("alloc::boxed::Box<dyn core::error::Error>"), "Box<dyn Error>");
    }

    #[test]
    fn a_crash_has_a_cause() {
        let cause =
            |status: &str| crash_cause(&format!("Subprocess terminated with status: {status}"));
        assert_eq!(cause("signal: 11 (SIGSEGV) (core dumped)"), "segmentation fault (SIGSEGV)");
        assert_eq!(cause("signal: 6 (SIGABRT)"), "the process aborted (SIGABRT)");
        assert_eq!(cause("exit status: 3"), "the cell ended its process with exit code 3");
    }
}
