//! Rust closures that C++ owns and calls: errors and panics become messages, which libtorch
//! carries to whoever started the backward pass.

use std::ffi::{CString, c_char, c_void};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tch::Tensor;
use torch_sys::C_tensor;

use crate::error::{Error, Result, torch_text};

/// Moves `closure` to the heap, behind one thin pointer, for C++ to own.
pub(super) fn into_data<C>(closure: C) -> *mut c_void {
    Box::into_raw(Box::new(closure)).cast()
}

/// What C++ calls when it is done with a closure of type `C`.
///
/// # Safety
///
/// `data` is from [`into_data`] with the same `C`, and is not used afterwards.
pub(super) unsafe extern "C" fn drop_data<C>(data: *mut c_void) {
    // A panic in the destructor of what a closure has captured has nowhere to go.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(data.cast::<C>()) });
    }));
}

/// Runs `body`; null, or a message made with malloc which says that `place` failed and why.
/// [`Error::refused`] knows that form again.
pub(super) fn answer(place: &str, body: impl FnOnce() -> Result<()>) -> *mut c_char {
    let reason = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return std::ptr::null_mut(),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => {
            format!("it panicked: {}", torch_text::of_panic(&*panic).unwrap_or("no message"))
        }
    };
    let error = Error::Backward { place: place.to_owned(), message: reason };
    let text = CString::new(error.to_string().replace('\0', " ")).unwrap_or_default();
    // SAFETY: strdup copies a terminated string.
    unsafe { libc::strdup(text.as_ptr()) }
}

/// A tensor that C++ lends for the time of a call.
pub(super) struct Lent(ManuallyDrop<Tensor>);

impl Lent {
    /// # Safety
    ///
    /// `tensor` points at a `torch::Tensor` that outlives the result.
    pub(super) unsafe fn new(tensor: *mut C_tensor) -> Lent {
        // SAFETY: the caller's promise; ManuallyDrop leaves the tensor to its owner.
        Lent(ManuallyDrop::new(unsafe { Tensor::from_ptr(tensor) }))
    }
}

impl Deref for Lent {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        &self.0
    }
}

/// Gives a tensor to C++, which frees it.
pub(super) fn give(tensor: Tensor) -> *mut C_tensor {
    ManuallyDrop::new(tensor).as_mut_ptr()
}
