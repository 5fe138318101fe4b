//! Which operations libtorch runs during a call.

use std::ffi::{CStr, c_char, c_void};

use tch::{Device, Kind};

use crate::error::Result;
use crate::error::caught_panic;
use crate::ffi;

/// An operation that no other operation called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::nn) struct Operation {
    /// Without the `aten::` before it.
    pub name: String,
    /// Identities of the tensors that went in, each with that of its memory.
    pub inputs: Vec<[usize; 2]>,
    /// Sides of the window of a convolution or a pooling, else none.
    pub window: Vec<i64>,
    /// Kind and device of the last input of floating point, which in a layer is a parameter; `None`
    /// for those that a net for pictures cannot have.
    pub placement: Option<(Kind, Device)>,
    /// Shape of the first tensor that came out, and its memory.
    pub output: Option<(Vec<i64>, usize)>,
}

/// What happened during a call.
pub(in crate::nn) struct Recording {
    pub operations: Vec<Operation>,
    /// The message, where the call panicked.
    pub panic: Option<String>,
}

/// As in C++.
#[repr(C)]
struct RawOperation {
    name: *const c_char,
    inputs: *const [usize; 2],
    input_count: usize,
    window: *const i64,
    window_rank: usize,
    scalar_type: i8,
    device_type: i8,
    device_index: i8,
    shape: *const i64,
    rank: usize,
    storage: usize,
    has_output: bool,
}

unsafe extern "C" {
    fn blitz_nn_record(
        body: extern "C" fn(*mut c_void),
        sink: extern "C" fn(*mut c_void, *const RawOperation),
        context: *mut c_void,
    ) -> *mut c_char;
}

struct Context<F> {
    body: Option<F>,
    recording: Recording,
}

/// Calls `body`, which may panic, and lists the operations that ran on this thread meanwhile.
pub(in crate::nn) fn record<F: FnOnce()>(body: F) -> Result<Recording> {
    let recording = Recording { operations: Vec::new(), panic: None };
    let mut context = Context { body: Some(body), recording };
    let pointer = (&raw mut context).cast();
    // SAFETY: C++ calls the two functions with `pointer` until it returns, never both at once, and
    // `context` is of the type that they expect.
    let message = unsafe { blitz_nn_record(run::<F>, push::<F>, pointer) };
    ffi::check("recording the operations", message)?;
    Ok(context.recording)
}

extern "C" fn run<F: FnOnce()>(context: *mut c_void) {
    // SAFETY: see `record`.
    let context = unsafe { &mut *context.cast::<Context<F>>() };
    if let Some(body) = context.body.take() {
        context.recording.panic = caught_panic::caught(body).err();
    }
}

/// A panic here would end the process, but there is none: nothing is allocated beyond measure.
extern "C" fn push<F>(context: *mut c_void, operation: *const RawOperation) {
    // SAFETY: see `record`; the operation and what it points to live until this returns.
    let (context, operation) = unsafe { (&mut *context.cast::<Context<F>>(), &*operation) };
    let &RawOperation { name, input_count, window_rank, rank, storage, .. } = operation;
    // SAFETY: as above, and C++ gives a terminated name.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    // SAFETY: as above, and the counts are those of C++'s vectors.
    let (inputs, window, shape) = unsafe {
        (
            slice(operation.inputs, input_count).to_vec(),
            slice(operation.window, window_rank).to_vec(),
            slice(operation.shape, rank).to_vec(),
        )
    };
    context.recording.operations.push(Operation {
        name: name.strip_prefix("aten::").unwrap_or(&name).to_owned(),
        inputs,
        window,
        placement: placement(operation),
        output: operation.has_output.then_some((shape, storage)),
    });
}

/// By the numbers of c10's `ScalarType` and `DeviceType`.
fn placement(operation: &RawOperation) -> Option<(Kind, Device)> {
    let kind = match operation.scalar_type {
        5 => Kind::Half,
        6 => Kind::Float,
        7 => Kind::Double,
        15 => Kind::BFloat16,
        _ => return None,
    };
    let device = match operation.device_type {
        0 => Device::Cpu,
        1 => Device::Cuda(usize::try_from(operation.device_index).ok()?),
        _ => return None,
    };
    Some((kind, device))
}

/// C++'s `data()` of an empty vector may be null, which a slice may not.
///
/// # Safety
///
/// `data` points to `len` values that live for `'a`, or `len` is 0.
unsafe fn slice<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data, len) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor};

    #[test]
    fn operations_inside_operations_are_left_out() {
        let x = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));
        let recording = record(|| drop(x.linear(&x, None::<&Tensor>).relu())).unwrap();
        let names: Vec<&str> = recording.operations.iter().map(|op| op.name.as_str()).collect();
        assert_eq!(names, ["linear", "relu"]);
        assert_eq!(recording.operations[0].inputs.len(), 2);
        assert_eq!(recording.operations[1].output.as_ref().unwrap().0, [2, 2]);
        assert_eq!(recording.operations[0].placement, Some((Kind::Float, Device::Cpu)));
        assert!(recording.operations[0].window.is_empty());
        assert!(recording.panic.is_none());
    }

    #[test]
    fn a_recording_inside_a_recording_keeps_both() {
        let x = Tensor::ones([2], (Kind::Float, Device::Cpu));
        let mut inner = None;
        let outer = record(|| {
            let _ = x.relu();
            inner = Some(record(|| drop(x.exp())).unwrap());
            let _ = x.tanh();
        });
        let names = |recording: &Recording| -> Vec<String> {
            recording.operations.iter().map(|op| op.name.clone()).collect()
        };
        assert_eq!(names(&inner.unwrap()), ["exp"]);
        let outer = names(&outer.unwrap());
        assert_eq!((outer[0].as_str(), outer.last().unwrap().as_str()), ("relu", "tanh"));
    }

    #[test]
    fn a_panic_becomes_its_message() {
        let x = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));
        let recording = record(|| drop(x.relu().matmul(&x))).unwrap();
        let last = recording.operations.last().unwrap();
        assert_eq!((last.name.as_str(), last.output.as_ref()), ("matmul", None));
        let panic = recording.panic.unwrap();
        assert!(panic.starts_with("mat1 and mat2 shapes cannot be multiplied"), "{panic}");
        assert!(!panic.contains("frame") && !panic.contains("\\n"), "{panic}");
        assert_eq!(record(|| panic!("a {}", "b")).unwrap().panic.unwrap(), "a b");
    }
}
