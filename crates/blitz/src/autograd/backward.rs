//! Backward passes: into the leaves' `grad`, or returned.

use std::ffi::c_char;
use std::ptr;

use tch::Tensor;
use torch_sys::C_tensor;

use super::describe::{alike, describe, is_real, require_grad};
use crate::error::{Error, Result};
use crate::ffi;

/// Options of [`backward`]; the default is what `tensor.backward()` does.
#[derive(Clone, Copy, Debug, Default)]
pub struct BackwardOptions<'a> {
    /// One gradient per tensor, of that tensor's shape, kind and device: the v in vᵀJ. `None`
    /// stands for ones, and is allowed for tensors of one element.
    pub gradients: Option<&'a [&'a Tensor]>,
    /// The tensors whose `grad` receives the result; `None` means all leaves that the tensors
    /// depend on.
    pub inputs: Option<&'a [&'a Tensor]>,
    /// Whether the graph can be used again afterwards; `None` means the value of `create_graph`.
    pub retain_graph: Option<bool>,
    /// Whether the gradients have a graph themselves, for higher derivatives.
    pub create_graph: bool,
}

/// Options of [`grad`] and [`grad_allow_unused`].
#[derive(Clone, Copy, Debug, Default)]
pub struct GradOptions<'a> {
    /// One gradient per output, of that output's shape, kind and device: the v in vᵀJ. `None`
    /// stands for ones, and is allowed for outputs of one element.
    pub grad_outputs: Option<&'a [&'a Tensor]>,
    /// Whether the graph can be used again afterwards; `None` means the value of `create_graph`.
    pub retain_graph: Option<bool>,
    /// Whether the gradients have a graph themselves, for higher derivatives.
    pub create_graph: bool,
}

/// Adds the gradients of the sum of `tensors` (weighted by [`BackwardOptions::gradients`]) to the
/// `grad` of the leaves, as `torch.autograd.backward`.
///
/// ```
/// use blitz::autograd::{self, BackwardOptions};
/// use blitz::tch::Tensor;
///
/// let x = Tensor::from(3.0).set_requires_grad(true);
/// let (square, cube) = (&x * &x, &x * &x * &x);
/// autograd::backward(&[&square, &cube], &BackwardOptions::default())?;
/// assert_eq!(x.grad().double_value(&[]), 6.0 + 27.0);
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Shape`] where there is no tensor, where a tensor or input does not require grad, where
/// a gradient is missing or does not fit its tensor; [`Error::Torch`] where an earlier pass has
/// freed the graph, or where a tensor that the graph needs was modified in place;
/// [`Error::Backward`] where a hook or a function of one's own failed.
pub fn backward(tensors: &[&Tensor], options: &BackwardOptions) -> Result<()> {
    let operation = "backward";
    check_outputs(operation, "tensors", tensors, options.gradients)?;
    if let Some(inputs) = options.inputs {
        check_inputs(operation, inputs)?;
    }
    let tensors = List::new(tensors);
    let gradients = List::new(options.gradients.unwrap_or_default());
    let inputs = List::new(options.inputs.unwrap_or_default());
    // SAFETY: the lists lend live tensors, and the counts are theirs.
    let message = unsafe {
        blitz_autograd_backward(
            tensors.first(),
            tensors.len(),
            gradients.first(),
            gradients.len(),
            inputs.first(),
            inputs.len(),
            options.retain_graph.unwrap_or(options.create_graph),
            options.create_graph,
        )
    };
    ffi::check("the backward pass", message)
}

/// The gradients of the sum of `outputs` with respect to each of `inputs`, in their order and of
/// their shapes, as `torch.autograd.grad`. The `grad` of no tensor changes.
///
/// ```
/// use blitz::autograd::{self, GradOptions};
/// use blitz::tch::Tensor;
///
/// let x = Tensor::from(2.0).set_requires_grad(true);
/// let y = x.pow_tensor_scalar(4);
/// let create_graph = GradOptions { create_graph: true, ..Default::default() };
/// let first = autograd::grad(&[&y], &[&x], &create_graph)?.remove(0);
/// let second = autograd::grad(&[&first], &[&x], &GradOptions::default())?.remove(0);
/// assert_eq!((first.double_value(&[]), second.double_value(&[])), (32.0, 48.0));
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// As [`backward`], and [`Error::Shape`] where the outputs do not depend on an input.
pub fn grad(outputs: &[&Tensor], inputs: &[&Tensor], options: &GradOptions) -> Result<Vec<Tensor>> {
    let found = grad_allow_unused(outputs, inputs, options)?;
    let required = |(index, gradient): (usize, Option<Tensor>)| {
        gradient.ok_or_else(|| Error::Shape {
            operation: "grad",
            expected: format!("outputs that depend on inputs[{index}]"),
            got: "outputs computed without it; check the formula, or use grad_allow_unused"
                .to_owned(),
        })
    };
    found.into_iter().enumerate().map(required).collect()
}

