//! The pooling layer's own loop against libtorch's operator, bit by bit: values, gradients, graph.

use crate::common::{bits, values};
use blitz::prelude::*;

/// Pictures with ties, infinities, NaN and both zeros.
fn images(size: &[i64]) -> Tensor {
    let count = size.iter().product::<i64>();
    let numbers = (Tensor::arange(count, (Kind::Int64, Device::Cpu)) * 37).remainder(13) - 6;
    let images = numbers.to_kind(Kind::Float).view(size);
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0];
    for (index, value) in special.into_iter().cycle().take(count as usize / 7).enumerate() {
        let _ = images.view(-1).get(index as i64 * 7).fill_(value);
    }
    images
}

#[test]
fn values_and_gradients_have_libtorchs_bits() {
    let sizes: [&[i64]; 7] = [
        &[4, 6, 28, 28],
        &[4, 16, 10, 10],
        &[2, 3, 2, 2],
        &[1, 2, 5, 7],
        &[3, 1, 16, 33],
        &[1, 1, 3, 100],
        &[2, 2, 18, 16],
    ];
    for size in sizes {
        let [ours, theirs] = [(); 2].map(|()| images(size).set_requires_grad(true));
        let pooled = MaxPool2d::new(2).f_forward(&ours).unwrap();
        let expected = theirs.max_pool2d_default(2);
        assert_eq!(pooled.size(), expected.size());
        assert_eq!(bits(&pooled), bits(&expected), "{size:?}");
        let count = pooled.numel() as i64;
        let weights = Tensor::arange(count, (Kind::Float, Device::Cpu)).view_as(&pooled) + 1.0;
        pooled.backward_with(&weights).unwrap();
        expected.backward_with(&weights).unwrap();
        assert_eq!(bits(&ours.grad()), bits(&theirs.grad()), "{size:?}");
    }
}

#[test]
fn windows_of_minus_infinity_and_of_nan_alone_keep_libtorchs_choice() {
    for value in [f64::NEG_INFINITY, f64::NAN] {
        let full = || Tensor::full([1, 1, 4, 6], value, (Kind::Float, Device::Cpu));
        let [ours, theirs] = [(); 2].map(|()| full().set_requires_grad(true));
        MaxPool2d::new(2).f_forward(&ours).unwrap().sum(Kind::Float).backward();
        theirs.max_pool2d_default(2).sum(Kind::Float).backward();
        assert_eq!(values(&ours.grad()), values(&theirs.grad()));
    }
}

#[test]
fn the_graph_is_libtorchs_and_gives_second_derivatives() {
    let input = images(&[1, 1, 4, 4]).nan_to_num(0.0, 9.0, -9.0).set_requires_grad(true);
    let pooled = MaxPool2d::new(2).forward(&input);
    assert_eq!(format!("{}", repr(&pooled)).matches("MaxPool2DWithIndicesBackward0").count(), 1);
    let cubes = (&pooled * &pooled * &pooled).sum(Kind::Float);
    let create_graph = autograd::GradOptions { create_graph: true, ..Default::default() };
    let first = autograd::grad(&[&cubes], &[&input], &create_graph).unwrap().remove(0);
    let second = autograd::grad(&[&first.sum(Kind::Float)], &[&input], &Default::default());
    let second = second.unwrap().remove(0);
    let expected = 6.0 * pooled.sum(Kind::Double).double_value(&[]);
    assert!((second.sum(Kind::Double).double_value(&[]) - expected).abs() < 1e-4);
}

#[test]
fn a_second_backward_pass_is_refused_and_other_inputs_go_to_libtorch() {
    let input = images(&[1, 2, 4, 4]).set_requires_grad(true);
    let sum = MaxPool2d::new(2).forward(&input).sum(Kind::Float);
    sum.backward();
    assert!(sum.f_backward().is_err());
    let pool = MaxPool2d::new(2);
    for other in [
        images(&[2, 3, 4, 6]).to_kind(Kind::Double),
        images(&[2, 3, 6, 4]).transpose(2, 3),
        images(&[3, 4, 6]),
    ] {
        let (got, expected) = (pool.f_forward(&other).unwrap(), other.max_pool2d_default(2));
        assert_eq!(bits(&got), bits(&expected));
    }
    assert!(!tch::no_grad(|| pool.forward(&input)).requires_grad());
    assert!(pool.f_forward(&images(&[1, 1, 1, 4])).is_err());
    assert!(pool.f_forward(&Tensor::zeros([1, 1, 4, 4], (Kind::Int64, Device::Cpu))).is_ok());
}
