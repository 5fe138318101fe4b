//! Layers, and what is told about nets.

use blitz::nn::LinearOptions;
use blitz::nn::linear_with;
use blitz::prelude::*;

use crate::{assert_near, common, device, formula, seeded};

/// TF32 rounds the inputs of convolutions to 10 bits.
const TF32: f64 = 1e-2;

#[test]
#[ignore = "needs a CUDA device"]
fn the_same_seed_starts_the_same_net_as_on_the_cpu() {
    let start = |device: Device| {
        let _turn = seeded(4);
        let vs = nn::VarStore::new(device);
        let root = vs.root();
        let options = Conv2dOptions { stride: 2, ..Conv2dOptions::default() };
        let _ = conv2d_with(&root / "conv", 3, 5, 4, options);
        let _ = linear(&root / "fc", 7, 3);
        let _ = linear_with(&root / "last", 3, 2, LinearOptions { bias: false });
        named_parameters(&vs)
    };
    let (got, expected) = (start(device()), start(Device::Cpu));
    assert_eq!(got.len(), expected.len());
    for ((name, got), (other, expected)) in got.iter().zip(&expected) {
        assert_eq!(name, other);
        assert_eq!(got.device(), device());
        assert!(got.requires_grad() && got.is_leaf(), "{name}");
        assert_eq!(got.detach().to_device(Device::Cpu), expected.detach(), "{name}");
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn pooling_has_the_numbers_of_the_cpu_forward_and_backward() {
    let sizes: [&[i64]; 4] = [&[4, 6, 28, 28], &[2, 3, 5, 7], &[1, 1, 3, 100], &[3, 16, 10, 11]];
    for size in sizes {
        let pool = |device: Device| {
            let input = formula(size, Device::Cpu);
            let _ = input.view(-1).get(3).fill_(f64::INFINITY);
            let _ = input.view(-1).get(9).fill_(f64::NAN);
            let input = input.to_device(device).set_requires_grad(true);
            let pooled = MaxPool2d::new(2).f_forward(&input).unwrap();
            let weights = formula(&pooled.size(), device);
            pooled.backward_with(&weights).unwrap();
            (pooled, input.grad())
        };
        let (got, expected) = (pool(device()), pool(Device::Cpu));
        assert_eq!(got.0.device(), device());
        assert_near(&got.0, &expected.0, 0.0, 0.0);
        assert_near(&got.1, &expected.1, 1e-6, 1e-6);
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_net_computes_what_it_computes_on_the_cpu() {
    let compute = |device: Device| {
        let (vs, net) = common::steps::net(device);
        let images = formula(&[5, 3, 32, 32], device) / 10.0;
        let logits = net.forward(&images);
        logits.square().mean(Kind::Float).backward();
        let gradients: Vec<Tensor> =
            named_parameters(&vs).iter().map(|(_, parameter)| parameter.grad()).collect();
        (logits, gradients)
    };
    let (got, expected) = (compute(device()), compute(Device::Cpu));
    assert_eq!(got.0.device(), device());
    let scale = |tensor: &Tensor| tensor.detach().abs().max().double_value(&[]);
    assert_near(&got.0, &expected.0, TF32, TF32 * scale(&expected.0));
    for (got, expected) in got.1.iter().zip(&expected.1) {
        assert_near(got, expected, TF32, TF32 * scale(expected));
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn a_net_is_described_drawn_and_summed_up_as_on_the_cpu() {
    let told = |device: Device| {
        let vs = nn::VarStore::new(device);
        let net = cifar10_net(&vs.root());
        let summary = summary(&net, &vs, &formula(&[2, 3, 32, 32], device)).unwrap();
        // It has only the net, and finds its parameters' device by itself.
        let drawn = diagram(&net, &[1, 3, 32, 32]).unwrap().to_text();
        (format!("{}{drawn}", describe(&net)), count_parameters(&vs), summary)
    };
    let (got, expected) = (told(device()), told(Device::Cpu));
    assert_eq!((&got.0, got.1), (&expected.0, expected.1));
    assert_eq!((got.2.parameters, got.2.bytes), (expected.2.parameters, expected.2.bytes));
    assert_eq!(got.2.unused, expected.2.unused);
    // A layer is one row on both; libtorch may choose other operations inside and between them.
    let layers = |summary: &nn::Summary| -> Vec<_> {
        let rows = summary.rows.iter().filter(|row| !row.name.is_empty());
        rows.map(|row| (row.name.clone(), row.output.clone(), row.parameters)).collect()
    };
    assert_eq!(layers(&got.2), layers(&expected.2));
    assert_eq!(layers(&got.2).len(), 5);
}

#[test]
#[ignore = "needs a CUDA device"]
fn gradients_are_forgotten() {
    let vs = nn::VarStore::new(device());
    let fc = linear(vs.root() / "fc", 4, 3);
    fc.forward(&formula(&[2, 4], device())).sum(Kind::Float).backward();
    assert_eq!(fc.weight.grad().device(), device());
    zero_grad(&vs);
    assert!(!fc.weight.grad().defined());
}
