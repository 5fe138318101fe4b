//! What the forward of a function has kept for its backward.

use std::ffi::{c_char, c_void};
use std::ptr;

use tch::Tensor;
use torch_sys::C_tensor;

use crate::error::{Error, Result};
use crate::ffi;

/// The tensors kept in a node, while its backward runs.
pub(super) struct SavedTensors(*mut c_void);

impl SavedTensors {
    /// Those of the node that is calling `run`.
    pub(super) fn of(node: *mut c_void) -> SavedTensors {
        SavedTensors(node)
    }

    pub(super) fn unpack<const N: usize>(&self) -> Result<[Tensor; N]> {
        let mut found = 0;
        let mut results = [ptr::null_mut(); N];
        // SAFETY: `run` made this from the node that is calling it, which lives as long as the
        // call and so as the context; `results` has room for N pointers.
        let message = unsafe { blitz_function_saved(self.0, N, &mut found, results.as_mut_ptr()) };
        ffi::check("saved_tensors", message)?;
        if found != N {
            return Err(Error::Shape {
                operation: "saved_tensors",
                expected: format!("{N} tensors kept by save_for_backward"),
                got: found.to_string(),
            });
        }
        // SAFETY: C++ has written N new tensors and given them up.
        Ok(results.map(|tensor| unsafe { Tensor::from_ptr(tensor) }))
    }
}

unsafe extern "C" {
    fn blitz_function_saved(
        node: *mut c_void,
        expected: usize,
        found: *mut usize,
        results: *mut *mut C_tensor,
    ) -> *mut c_char;
}
