//! c10d's `Reducer`, which averages gradients while the backward pass is still running
//! (`cpp/distributed/reducer.cpp`).

use std::ffi::{CString, c_char};
use std::ptr::{NonNull, null_mut};

use tch::Tensor;
use torch_sys::C_tensor;

use super::engine::{Engine, Opaque};
use crate::error::Result;
use crate::ffi;

#[repr(C)]
struct OpaqueReducer {
    _private: [u8; 0],
}

/// As in C++.
#[repr(C)]
pub(super) struct ReducerOptions {
    pub(super) bucket_bytes: i64,
    pub(super) first_bucket_bytes: i64,
    pub(super) finds_unused: bool,
    pub(super) gradients_are_views: bool,
}

#[rustfmt::skip] // a line a function
unsafe extern "C" {
    fn blitz_distributed_reducer_new(group: *mut Opaque, parameters: *const *mut C_tensor, names: *const *const c_char, count: usize, options: *const ReducerOptions, made: *mut *mut OpaqueReducer) -> *mut c_char;
    fn blitz_distributed_reducer_free(reducer: *mut OpaqueReducer);
    fn blitz_distributed_reducer_before_forward(reducer: *mut OpaqueReducer, averages: bool, is_learning: *mut bool) -> *mut c_char;
    fn blitz_distributed_reducer_before_backward(reducer: *mut OpaqueReducer, output: *mut C_tensor, finds_unused: bool) -> *mut c_char;
}

/// Hooks on the parameters' gradients, for as long as it lives.
#[derive(Debug)]
pub(super) struct Reducer {
    reducer: NonNull<OpaqueReducer>,
    finds_unused: bool,
}

// SAFETY: the Reducer locks its state, and is bound to no thread.
unsafe impl Send for Reducer {}

impl Reducer {
    /// A reducer for `parameters`, which require gradients and come in the same order on all ranks.
    pub(super) fn new(
        engine: &Engine,
        parameters: &[(String, Tensor)],
        options: &ReducerOptions,
    ) -> Result<Reducer> {
        let lent: Vec<*mut C_tensor> =
            parameters.iter().map(|(_, tensor)| ffi::lend(tensor)).collect();
        let names: Vec<CString> =
            parameters.iter().map(|(name, _)| CString::new(&**name).unwrap_or_default()).collect();
        let names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let mut reducer = null_mut();
        // SAFETY: all lists have as many elements, and live until the call returns; C++ keeps
        // handles of the tensors and of the group.
        let message = unsafe {
            blitz_distributed_reducer_new(
                engine.as_ptr(),
                lent.as_ptr(),
                names.as_ptr(),
                lent.len(),
                options,
                &mut reducer,
            )
        };
        ffi::check("DistributedDataParallel", message)?;
        let reducer = NonNull::new(reducer).expect("C++ makes a reducer or gives a message");
        Ok(Reducer { reducer, finds_unused: options.finds_unused })
    }

    /// Before a forward pass, whose backward pass is to average or not. Returns whether there can be
    /// one: not within `no_grad`.
    pub(super) fn before_forward(&self, averages: bool) -> Result<bool> {
        let (reducer, mut is_learning) = (self.reducer.as_ptr(), false);
        // SAFETY: the reducer lives as long as this, and `is_learning` is ours to write.
        let message = unsafe {
            blitz_distributed_reducer_before_forward(reducer, averages, &mut is_learning)
        };
        ffi::check("DistributedDataParallel's forward", message)?;
        Ok(is_learning)
    }

    /// After the forward pass that gave `output`.
    pub(super) fn before_backward(&self, output: &Tensor) -> Result<()> {
        // SAFETY: the reducer and the tensor live until the call returns.
        let message = unsafe {
            blitz_distributed_reducer_before_backward(
                self.reducer.as_ptr(),
                ffi::lend(output),
                self.finds_unused,
            )
        };
        ffi::check("DistributedDataParallel's forward", message)
    }
}

impl Drop for Reducer {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { blitz_distributed_reducer_free(self.reducer.as_ptr()) };
    }
}
