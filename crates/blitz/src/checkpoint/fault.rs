//! Why a file cannot be read, and what helps.

use std::path::Path;

use super::contents::Described;
use crate::error::Error;

/// Why a file cannot be read.
pub(super) struct Fault {
    reason: String,
    /// Empty where nothing is known.
    remedy: String,
}

impl From<String> for Fault {
    fn from(reason: String) -> Fault {
        Fault { reason, remedy: String::new() }
    }
}

impl From<Described> for Fault {
    fn from(Described { what, remedy }: Described) -> Fault {
        Fault { reason: format!("it is {what}"), remedy }
    }
}

/// A tensor that is none that can be read.
pub(super) fn unreadable(name: &str, described: &Described) -> Fault {
    let Described { what, remedy } = described;
    Fault { reason: format!("parameter {name} is {what}"), remedy: remedy.clone() }
}

/// A file that holds nothing that could be loaded.
pub(super) fn holds(whole: &Described) -> Fault {
    let Described { what, remedy } = whole;
    let remedy = match remedy.as_str() {
        "" => "save a dictionary of tensors in Python: torch.save(net.state_dict(), path)",
        remedy => remedy,
    };
    Fault { reason: format!("it holds {what}"), remedy: remedy.to_owned() }
}

/// For `map_err`.
pub(super) fn damaged(path: &Path) -> impl Fn(Fault) -> Error {
    move |Fault { reason, remedy }| {
        let remedy = match remedy.as_str() {
            "" => "save it again, or take an older one".to_owned(),
            _ => remedy,
        };
        Error::DamagedCheckpoint { path: path.to_owned(), reason, remedy }
    }
}
