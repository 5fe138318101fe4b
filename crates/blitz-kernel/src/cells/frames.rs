//! The way to a panic, as places in the libraries that cells were compiled to.
//!
//! The standard library finds source lines too, but it looks for loaded libraries once in a
//! process, and each cell brings another.

use serde::{Deserialize, Serialize};
use std::ffi::CStr;
use std::path::PathBuf;

/// A call within a cell's library.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// The library's file.
    pub library: PathBuf,
    /// Where in it the call returns to.
    pub offset: u64,
}

/// The calls that are under way in this thread and lie in a library of a cell, innermost first.
pub fn current() -> Vec<Frame> {
    let mut frames = Vec::new();
    backtrace::trace(|frame| {
        frames.extend(locate(frame.ip()).filter(Frame::is_in_cell));
        true
    });
    frames
}

impl Frame {
    /// The source file and line of the call, from the library's debug information.
    pub fn source(&self) -> Option<(String, usize)> {
        let loader = addr2line::Loader::new(&self.library).ok()?;
        // The call itself stands before the place that it returns to.
        let location = loader.find_location(self.offset.checked_sub(1)?).ok()??;
        Some((location.file?.to_owned(), location.line?.try_into().ok()?))
    }

    /// evcxr calls a cell's library `libcode_N.so`.
    fn is_in_cell(&self) -> bool {
        let name = self.library.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.contains("code_"))
    }
}

fn locate(address: *mut std::ffi::c_void) -> Option<Frame> {
    // SAFETY: `dladdr` only reads the address's number and fills `info`; the name it gives stays
    // as long as the library, which is never unloaded.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(address, &mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        let library = CStr::from_ptr(info.dli_fname).to_str().ok()?.into();
        let offset = (address as u64).checked_sub(info.dli_fbase as u64)?;
        Some(Frame { library, offset })
    }
}
