//! What libtorch keeps for each thread, taken along to another one.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::{self, NonNull};

use tch::Device;

use crate::error::Result;
use crate::ffi;

unsafe extern "C" {
    fn blitz_thread_grad_enabled(enabled: *mut bool) -> *mut c_char;
    fn blitz_thread_state_of_caller(gpu: c_int, state: *mut *mut c_void) -> *mut c_char;
    fn blitz_thread_state_enter(state: *const c_void) -> *mut c_char;
    fn blitz_thread_state_free(state: *mut c_void);
}

/// Whether operations of this thread are recorded for the backward pass: `torch.is_grad_enabled()`.
pub(super) fn is_grad_enabled() -> bool {
    let mut enabled = false;
    // SAFETY: `enabled` is ours to write.
    let message = unsafe { blitz_thread_grad_enabled(&mut enabled) };
    ffi::check("asking for the gradient mode", message).expect("reading a flag cannot fail");
    enabled
}

/// Gradient mode, inference mode, autocast and observers of a thread, and its stream on a GPU.
#[derive(Debug)]
pub(super) struct ThreadState(NonNull<c_void>);

// SAFETY: the C++ object is bound to no thread, and made to be read by another.
unsafe impl Send for ThreadState {}

impl ThreadState {
    /// The state of the calling thread, for work on `device`.
    pub fn of_caller(device: Device) -> Result<ThreadState> {
        let gpu = match device {
            Device::Cuda(index) => c_int::try_from(index).unwrap_or(c_int::MAX),
            _ => -1,
        };
        let mut state = ptr::null_mut();
        // SAFETY: `state` is ours to write.
        let message = unsafe { blitz_thread_state_of_caller(gpu, &mut state) };
        ffi::check("reading a thread's state", message)?;
        Ok(ThreadState(NonNull::new(state).expect("C++ made an object or returned a message")))
    }

    /// Makes it the state of the calling thread, for the rest of that thread's life.
    pub fn enter(&self) -> Result<()> {
        // SAFETY: the object lives as long as this.
        ffi::check("setting a thread's state", unsafe { blitz_thread_state_enter(self.0.as_ptr()) })
    }
}

impl Drop for ThreadState {
    fn drop(&mut self) {
        // SAFETY: C++ made the object, and nobody else owns it.
        unsafe { blitz_thread_state_free(self.0.as_ptr()) }
    }
}
