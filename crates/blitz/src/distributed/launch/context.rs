//! What the kernel says that is needed to start processes, and where a function is.

use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use blitz_contract::{Layout, symbols};

use crate::error::{Error, Result};

/// What the kernel says.
pub(super) struct Context {
    pub(super) layout: Layout,
    /// The libraries with the notebook's statics, in order.
    pub(super) statics: Vec<PathBuf>,
}

/// Code in a library: where other processes find it, too.
pub(super) struct Place {
    pub(super) library: PathBuf,
    /// From the library's start, in bytes.
    pub(super) offset: usize,
}

impl Context {
    /// Asks the kernel whose cell this is.
    ///
    /// # Errors
    ///
    /// [`Error::Launch`] where this is no cell of the Rust Blitz kernel.
    pub(super) fn find() -> Result<Context> {
        type Question = unsafe extern "C" fn() -> *const c_char;
        let process = libloading::os::unix::Library::this();
        // SAFETY: the name is the kernel's own, and it declares the function like this.
        let question = unsafe { process.get::<Question>(symbols::LAUNCH_CONTEXT.as_bytes()) };
        let Ok(question) = question else {
            return Err(Error::Launch {
                reason: "this is no cell of the Rust Blitz kernel".to_owned(),
                remedy: "Start a program several times by `cargo blitz launch`, or by \
                         `torchrun --no-python PROGRAM`, and let it call `distributed::init`"
                    .to_owned(),
            });
        };
        // SAFETY: the function has no preconditions; its text stays until it is called again.
        let text = unsafe {
            let text = question();
            (!text.is_null()).then(|| CStr::from_ptr(text).to_bytes().to_vec())
        };
        let text = text.ok_or_else(|| Error::Launch {
            reason: "this function itself runs in a process that `launch` has started".to_owned(),
            remedy: "Call `launch` from a cell only, with as many processes as are needed"
                .to_owned(),
        })?;
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let path = |line: &[u8]| PathBuf::from(OsStr::from_bytes(line));
        let root = lines.next().map(path).unwrap_or_default();
        Ok(Context { layout: Layout::new(root), statics: lines.map(path).collect() })
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
            let offset = (address as usize).checked_sub(info.dli_fbase as usize)?;
            Some(Place { library: library.to_owned(), offset })
        }
    }
}
