//! What all modules with a C++ part (`cpp/`) need to call it.

pub(crate) mod malloc;

use std::ffi::{CStr, c_char};

use tch::Tensor;
use torch_sys::C_tensor;

use crate::error::{Error, Result};

/// A message from C++ as a `Result`; null is success. Takes the message's memory.
pub(crate) fn check(operation: &'static str, message: *mut c_char) -> Result<()> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: cpp/blitz.h returns null or a terminated string made with malloc, which is ours.
    Err(Error::refused(operation, &unsafe { take_text(message) }))
}

/// Takes over a text that C++ made.
///
/// # Safety
///
/// `text` is a terminated string made with malloc that nobody else owns.
pub(crate) unsafe fn take_text(text: *mut c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe {
        let copy = CStr::from_ptr(text).to_string_lossy().into_owned();
        libc::free(text.cast());
        copy
    }
}

/// Lends a tensor to C++, which only reads the handle.
pub(crate) fn lend(tensor: &Tensor) -> *mut C_tensor {
    tensor.as_ptr().cast_mut()
}

/// Takes over a tensor that C++ made; `None` where it made none.
///
/// # Safety
///
/// `tensor` is null, or a heap-allocated `torch::Tensor` that nobody else owns.
pub(crate) unsafe fn take(tensor: *mut C_tensor) -> Option<Tensor> {
    // SAFETY: the caller's promise.
    (!tensor.is_null()).then(|| unsafe { Tensor::from_ptr(tensor) })
}
