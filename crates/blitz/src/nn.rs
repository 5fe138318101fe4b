//! Layers that start as PyTorch's do, and the tutorial's net made of them.
//!
//! tch's own constructors draw the bias first, and start the bias of a convolution at zero. The
//! ones here draw weight, then bias, from PyTorch's distributions, so that after
//! `tch::manual_seed(s)` a net has the very parameters of `torch.manual_seed(s)` in Python.

use std::borrow::Borrow;

use tch::nn::{self, ConvConfig, Init, LinearConfig, Module};
use tch::{Tensor, no_grad};

/// A convolution over `[N, in_channels, H, W]` with square kernels, stride 1 and no padding; the
/// output is `[N, out_channels, H - kernel_size + 1, W - kernel_size + 1]`.
///
/// Initialised as `torch.nn.Conv2d(in_channels, out_channels, kernel_size)`: weight and bias
/// uniform within ±1/√(in_channels · kernel_size²).
///
/// # Panics
///
/// Where a size is below 1.
pub fn conv2d<'a>(
    path: impl Borrow<nn::Path<'a>>,
    in_channels: i64,
    out_channels: i64,
    kernel_size: i64,
) -> nn::Conv2D {
    // Zeros draw nothing from the generator.
    let zeros =
        ConvConfig { ws_init: Init::Const(0.0), bs_init: Init::Const(0.0), ..Default::default() };
    let mut layer = nn::conv2d(path, in_channels, out_channels, kernel_size, zeros);
    reset_parameters(&mut layer.ws, layer.bs.as_mut(), in_channels * kernel_size * kernel_size);
    layer
}

/// A fully connected layer from `[N, in_features]` to `[N, out_features]`.
///
/// Initialised as `torch.nn.Linear(in_features, out_features)`: weight and bias uniform within
/// ±1/√in_features.
///
/// # Panics
///
/// Where a size is below 1.
pub fn linear<'a>(
    path: impl Borrow<nn::Path<'a>>,
    in_features: i64,
    out_features: i64,
) -> nn::Linear {
    let zeros =
        LinearConfig { ws_init: Init::Const(0.0), bs_init: Some(Init::Const(0.0)), bias: true };
    let mut layer = nn::linear(path, in_features, out_features, zeros);
    reset_parameters(&mut layer.ws, layer.bs.as_mut(), in_features);
    layer
}

/// `reset_parameters` of PyTorch's layers: `kaiming_uniform_(weight, a=sqrt(5))`, then the bias.
fn reset_parameters(weight: &mut Tensor, bias: Option<&mut Tensor>, fan_in: i64) {
    let fan_in = fan_in as f64;
    // kaiming_uniform_ (He et al., 2015): gain √(2 / (1 + a²)), std gain/√fan_in, bound √3·std.
    let gain = (2.0 / (1.0 + 5.0_f64.sqrt().powi(2))).sqrt();
    let weight_bound = 3.0_f64.sqrt() * (gain / fan_in.sqrt());
    let bias_bound = 1.0 / fan_in.sqrt();
    no_grad(|| {
        let _ = weight.uniform_(-weight_bound, weight_bound);
        if let Some(bias) = bias {
            let _ = bias.uniform_(-bias_bound, bias_bound);
        }
    });
}

/// The tutorial's net, 62,006 parameters: `[N, 3, 32, 32]` f32 images to `[N, 10]` logits.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// blitz::tch::manual_seed(0);
/// let vs = nn::VarStore::new(Device::Cpu);
/// let net = cifar10_net(&vs.root());
/// let logits = net.forward(&Tensor::zeros([4, 3, 32, 32], (Kind::Float, Device::Cpu)));
/// assert_eq!(logits.size(), [4, 10]);
/// ```
#[derive(Debug)]
pub struct CifarNet {
    /// 3 to 6 channels, kernel 5.
    pub conv1: nn::Conv2D,
    /// 6 to 16 channels, kernel 5.
    pub conv2: nn::Conv2D,
    /// 16 · 5 · 5 to 120 features.
    pub fc1: nn::Linear,
    /// 120 to 84 features.
    pub fc2: nn::Linear,
    /// 84 features to 10 logits.
    pub fc3: nn::Linear,
}

/// Builds a [`CifarNet`] with parameters named `conv1.weight` and so on below `path`.
pub fn cifar10_net(path: &nn::Path) -> CifarNet {
    CifarNet {
        conv1: conv2d(path / "conv1", 3, 6, 5),
        conv2: conv2d(path / "conv2", 6, 16, 5),
        fc1: linear(path / "fc1", 16 * 5 * 5, 120),
        fc2: linear(path / "fc2", 120, 84),
        fc3: linear(path / "fc3", 84, 10),
    }
}

impl Module for CifarNet {
    fn forward(&self, images: &Tensor) -> Tensor {
        images
            .apply(&self.conv1) // [N, 3, 32, 32] -> [N, 6, 28, 28]
            .relu()
            .max_pool2d_default(2) // -> [N, 6, 14, 14]
            .apply(&self.conv2) // -> [N, 16, 10, 10]
            .relu()
            .max_pool2d_default(2) // -> [N, 16, 5, 5]
            .flatten(1, -1) // -> [N, 400]
            .apply(&self.fc1)
            .relu()
            .apply(&self.fc2)
            .relu()
            .apply(&self.fc3) // -> [N, 10]
    }
}
