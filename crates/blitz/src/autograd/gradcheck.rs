//! Proof of a backward by finite differences.

use tch::{Kind, Tensor};

use super::backward::{GradOptions, grad_allow_unused};
use super::describe::describe;
use super::function::Outputs;
use crate::error::{Error, Result};

/// Options of [`gradcheck`]; the defaults are PyTorch's.
#[derive(Clone, Copy, Debug)]
pub struct GradcheckOptions {
    /// How far each element is moved to either side, above 0.
    pub eps: f64,
    /// Allowed absolute difference, at least 0.
    pub atol: f64,
    /// Allowed difference relative to the finite difference, at least 0.
    pub rtol: f64,
}

impl Default for GradcheckOptions {
    fn default() -> GradcheckOptions {
        GradcheckOptions { eps: 1e-6, atol: 1e-5, rtol: 1e-3 }
    }
}

/// Compares all derivatives of `function` at `inputs` with finite differences, as
/// `torch.autograd.gradcheck`. The inputs, f64 of any shape, are not modified; those that require
/// grad are checked.
///
/// ```
/// use blitz::autograd::{GradcheckOptions, gradcheck};
/// use blitz::tch::Tensor;
///
/// let x = Tensor::from_slice(&[0.5, -1.5]).set_requires_grad(true);
/// gradcheck(|[x]| Ok(x.sin()), [&x], &GradcheckOptions::default())?;
/// let wrong = gradcheck(|[x]| Ok(x * x.detach()), [&x], &GradcheckOptions::default());
/// assert!(wrong.is_err());
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Gradient`] for the first derivative that differs; [`Error::Shape`] where no input
/// requires grad, an input that does is not f64, or no output is an f64 that requires grad;
/// [`Error::Option`] for a number outside the range that [`GradcheckOptions`] names; and the errors of `function` and of its backward.
pub fn gradcheck<const N: usize, O: Outputs>(
    function: impl Fn([&Tensor; N]) -> Result<O>,
    inputs: [&Tensor; N],
    options: &GradcheckOptions,
) -> Result<()> {
    check_options(options)?;
    check_inputs(&inputs)?;
    // Leaves of their own, so that hooks of the caller's tensors do not run.
    let copies = inputs.map(|input| {
        let copy = input.detach().copy();
        copy.set_requires_grad(input.requires_grad())
    });
    let leaves = copies.each_ref();
    let differentiable = |output: &Tensor| output.requires_grad() && output.kind() == Kind::Double;
    let outputs = function(leaves)?.into_list();
    if !outputs.iter().any(differentiable) {
        return refuse("an f64 output that requires grad", "none".to_owned());
    }
    for (output_index, output) in outputs.iter().enumerate() {
        if !differentiable(output) {
            continue;
        }
        let output_at = |inputs: [&Tensor; N]| match function(inputs)?.into_list().get(output_index)
        {
            Some(output) => flat(output),
            None => Err("the function gives more outputs at one time than at another".into()),
        };
        for (input_index, leaf) in leaves.iter().enumerate() {
            if leaf.requires_grad() {
                let numerical = jacobian_by_differences(&output_at, leaves, input_index, options)?;
                let analytical = jacobian_by_backward(output, leaf)?;
                let place = Place { output_index, input_index };
                compare(&analytical, &numerical, leaf.numel(), options, &place)?;
            }
        }
    }
    Ok(())
}

fn check_options(options: &GradcheckOptions) -> Result<()> {
    let GradcheckOptions { eps, atol, rtol } = *options;
    if !(eps.is_finite() && eps > 0.0) {
        return Err(Error::option("eps", "finite and above 0", eps));
    }
    for (option, value) in [("atol", atol), ("rtol", rtol)] {
        if !(value.is_finite() && value >= 0.0) {
            return Err(Error::option(option, "finite and at least 0", value));
        }
    }
    Ok(())
}

/// Which pair of output and input is being compared.
struct Place {
    output_index: usize,
    input_index: usize,
}

fn check_inputs(inputs: &[&Tensor]) -> Result<()> {
    if !inputs.iter().any(|input| input.defined() && input.requires_grad()) {
        return refuse("an input that requires grad", "none".to_owned());
    }
    let unfit = |input: &&&Tensor| {
        !input.defined() || (input.requires_grad() && input.kind() != Kind::Double)
    };
    match inputs.iter().find(unfit) {
        Some(input) => refuse("inputs of f64, as f32 is too coarse", describe(input)),
        None => Ok(()),
    }
}

fn refuse(expected: &str, got: String) -> Result<()> {
    Err(Error::Shape { operation: "gradcheck", expected: expected.to_owned(), got })
}

/// Row by row, the derivatives of each element of `output`.
fn jacobian_by_backward(output: &Tensor, leaf: &Tensor) -> Result<Vec<f64>> {
    let mut rows = Vec::new();
    for element in 0..output.numel() as i64 {
        let one = output.zeros_like();
        let _ = one.view(-1).narrow(0, element, 1).fill_(1.0);
        let options = GradOptions {
            grad_outputs: Some(&[&one]),
            retain_graph: Some(true),
            ..Default::default()
        };
        match grad_allow_unused(&[output], &[leaf], &options)?.remove(0) {
            Some(gradient) => rows.extend(flat(&gradient)?),
            None => rows.extend(vec![0.0; leaf.numel()]),
        }
    }
    Ok(rows)
}

/// The same by central differences.
fn jacobian_by_differences<const N: usize>(
    output_at: &impl Fn([&Tensor; N]) -> Result<Vec<f64>>,
    inputs: [&Tensor; N],
    input_index: usize,
    options: &GradcheckOptions,
) -> Result<Vec<f64>> {
    let columns = inputs[input_index].numel();
    let moved = |element: usize, by: f64| {
        let copies = inputs.map(|input| input.detach().copy());
        let mut place = copies[input_index].view(-1).narrow(0, element as i64, 1);
        let _ = place.g_add_scalar_(by);
        output_at(copies.each_ref())
    };
    let mut jacobian = Vec::new();
    for column in 0..columns {
        let (above, below) = (moved(column, options.eps)?, moved(column, -options.eps)?);
        jacobian.resize(above.len() * columns, 0.0);
        for (row, (above, below)) in above.iter().zip(&below).enumerate() {
            jacobian[row * columns + column] = (above - below) / (2.0 * options.eps);
        }
    }
    Ok(jacobian)
}

fn compare(
    analytical: &[f64],
    numerical: &[f64],
    columns: usize,
    options: &GradcheckOptions,
    place: &Place,
) -> Result<()> {
    for (index, (&backward, &difference)) in analytical.iter().zip(numerical).enumerate() {
        let close = (backward - difference).abs() <= options.atol + options.rtol * difference.abs();
        if !close {
            return Err(Error::Gradient {
                output: place.output_index,
                output_element: index / columns,
                input: place.input_index,
                input_element: index % columns,
                backward,
                difference,
            });
        }
    }
    Ok(())
}

fn flat(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(Vec::try_from(tensor.detach().to_kind(Kind::Double).contiguous().view(-1))?)
}
