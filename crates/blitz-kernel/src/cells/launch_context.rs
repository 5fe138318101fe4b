//! What a cell that starts workers passes on to them: where the project lies, and the libraries of
//! the notebook's statics, which its functions refer to.

use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

// The runtime asks for it without arguments of ours.
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static TEXT: Mutex<Option<CString>> = Mutex::new(None);

/// Adds a line.
pub fn add(path: &Path) {
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.extend_from_slice(path.as_os_str().as_bytes());
    lines.push(b'\n');
}

/// The lines, until this is called again.
pub extern "C" fn text() -> *const c_char {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut text = TEXT.lock().unwrap_or_else(PoisonError::into_inner);
    // Paths have no zeros.
    text.insert(CString::new(lines).unwrap_or_default()).as_ptr()
}
