//! What has become of the names that cells would have defined.

use crate::failure::cell_error::CellError;
use crate::failure::defined::Defined;
use crate::failure::outdated::{InUse, Newer, Outdated};
use crate::failure::undefined::Undefined;

/// The names that failed cells would have defined: those that nothing has, and those that only an
/// older cell has.
#[derive(Default)]
pub struct Names {
    undefined: Undefined,
    outdated: Outdated,
}

/// A cell that has come to its end.
pub struct Ended<'a> {
    /// Its code.
    pub code: &'a str,
    /// What it defines, or would have.
    pub defined: &'a Defined,
    /// Its execution count.
    pub cell: usize,
    /// What the client calls it, where it says so.
    pub id: Option<&'a str>,
}

impl Names {
    /// What the person has to know before `code` runs, which defines what is in `defined`.
    pub fn before(&self, code: &str, defined: &Defined, in_use: &InUse) -> String {
        self.outdated.notes(code, defined, in_use).concat()
    }

    /// A cell has ended, with this error where it failed, to which notes are added. There is now what
    /// is in `in_use`.
    pub fn after(&mut self, ended: &Ended, error: Option<&mut CellError>, in_use: &InUse) {
        let Ended { code, defined, cell, id } = *ended;
        match error.is_some() && in_use.variables.is_empty() {
            true => self.undefined.lost(),
            false => self.undefined.ended(code, cell, &in_use.variables),
        }
        let Some(error) = error.filter(|error| !error.is_complete) else {
            self.undefined.succeeded(defined);
            self.outdated.succeeded(defined, cell, id);
            return;
        };
        self.undefined.failed(defined, cell, error, &in_use.variables);
        self.outdated.failed(defined, &Newer::new(cell, id, &error.name), in_use.store);
    }
}
