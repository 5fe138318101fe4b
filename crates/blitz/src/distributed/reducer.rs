//! c10d's `Reducer`, which averages gradients while the backward pass is still running
//! (`cpp/distributed/reducer.cpp`).

use std::ffi::{CString, c_char};
use std::ptr::{NonNull, null_mut};

use tch::Tensor;
use torch_sys::C_tensor;

use super::engine::{Engine, Opaque};
use crate::error::{Error, Result};
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
    pub(super) fn before_forward(&self, averages: bool) -> Result<bool, Refusal> {
        let (reducer, mut is_learning) = (self.reducer.as_ptr(), false);
        // SAFETY: the reducer lives as long as this, and `is_learning` is ours to write.
        let message = unsafe {
            blitz_distributed_reducer_before_forward(reducer, averages, &mut is_learning)
        };
        if message.is_null() {
            return Ok(is_learning);
        }
        // SAFETY: cpp/blitz.h gives a text made with malloc, which is ours.
        Err(Refusal::of(&unsafe { ffi::take_text(message) }))
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

/// Why a forward pass cannot begin.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Parameters got no gradient in the step before: their positions, as far as c10d names them.
    NoGradient(Vec<usize>),
    Other(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Other(error)
    }
}

impl Refusal {
    /// What c10d says, in many sentences, of which the last ones name the parameters:
    /// `Parameter indices which did not receive grad for rank 0: 2 3`.
    fn of(text: &str) -> Refusal {
        if !text.starts_with("Expected to have finished reduction in the prior iteration") {
            return Refusal::Other(Error::refused("DistributedDataParallel's forward", text));
        }
        let named = text.split_once("Parameter indices which did not receive grad for rank ");
        let numbers = named.and_then(|(_, rest)| rest.split_once(':')).map_or("", |(_, list)| list);
        let numbers = numbers.split_whitespace().map_while(|number| number.parse().ok());
        Refusal::NoGradient(numbers.collect())
    }
}

impl Drop for Reducer {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { blitz_distributed_reducer_free(self.reducer.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_without_a_gradient_are_read_from_c10ds_words() {
        let text = "Expected to have finished reduction in the prior iteration before starting a \
                    new one. This error indicates more.\nParameter indices which did not receive \
                    grad for rank 1: 2 13\n In addition, you can set 5 variables.";
        assert!(matches!(Refusal::of(text), Refusal::NoGradient(found) if found == [2, 13]));
        let text = "Expected to have finished reduction in the prior iteration.";
        assert!(matches!(Refusal::of(text), Refusal::NoGradient(found) if found.is_empty()));
        assert!(matches!(Refusal::of("Connection closed"), Refusal::Other(_)));
    }
}
