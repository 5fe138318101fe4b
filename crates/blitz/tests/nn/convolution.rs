//! The convolution layer's own loops against libtorch's operator, bit by bit: values, gradients, graph.

use crate::common::{bits, seeded, values};
use blitz::nn::conv2d;
use blitz::prelude::*;

/// Numbers from -1 to 1 that need all their digits.
fn numbers(size: &[i64]) -> Tensor {
    let count = size.iter().product::<i64>();
    (Tensor::arange(count, (Kind::Float, Device::Cpu)) * 1.7 + 0.3).sin().view(size)
}

/// A layer with the weights of `numbers`, and its variables.
fn layer(in_channels: i64, out_channels: i64, kernel_size: i64) -> (Conv2d, nn::VarStore) {
    let vs = nn::VarStore::new(Device::Cpu);
    let mut conv = conv2d(vs.root(), in_channels, out_channels, kernel_size);
    tch::no_grad(|| {
        let weight = numbers(&conv.weight.size());
        conv.weight.copy_(&weight);
        if let Some(bias) = &mut conv.bias {
            let numbers = numbers(&bias.size());
            bias.copy_(&numbers);
        }
    });
    (conv, vs)
}

fn libtorchs(conv: &Conv2d, images: &Tensor) -> Tensor {
    images.conv2d(&conv.weight, conv.bias.as_ref(), [1, 1], [0, 0], [1, 1], 1)
}

/// The gradients of a layer's parameters; they are forgotten.
fn gradients(conv: &Conv2d) -> [Tensor; 2] {
    [&conv.weight, conv.bias.as_ref().unwrap()].map(|parameter| {
        let gradient = parameter.grad().copy();
        let _ = parameter.grad().zero_();
        gradient
    })
}

/// Output channels, kernel size and images of convolutions: the tutorial's, batches of one and of
/// many, odd sizes, and some that are libtorch's own.
const CONVOLUTIONS: [(i64, i64, [i64; 4]); 12] = [
    (6, 5, [4, 3, 32, 32]),
    (16, 5, [4, 6, 14, 14]),
    (6, 5, [64, 3, 32, 32]),
    (16, 5, [33, 6, 14, 14]),
    (6, 5, [1, 1, 28, 28]),
    (11, 3, [2, 7, 9, 13]),
    (13, 3, [5, 15, 20, 17]),
    (9, 5, [2, 6, 40, 70]),
    (7, 5, [1, 8, 6, 5]),
    (16, 3, [2, 3, 6, 4]),
    (4, 5, [2, 3, 12, 12]),
    (32, 5, [2, 16, 14, 14]),
];

#[test]
fn values_and_gradients_have_libtorchs_bits() {
    let _turn = seeded(0);
    for threads in [1, 2] {
        tch::set_num_threads(threads);
        for (out_channels, kernel_size, size) in CONVOLUTIONS {
            let what = format!("{size:?} to {out_channels} by {kernel_size}, {threads} threads");
            let (conv, _vs) = layer(size[1], out_channels, kernel_size);
            for wants_input in [false, true] {
                let images = || numbers(&size).set_requires_grad(wants_input);
                let (ours, theirs) = (images(), images());
                let output = conv.forward(&ours);
                let weights = numbers(&output.size()).sin();
                output.backward_with(&weights).unwrap();
                let got = gradients(&conv);
                let expected = libtorchs(&conv, &theirs);
                expected.backward_with(&weights).unwrap();
                assert_eq!(output.size(), expected.size(), "{what}");
                assert_eq!(bits(&output), bits(&expected), "{what}");
                for (got, expected) in got.iter().zip(&gradients(&conv)) {
                    assert_eq!(bits(got), bits(expected), "{what}");
                }
                if wants_input {
                    assert_eq!(bits(&ours.grad()), bits(&theirs.grad()), "{what}");
                }
            }
        }
    }
}

