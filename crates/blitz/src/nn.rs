//! Layers that start as PyTorch's do, nets made of them, and ways to look into a net.
//!
//! tch's own constructors draw the bias first, and start the bias of a convolution at zero. The
//! ones here draw weight, then bias, from PyTorch's distributions, so that after
//! `tch::manual_seed(s)` a net has the very parameters of `torch.manual_seed(s)` in Python.
//!
//! All of [`tch::nn`] is here too (`VarStore`, `Path`, `Module`, `seq`, `sgd` ...), with the layers
//! above in the place of its `conv2d`, `linear` and `Linear`.
//!
//! | Python | Rust |
//! | --- | --- |
//! | `nn.Conv2d(1, 6, 5)` | [`conv2d`]`(path, 1, 6, 5)` |
//! | `nn.Conv2d(1, 6, 5, stride=2)` | [`conv2d_with`]`(path, 1, 6, 5, Conv2dOptions { stride: 2, ..Default::default() })` |
//! | `nn.Linear(84, 10)` | [`linear`]`(path, 84, 10)` |
//! | `nn.ReLU()`, `nn.MaxPool2d(2)`, `nn.Flatten()` | [`ReLU`], [`MaxPool2d::new`]`(2)`, [`Flatten::default`]`()` |
//! | `print(net)` | [`describe`]`(&net)` |
//! | `torchinfo.summary(net, …)` | [`summary`](summary())`(&net, &vs, &input)` |
//! | `net.named_parameters()` | [`named_parameters`]`(&vs)` |
//! | `sum(p.numel() for p in net.parameters())` | [`count_parameters`]`(&vs)` |
//! | `net.zero_grad()` | [`zero_grad`]`(&vs)` |
//! | `nn.MSELoss()(output, target)` | [`mse_loss`]`(&output, &target)`; more in [`loss`] |

mod activation;
mod cifar_net;
mod conv;
mod describe;
mod flatten;

mod linear;
pub mod loss;
mod parameters;
mod pooling;
mod reset;
mod summary;

pub use activation::ReLU;
pub use cifar_net::{CifarNet, CifarNetOptions, cifar10_net, cifar10_net_with};
pub use conv::{Conv2d, Conv2dOptions, conv2d, conv2d_with};
pub use describe::{Description, describe};
pub use flatten::Flatten;
pub use linear::{Linear, LinearOptions, linear, linear_with};
pub use loss::mse_loss;
pub(crate) use parameters::identity;
pub use parameters::{count_parameters, named_parameters, zero_grad};
pub use pooling::MaxPool2d;
pub use summary::{Summary, SummaryRow, summary};
// Names above go before those of a glob.
pub use tch::nn::*;

use tch::{Device, Kind, Tensor};

use crate::error::Error;

/// What a layer's `forward` returns, or the panic with a message for the learner: `Module` leaves
/// no room for an error.
fn or_panic(result: crate::Result<Tensor>) -> Tensor {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// For `map_err`: the error of `layer`, where `misfit` can say what does not fit the input, and
/// else libtorch's own.
///
/// The input is looked at only after libtorch refused it, so that good input costs nothing.
fn refused(
    layer: String,
    misfit: Option<Misfit>,
    operation: &'static str,
) -> impl FnOnce(tch::TchError) -> Error {
    move |error| match misfit {
        Some(Misfit { expected, got, hint }) => Error::Layer { layer, expected, got, hint },
        None => Error::torch(operation)(error),
    }
}

/// How an input does not fit a layer.
struct Misfit {
    expected: String,
    got: String,
    hint: String,
}

impl Misfit {
    /// Kind and device of `input` against those of a layer's `weight`.
    fn of_kind_or_device(input: &Tensor, weight: &Tensor) -> Option<Misfit> {
        Misfit::between((input.kind(), input.device()), (weight.kind(), weight.device()))
    }

    fn between(input: (Kind, Device), weight: (Kind, Device)) -> Option<Misfit> {
        if input.1 != weight.1 {
            return Some(Misfit {
                expected: format!("an input on {:?}, where its weight is", weight.1),
                got: format!("one on {:?}", input.1),
                hint: ". Move it with input.to_device(vs.device())".to_owned(),
            });
        }
        (input.0 != weight.0).then(|| Misfit {
            expected: format!("an input of kind {:?}, as its weight", weight.0),
            got: format!("{:?}", input.0),
            hint: format!(". Convert it with input.to_kind(Kind::{:?})", weight.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_on_another_device_is_told_where_to_go() {
        let cpu = (Kind::Float, Device::Cpu);
        let misfit = Misfit::between(cpu, (Kind::Float, Device::Cuda(0))).unwrap();
        assert_eq!(misfit.expected, "an input on Cuda(0), where its weight is");
        assert_eq!(misfit.got, "one on Cpu");
        assert!(misfit.hint.contains("to_device"));
        assert!(Misfit::between(cpu, cpu).is_none());
    }
}