/// As [`grad`], with `None` for an input on which the outputs do not depend
/// (`allow_unused=True` in PyTorch).
///
/// # Errors
///
/// As [`backward`].
pub fn grad_allow_unused(
    outputs: &[&Tensor],
    inputs: &[&Tensor],
    options: &GradOptions,
) -> Result<Vec<Option<Tensor>>> {
    let operation = "grad";
    check_outputs(operation, "outputs", outputs, options.grad_outputs)?;
    check_inputs(operation, inputs)?;
    let outputs = List::new(outputs);
    let gradients = List::new(options.grad_outputs.unwrap_or_default());
    let inputs = List::new(inputs);
    let mut results = vec![ptr::null_mut(); inputs.len()];
    // SAFETY: the lists lend live tensors, the counts are theirs, and `results` has room for one
    // pointer per input.
    let message = unsafe {
        blitz_autograd_grad(
            outputs.first(),
            outputs.len(),
            inputs.first(),
            inputs.len(),
            gradients.first(),
            gradients.len(),
            options.retain_graph.unwrap_or(options.create_graph),
            options.create_graph,
            results.as_mut_ptr(),
        )
    };
    ffi::check("the backward pass", message)?;
    // SAFETY: each is null or a new tensor that C++ has given up.
    Ok(results.into_iter().map(|tensor| unsafe { ffi::take(tensor) }).collect())
}

/// What [`super::Autograd::retain_grad`] does.
pub(super) fn retain_grad(tensor: &Tensor) -> Result<()> {
    require_grad("retain_grad", "the tensor", tensor)?;
    // SAFETY: a live tensor is lent.
    ffi::check("retain_grad", unsafe { blitz_autograd_retain_grad(ffi::lend(tensor)) })
}

/// The tensors to start from: all require grad, and each has a gradient that fits or needs none.
fn check_outputs(
    operation: &'static str,
    list: &str,
    outputs: &[&Tensor],
    gradients: Option<&[&Tensor]>,
) -> Result<()> {
    let refuse = |expected: String, got: String| Err(Error::Shape { operation, expected, got });
    if outputs.is_empty() {
        return refuse(format!("at least one tensor in {list}"), "none".to_owned());
    }
    if let Some(gradients) = gradients
        && gradients.len() != outputs.len()
    {
        let expected = format!("one gradient per tensor, {} in all", outputs.len());
        return refuse(expected, gradients.len().to_string());
    }
    for (index, output) in outputs.iter().enumerate() {
        let name = match outputs.len() {
            1 => "the tensor".to_owned(),
            _ => format!("{list}[{index}]"),
        };
        require_grad(operation, &name, output)?;
        match gradients.map(|gradients| gradients[index]) {
            None if output.numel() != 1 || !is_real(output.kind()) => {
                let expected = format!(
                    "a gradient for {name}, because it is not one real number (as sum or mean would make it)"
                );
                return refuse(expected, format!("none for {}", describe(output)));
            }
            Some(gradient) if !alike(gradient, output) => {
                let expected = format!("a gradient like {name}, {}", describe(output));
                return refuse(expected, describe(gradient));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_inputs(operation: &'static str, inputs: &[&Tensor]) -> Result<()> {
    if inputs.is_empty() {
        let expected = "at least one tensor in inputs".to_owned();
        return Err(Error::Shape { operation, expected, got: "none".to_owned() });
    }
    let mut numbered = inputs.iter().enumerate();
    numbered
        .try_for_each(|(index, input)| require_grad(operation, &format!("inputs[{index}]"), input))
}

/// Pointers to lent tensors, as C++ takes a list.
pub(super) struct List(Vec<*mut C_tensor>);

impl List {
    pub(super) fn new(tensors: &[&Tensor]) -> List {
        List(tensors.iter().map(|tensor| ffi::lend(tensor)).collect())
    }

    pub(super) fn first(&self) -> *const *mut C_tensor {
        self.0.as_ptr()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

unsafe extern "C" {
    fn blitz_autograd_backward(
        tensors: *const *mut C_tensor,
        tensor_count: usize,
        gradients: *const *mut C_tensor,
        gradient_count: usize,
        inputs: *const *mut C_tensor,
        input_count: usize,
        retain_graph: bool,
        create_graph: bool,
    ) -> *mut c_char;
    fn blitz_autograd_grad(
        outputs: *const *mut C_tensor,
        output_count: usize,
        inputs: *const *mut C_tensor,
        input_count: usize,
        gradients: *const *mut C_tensor,
        gradient_count: usize,
        retain_graph: bool,
        create_graph: bool,
        results: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn blitz_autograd_retain_grad(tensor: *mut C_tensor) -> *mut c_char;
}
