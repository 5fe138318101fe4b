//! How PyTorch starts the parameters of its layers.

use tch::{Device, Tensor, no_grad};

/// Where parameters are made: zeros draw nothing from the generator.
pub(super) const ZEROS: tch::nn::Init = tch::nn::Init::Const(0.0);

/// `reset_parameters` of PyTorch's layers: `kaiming_uniform_(weight, a=sqrt(5))`, then the bias.
///
/// The numbers are drawn on the CPU wherever the parameters are, as in Python, where a net is made
/// first and then goes to the GPU by `net.to(device)`: the same seed starts the same net on all
/// devices. A GPU has a generator of its own.
pub(super) fn reset_parameters(weight: &mut Tensor, bias: Option<&mut Tensor>, fan_in: i64) {
    let fan_in = fan_in as f64;
    // kaiming_uniform_ (He et al., 2015): gain √(2 / (1 + a²)), std gain/√fan_in, bound √3·std.
    let gain = (2.0 / (1.0 + 5.0_f64.sqrt().powi(2))).sqrt();
    let weight_bound = 3.0_f64.sqrt() * (gain / fan_in.sqrt());
    let bias_bound = 1.0 / fan_in.sqrt();
    no_grad(|| {
        draw(weight, weight_bound);
        if let Some(bias) = bias {
            draw(bias, bias_bound);
        }
    });
}

/// Uniform numbers within ±`bound`.
fn draw(parameter: &mut Tensor, bound: f64) {
    if parameter.device() == Device::Cpu {
        let _ = parameter.uniform_(-bound, bound);
        return;
    }
    let mut drawn = Tensor::empty(parameter.size(), (parameter.kind(), Device::Cpu));
    parameter.copy_(&drawn.uniform_(-bound, bound));
}
