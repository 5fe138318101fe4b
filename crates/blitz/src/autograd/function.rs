//! Functions with a backward of one's own.

use std::any::type_name;

use tch::{Tensor, no_grad_guard};

use self::sealed::List;
use super::context::Context;
use super::describe::describe;
use super::function_node::{Backward, FunctionNode};
use crate::error::{Error, Result};

/// A function with its own backward, as `torch.autograd.Function`: implement the two methods, then
/// call [`apply`](Function::apply).
///
/// `INPUTS` is the number of tensors it takes, 1 where nothing is said. `Output` is what it gives:
/// `Tensor`, an array such as `[Tensor; 2]`, or a `Vec<Tensor>`. What is not a tensor goes into
/// fields of the type. The graph shows the function by the name of the type with `Backward` added.
///
/// ```
/// use blitz::autograd::{Autograd, Context, Function};
/// use blitz::tch::Tensor;
///
/// struct MyReLU;
///
/// impl Function for MyReLU {
///     type Output = Tensor;
///
///     fn forward(&self, ctx: &mut Context, [x]: [&Tensor; 1]) -> blitz::Result<Tensor> {
///         ctx.save_for_backward(&[x]);
///         Ok(x.clamp_min(0.0))
///     }
///
///     fn backward(&self, ctx: &Context, gradient: Tensor) -> blitz::Result<[Option<Tensor>; 1]> {
///         let [x] = ctx.saved_tensors()?;
///         Ok([Some(gradient * x.gt(0.0))])
///     }
/// }
///
/// let x = Tensor::from_slice(&[-1.0, 2.0]).set_requires_grad(true);
/// let y = MyReLU.apply([&x])?;
/// assert_eq!(y.grad_fn().expect("y was computed").to_string(), "<MyReLUBackward>");
/// y.sum(None).backward();
/// assert_eq!(x.grad(), Tensor::from_slice(&[0.0, 1.0]));
/// # Ok::<(), blitz::Error>(())
/// ```
pub trait Function<const INPUTS: usize = 1>: Send + Sized + 'static {
    /// What the function gives.
    type Output: Outputs;

    /// Computes the outputs. libtorch records nothing meanwhile; whatever the backward needs goes
    /// into `ctx`.
    ///
    /// # Errors
    ///
    /// As the function likes; [`apply`](Function::apply) hands the error on.
    fn forward(&self, ctx: &mut Context, inputs: [&Tensor; INPUTS]) -> Result<Self::Output>;

    /// From the gradients of the outputs (zeros where none arrived) computes those of the inputs,
    /// of the inputs' shapes; `None` where an input has none. A gradient of a shape to which the
    /// input's broadcasts is summed, as in PyTorch.
    ///
    /// It may run on another thread (on CUDA it does), and several times where the graph is
    /// retained. With `create_graph` its operations are recorded, for higher derivatives.
    ///
    /// # Errors
    ///
    /// As the function likes; the backward pass fails with [`Error::Backward`] and the message.
    fn backward(&self, ctx: &Context, gradients: Self::Output) -> Result<[Option<Tensor>; INPUTS]>;

    /// Runs `forward`, and enters the function into the graph where an input requires grad.
    ///
    /// # Errors
    ///
    /// The error of `forward`; [`Error::Shape`] where an input or output is undefined or there is
    /// no output; [`Error::Torch`] where an input is marked as changed but not returned.
    fn apply(self, inputs: [&Tensor; INPUTS]) -> Result<Self::Output> {
        check_defined("an input", &inputs)?;
        let name = format!("{}Backward", short_name(type_name::<Self>()));
        let node = FunctionNode::begin(&name, &inputs)?;
        let needs = node.needs_input_grad(&inputs);
        let mut ctx = Context::forward(needs);
        let outputs = {
            let _no_grad = no_grad_guard();
            self.forward(&mut ctx, inputs)?.into_list()
        };
        check_defined("an output", &outputs.iter().collect::<Vec<_>>())?;
        let backward: Backward = Box::new(move |ctx, gradients| {
            self.backward(ctx, Self::Output::from_list(gradients)?).map(Vec::from)
        });
        let outputs = node.finish(name, &inputs, &outputs, ctx, backward)?;
        Self::Output::from_list(outputs)
    }
}

/// What a [`Function`] can give: `Tensor`, `[Tensor; N]` or `Vec<Tensor>`.
pub trait Outputs: List {}

impl<T: List> Outputs for T {}

pub(super) mod sealed {
    use super::{Error, Result, Tensor};

    /// Conversion from and to a list. Sealed, because `apply` relies on the length.
    pub trait List: Sized {
        fn into_list(self) -> Vec<Tensor>;
        fn from_list(list: Vec<Tensor>) -> Result<Self>;
    }

    impl List for Tensor {
        fn into_list(self) -> Vec<Tensor> {
            vec![self]
        }

        fn from_list(list: Vec<Tensor>) -> Result<Tensor> {
            let [tensor] = List::from_list(list)?;
            Ok(tensor)
        }
    }

    impl<const N: usize> List for [Tensor; N] {
        fn into_list(self) -> Vec<Tensor> {
            self.into()
        }

        fn from_list(list: Vec<Tensor>) -> Result<[Tensor; N]> {
            let refused = |list: Vec<Tensor>| Error::Shape {
                operation: "a function",
                expected: format!("{N} tensors"),
                got: list.len().to_string(),
            };
            list.try_into().map_err(refused)
        }
    }

    impl List for Vec<Tensor> {
        fn into_list(self) -> Vec<Tensor> {
            self
        }

        fn from_list(list: Vec<Tensor>) -> Result<Vec<Tensor>> {
            Ok(list)
        }
    }
}

fn check_defined(what: &str, tensors: &[&Tensor]) -> Result<()> {
    let got = match tensors.iter().find(|tensor| !tensor.defined()) {
        Some(tensor) => describe(tensor),
        None if tensors.is_empty() => "none".to_owned(),
        None => return Ok(()),
    };
    Err(Error::Shape { operation: "apply", expected: format!("{what} to be a tensor"), got })
}

/// `MyReLU` of `cell_3::MyReLU<f32>`.
fn short_name(path: &str) -> &str {
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn the_short_name_has_neither_path_nor_parameters() {
        assert_eq!(short_name("a::b::MyReLU"), "MyReLU");
        assert_eq!(short_name("a::Scaled<b::C>"), "Scaled");
    }
}
