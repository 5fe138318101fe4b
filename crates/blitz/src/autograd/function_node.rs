//! The graph's node of a function written in Rust.

use std::ffi::{CString, c_char, c_void};
use std::ptr::{self, NonNull};
use std::slice;

use tch::{Device, Kind, Tensor};
use torch_sys::C_tensor;

use super::backward::List;
use super::callback::{Lent, answer, drop_data, give, into_data};
use super::context::Context;
use super::describe::{describe, is_real};
use super::node::{Shared, blitz_node_free};
use super::saved_tensors::SavedTensors;
use crate::error::{Error, Result};
use crate::ffi;

/// From the gradients of the outputs, those of the inputs.
pub(super) type Backward = Box<dyn Fn(&Context, Vec<Tensor>) -> Result<Vec<Option<Tensor>>> + Send>;

/// The node while the forward runs; `None` where no gradient is wanted.
pub(super) struct FunctionNode(Option<NonNull<Shared>>);

/// What the node owns on behalf of Rust.
struct Call {
    name: String,
    inputs: Vec<Spec>,
    backward: Backward,
}

/// What an input's gradient must fit.
struct Spec {
    shape: Vec<i64>,
    kind: Kind,
    device: Device,
}

impl FunctionNode {
    /// To be called before the forward, which may change the inputs in place.
    pub(super) fn begin(name: &str, inputs: &[&Tensor]) -> Result<FunctionNode> {
        let name = CString::new(name).expect("names of types have no zero byte");
        let inputs = List::new(inputs);
        let mut node = ptr::null_mut();
        // SAFETY: `inputs` lends live tensors; `node` receives null or a node for us to own.
        let message =
            unsafe { blitz_function_begin(name.as_ptr(), inputs.first(), inputs.len(), &mut node) };
        ffi::check("apply", message)?;
        Ok(FunctionNode(NonNull::new(node)))
    }

    /// Which inputs require grad, if libtorch records at all.
    pub(super) fn needs_input_grad(&self, inputs: &[&Tensor]) -> Vec<bool> {
        inputs.iter().map(|input| self.0.is_some() && input.requires_grad()).collect()
    }

    /// Enters the node into the graph; gives the outputs that belong to it.
    pub(super) fn finish(
        self,
        name: String,
        inputs: &[&Tensor],
        outputs: &[Tensor],
        ctx: Context,
        backward: Backward,
    ) -> Result<Vec<Tensor>> {
        let call = Call { name, inputs: inputs.iter().map(|x| Spec::of(x)).collect(), backward };
        let marks = ctx.into_marks();
        let lists = [
            List::new(inputs),
            list_of(outputs),
            list_of(&marks.saved),
            list_of(&marks.dirty),
            list_of(&marks.non_differentiable),
        ];
        let [inputs, outputs, saved, dirty, constant] = lists.each_ref().map(Tensors::of);
        let mut results = vec![ptr::null_mut(); lists[1].len()];
        // SAFETY: the node is null or ours, made by `begin`; the lists lend live tensors; C++ takes
        // the call, which `run` and `drop_data` know as `Call`; `results` has room for one pointer
        // per output.
        let message = unsafe {
            let node = self.0.map_or(ptr::null_mut(), NonNull::as_ptr);
            let data = into_data(call);
            let drop = drop_data::<Call>;
            let results = results.as_mut_ptr();
            blitz_function_finish(
                node, inputs, outputs, saved, dirty, constant, data, run, drop, results,
            )
        };
        ffi::check("apply", message)?;
        // SAFETY: C++ has written one new tensor per output and given it up.
        Ok(results.into_iter().filter_map(|tensor| unsafe { ffi::take(tensor) }).collect())
    }
}

impl Drop for FunctionNode {
    fn drop(&mut self) {
        if let Some(node) = self.0 {
            // SAFETY: the node is ours and is not used afterwards.
            unsafe { blitz_node_free(node.as_ptr()) }
        }
    }
}

