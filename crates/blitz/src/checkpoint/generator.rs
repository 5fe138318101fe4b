//! The state of libtorch's global random generators, which dropout and `Tensor::rand` draw from.

use std::ffi::{c_char, c_int};

use tch::{Device, Tensor};
use torch_sys::C_tensor;

use crate::error::Result;
use crate::ffi;

unsafe extern "C" {
    fn blitz_checkpoint_generator_state(gpu: c_int, state: *mut *mut C_tensor) -> *mut c_char;
    fn blitz_checkpoint_set_generator_state(gpu: c_int, state: *mut C_tensor) -> *mut c_char;
}

/// The names of the CPU's generator, and of the GPU's where `device` is one.
fn generators(device: Device) -> Vec<(String, c_int)> {
    let mut generators = vec![("random.cpu".to_owned(), -1)];
    if let Device::Cuda(index) = device {
        // The run may go on on another GPU of the same kind.
        generators.push(("random.cuda".to_owned(), index as c_int));
    }
    generators
}

/// The generators' states, u8 tensors, by name.
pub(crate) fn states(device: Device) -> Result<Vec<(String, Tensor)>> {
    let mut states = Vec::new();
    for (name, gpu) in generators(device) {
        let mut state = std::ptr::null_mut();
        // SAFETY: `state` is ours to write.
        let message = unsafe { blitz_checkpoint_generator_state(gpu, &mut state) };
        ffi::check("reading the random generator", message)?;
        // SAFETY: C++ made the tensor and gives it away.
        let state = unsafe { ffi::take(state) };
        states.push((name, state.expect("C++ makes a tensor or gives a message")));
    }
    Ok(states)
}

/// Continues from what [`states`] gave; a generator that is not among them stays as it is.
pub(crate) fn restore(device: Device, states: &[(String, Tensor)]) -> Result<()> {
    for (name, gpu) in generators(device) {
        let Some((_, state)) = states.iter().find(|(known, _)| *known == name) else { continue };
        // SAFETY: the tensor lives until the call returns; C++ checks its size.
        let message = unsafe { blitz_checkpoint_set_generator_state(gpu, ffi::lend(state)) };
        ffi::check("setting the random generator", message)?;
    }
    Ok(())
}
