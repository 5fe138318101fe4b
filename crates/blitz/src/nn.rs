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
//! | a drawing of the layers | [`diagram`](diagram())`(&net, &[1, 1, 32, 32])` |
//! | `net.named_parameters()` | [`named_parameters`]`(&vs)` |
//! | `sum(p.numel() for p in net.parameters())` | [`count_parameters`]`(&vs)` |
//! | `net.zero_grad()` | [`zero_grad`]`(&vs)` |
//! | `nn.MSELoss()(output, target)` | [`mse_loss`]`(&output, &target)`; more in [`loss`] |

mod activation;
mod cifar_net;
mod conv;
mod describe;
mod diagram;
mod flatten;
mod linear;
pub mod loss;
mod misfit;
mod parameters;
mod pooling;
mod reset;
mod summary;

pub use activation::ReLU;
pub use cifar_net::{CifarNet, CifarNetOptions, cifar10_net, cifar10_net_with};
pub use conv::{Conv2d, Conv2dOptions, conv2d, conv2d_with};
pub use describe::{Description, describe};
pub use diagram::{Diagram, Stage, diagram};
pub use flatten::Flatten;
pub use linear::{Linear, LinearOptions, linear, linear_with};
pub use loss::mse_loss;
pub use parameters::{count_parameters, named_parameters, zero_grad};
pub(crate) use parameters::{identity, named_variables};
pub use pooling::MaxPool2d;
pub use summary::{Summary, SummaryRow, summary};
// Names above go before those of a glob.
pub use tch::nn::*;