/// What C++ calls in a backward pass, on any thread, one call at a time.
unsafe extern "C" fn run(
    data: *mut c_void,
    node: *mut c_void,
    gradients: *const *mut C_tensor,
    gradient_count: usize,
    needs_input_grad: *const bool,
    input_count: usize,
    results: *mut *mut C_tensor,
) -> *mut c_char {
    // SAFETY: `data` is what `finish` gave, alive until C++ calls drop_data.
    let call = unsafe { &*data.cast::<Call>() };
    answer(&call.name, || {
        // SAFETY: the arrays have the lengths that come with them and outlive the call.
        let (gradients, needs, results) = unsafe {
            (
                slice::from_raw_parts(gradients, gradient_count),
                slice::from_raw_parts(needs_input_grad, input_count),
                slice::from_raw_parts_mut(results, input_count),
            )
        };
        // SAFETY: the gradients are alive during the call.
        let lent = gradients.iter().map(|gradient| unsafe { Lent::new(*gradient) });
        let gradients = lent.map(|gradient| gradient.shallow_clone()).collect();
        let ctx = Context::backward(SavedTensors::of(node), needs.to_vec());
        let made = (call.backward)(&ctx, gradients)?;
        for (index, (gradient, spec)) in made.iter().zip(&call.inputs).enumerate() {
            spec.check(index, gradient.as_ref())?;
        }
        for ((result, gradient), needed) in results.iter_mut().zip(made).zip(needs) {
            *result = gradient.filter(|_| *needed).map_or(ptr::null_mut(), give);
        }
        Ok(())
    })
}

impl Spec {
    fn of(tensor: &Tensor) -> Spec {
        Spec { shape: tensor.size(), kind: tensor.kind(), device: tensor.device() }
    }

    /// libtorch sums over axes along which the input was broadcast, and converts between kinds of
    /// floating point; the rest is refused here, in plainer words.
    fn check(&self, index: usize, gradient: Option<&Tensor>) -> Result<()> {
        let Some(gradient) = gradient else { return Ok(()) };
        let fits = gradient.defined()
            && gradient.device() == self.device
            && is_real(gradient.kind()) == is_real(self.kind)
            && broadcasts(&self.shape, &gradient.size());
        if fits {
            return Ok(());
        }
        Err(Error::Shape {
            operation: "it",
            expected: format!("a gradient like inputs[{index}], {:?} {:?}", self.kind, self.shape),
            got: describe(gradient),
        })
    }
}

/// Whether a tensor of shape `from` can be expanded to shape `to`.
fn broadcasts(from: &[i64], to: &[i64]) -> bool {
    from.len() <= to.len() && from.iter().rev().zip(to.iter().rev()).all(|(a, b)| a == b || *a == 1)
}

fn list_of(tensors: &[Tensor]) -> List {
    List::new(&tensors.iter().collect::<Vec<_>>())
}

/// A list of lent tensors as C++ takes it.
#[repr(C)]
struct Tensors {
    first: *const *mut C_tensor,
    count: usize,
}

impl Tensors {
    fn of(list: &List) -> Tensors {
        Tensors { first: list.first(), count: list.len() }
    }
}

type Run = unsafe extern "C" fn(
    *mut c_void,
    *mut c_void,
    *const *mut C_tensor,
    usize,
    *const bool,
    usize,
    *mut *mut C_tensor,
) -> *mut c_char;

unsafe extern "C" {
    fn blitz_function_begin(
        name: *const c_char,
        inputs: *const *mut C_tensor,
        input_count: usize,
        result: *mut *mut Shared,
    ) -> *mut c_char;
    fn blitz_function_finish(
        node: *mut Shared,
        inputs: Tensors,
        outputs: Tensors,
        saved: Tensors,
        dirty: Tensors,
        constant: Tensors,
        data: *mut c_void,
        backward: Run,
        drop: unsafe extern "C" fn(*mut c_void),
        results: *mut *mut C_tensor,
    ) -> *mut c_char;
}
