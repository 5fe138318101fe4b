//! What is needed to start processes, from the kernel or of the program, and where a function is.

use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use blitz_contract::symbols;

use super::own_program::{self, Role};
use crate::error::{Error, Result};

/// Who launches.
pub(super) enum Context {
    /// A cell of the kernel whose repository is at `root`, with the libraries of the notebook's statics,
    /// in order.
    Cell {
        /// The repository.
        root: PathBuf,
        /// The libraries.
        statics: Vec<PathBuf>,
    },
    /// A program that has [begun](crate::program::begin).
    Program,
}

/// Code in a library: where other processes find it, too.
pub(super) struct Place {
    pub(super) library: PathBuf,
    /// Where the library is in memory.
    pub(super) start: usize,
    /// From the library's start, in bytes.
    pub(super) offset: usize,
}

impl Context {
    /// Asks the kernel whose cell this is, or the program.
    ///
    /// # Errors
    ///
    /// [`Error::Launch`] where this is no cell of the Rust Blitz kernel, and no program that has begun
    /// as one that may be started again.
    pub(super) fn find() -> Result<Context> {
        match own_program::role() {
            Some(Role::Program) => Ok(Context::Program),
            Some(Role::Worker) => Err(launched_already()),
            None => Context::of_cell(),
        }
    }

    fn of_cell() -> Result<Context> {
        type Question = unsafe extern "C" fn() -> *const c_char;
        let process = libloading::os::unix::Library::this();
        // SAFETY: the name is the kernel's own, and it declares the function like this.
        let question = unsafe { process.get::<Question>(symbols::LAUNCH_CONTEXT.as_bytes()) };
        let Ok(question) = question else {
            return Err(Error::Launch {
                reason: "this is no cell of the Rust Blitz kernel".to_owned(),
                remedy: "In a program, call `blitz::program::begin` first in `main`; or start it \
                         several times by `cargo blitz launch`, or by `torchrun --no-python \
                         PROGRAM`, and let it call `distributed::init`"
                    .to_owned(),
            });
        };
        // SAFETY: the function has no preconditions; its text stays until it is called again.
        let text = unsafe {
            let text = question();
            (!text.is_null()).then(|| CStr::from_ptr(text).to_bytes().to_vec())
        };
        let text = text.ok_or_else(launched_already)?;
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let path = |line: &[u8]| PathBuf::from(OsStr::from_bytes(line));
        let root = lines.next().map(path).unwrap_or_default();
        Ok(Context::Cell { root, statics: lines.map(path).collect() })
    }
}

fn launched_already() -> Error {
    Error::Launch {
        reason: "this function itself runs in a process that `launch` has started".to_owned(),
        remedy:
            "Call `launch` from a cell or from `main` only, with as many processes as are needed"
                .to_owned(),
    }
}

impl Place {
    /// Where the function at `address` is.
    pub(super) fn of(address: *const ()) -> Option<Place> {
        // SAFETY: `dladdr` only reads the address's number and fills `info`; the name that it gives
        // stays as long as the library.
        unsafe {
            let mut info: libc::Dl_info = std::mem::zeroed();
            if libc::dladdr(address.cast(), &raw mut info) == 0 || info.dli_fname.is_null() {
                return None;
            }
            let library = Path::new(OsStr::from_bytes(CStr::from_ptr(info.dli_fname).to_bytes()));
            let start = info.dli_fbase.expose_provenance();
            let offset = address.addr().checked_sub(start)?;
            Some(Place { library: library.to_owned(), start, offset })
        }
    }
}