#[test]
fn other_inputs_go_to_libtorch() {
    let _turn = seeded(0);
    tch::set_num_threads(1);
    let (mut conv, _vs) = layer(3, 6, 5);
    let images = numbers(&[2, 3, 16, 20]);
    let same = |conv: &Conv2d, images: &Tensor| {
        assert_eq!(values(&conv.forward(images)), values(&libtorchs(conv, images)));
    };
    same(&conv, &numbers(&[3, 16, 20]));
    same(&conv, &images.transpose(2, 3));
    same(&conv, &images.slice(3, 1, None, 2));
    for refused in [images.to_kind(Kind::Double), numbers(&[2, 4, 16, 20]), numbers(&[2, 3, 4, 20])]
    {
        assert!(matches!(conv.f_forward(&refused), Err(blitz::Error::Layer { .. })));
    }
    conv.bias = None;
    same(&conv, &images);
}

#[test]
fn the_graph_is_libtorchs_and_gives_second_derivatives() {
    let _turn = seeded(0);
    tch::set_num_threads(1);
    let (conv, _vs) = layer(6, 6, 3);
    let images = numbers(&[2, 6, 5, 7]).set_requires_grad(true);
    let seconds = [conv.forward(&images), libtorchs(&conv, &images)].map(|output| {
        assert_eq!(format!("{}", repr(&output)).matches("ConvolutionBackward0").count(), 1);
        let cubes = (&output * &output * &output).sum(Kind::Float);
        let create_graph = autograd::GradOptions { create_graph: true, ..Default::default() };
        let first = autograd::grad(&[&cubes], &[&images], &create_graph).unwrap().remove(0);
        let sum = (&first * &first).sum(Kind::Float);
        autograd::grad(&[&sum], &[&conv.weight], &Default::default()).unwrap().remove(0)
    });
    assert!(seconds[0].allclose(&seconds[1], 1e-5, 1e-5, false));
}

#[test]
fn frozen_parts_get_no_gradient_and_the_others_get_theirs() {
    let _turn = seeded(0);
    tch::set_num_threads(1);
    for frozen in ["weight", "bias", "both"] {
        let (conv, _vs) = layer(6, 8, 3);
        let bias = conv.bias.as_ref().unwrap();
        let _ = conv.weight.set_requires_grad(frozen == "bias");
        let _ = bias.set_requires_grad(frozen == "weight");
        let images = || numbers(&[2, 6, 5, 7]).set_requires_grad(true);
        let (ours, theirs) = (images(), images());
        conv.forward(&ours).sum(Kind::Float).backward();
        assert_eq!(conv.weight.grad().defined(), frozen == "bias", "{frozen}");
        assert_eq!(bias.grad().defined(), frozen == "weight", "{frozen}");
        libtorchs(&conv, &theirs).sum(Kind::Float).backward();
        assert_eq!(bits(&ours.grad()), bits(&theirs.grad()), "{frozen}");
    }
}

#[test]
fn a_graph_is_used_once_and_its_tensors_stay_as_they_were() {
    let _turn = seeded(0);
    tch::set_num_threads(1);
    let (mut conv, _vs) = layer(3, 6, 5);
    let images = numbers(&[2, 3, 12, 12]);
    let sum = conv.forward(&images).sum(Kind::Float);
    sum.backward();
    assert!(sum.f_backward().is_err());
    let leaf = numbers(&[2, 3, 12, 12]).set_requires_grad(true);
    let scaled = &leaf * 2;
    let sum = conv.forward(&scaled).sum(Kind::Float);
    let _ = tch::no_grad(|| scaled.shallow_clone().fill_(0.0));
    let told = first_line(&sum.f_backward().unwrap_err());
    assert!(told.contains("modified by an inplace operation"), "{told}");
    // Without a graph nothing is kept.
    assert!(!tch::no_grad(|| conv.forward(&images)).requires_grad());
    let _ = tch::no_grad(|| conv.weight.fill_(0.0));
    assert!(conv.forward(&images).requires_grad());
}
