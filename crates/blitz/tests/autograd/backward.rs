//! Backward passes, higher derivatives, and what is refused, against PyTorch.

use crate::common::{self, floats, reference, seeded, values};
use crate::leaf;
use blitz::Error;
use blitz::autograd::{self, Autograd, BackwardOptions, GradOptions};
use blitz::tch::{Device, Kind, Tensor, no_grad};
use serde_json::Value;

fn retained() -> BackwardOptions<'static> {
    BackwardOptions { retain_graph: Some(true), ..Default::default() }
}

/// Within 1e-6 of PyTorch, relative to the largest value.
fn assert_close(got: &Tensor, expected: &Value) {
    let expected = floats(expected);
    let scale = expected.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
    let difference = common::difference(&values(got), &expected);
    assert!(difference <= 1e-6 * scale, "{difference} of {scale}");
}

#[track_caller]
fn assert_error<T>(result: blitz::Result<T>, parts: &[&str]) {
    let text = result.err().expect("an error").to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    assert!(!text.contains('\n') && !text.contains("frame #"), "{text}");
}

#[test]
fn products_of_a_vector_with_the_jacobian() {
    let expected = &reference("autograd")["jacobian_product"];
    let mut x = leaf(&[0.5, -1.25, 2.0]);
    let matrix = Tensor::from_slice(&[1f32, -2.0, 0.5, 0.25, 3.0, -1.0]).view([2, 3]);
    let mut w = matrix.set_requires_grad(true);
    let v = Tensor::from_slice(&[1f32, 0.5, -0.75, 2.0, -1.0, 0.1]).view([2, 3]);
    let y = (&w * &x).sin() + x.exp();
    y.backward_with(&v).unwrap();
    assert_close(&y, &expected["y"]);
    assert_close(&x.grad(), &expected["x"]);
    assert_close(&w.grad(), &expected["w"]);

    x.zero_grad();
    w.zero_grad();
    let (p, q) = (w.matmul(&x).tanh(), (&x * &x).sum(None));
    let gradients = [&Tensor::from_slice(&[0.3f32, -2.0]), &Tensor::from(1.5f32)];
    let options = BackwardOptions { gradients: Some(&gradients), ..Default::default() };
    autograd::backward(&[&p, &q], &options).unwrap();
    assert_close(&x.grad(), &expected["two"]["x"]);
    assert_close(&w.grad(), &expected["two"]["w"]);
}

#[test]
fn first_second_and_third_derivatives() {
    let expected = &reference("autograd")["higher_derivatives"];
    let x = Tensor::from_slice(&[0.5f64, 1.5, -2.0]).set_requires_grad(true);
    let y = (x.pow_tensor_scalar(3) * x.sin()).sum(None);
    let derive = |y: &Tensor, create_graph| {
        let options = GradOptions { create_graph, ..Default::default() };
        autograd::grad(&[y], &[&x], &options).unwrap().remove(0)
    };
    let first = derive(&y, true);
    let second = derive(&first.sum(None), true);
    let third = derive(&second.sum(None), false);
    assert_close(&first, &expected["first"]);
    assert_close(&second, &expected["second"]);
    assert_close(&third, &expected["third"]);
    assert!(second.requires_grad() && !third.requires_grad());
    assert!(!x.grad().defined());
}

#[test]
fn retain_grad_keeps_the_gradient_of_an_intermediate() {
    let expected = &reference("autograd")["retain_grad"];
    let _turn = seeded(0);
    let x = Tensor::randn([2, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let y = &x * 2.0;
    y.retain_grad().unwrap();
    y.retain_grad().unwrap();
    x.retain_grad().unwrap();
    assert!(y.retains_grad() && !x.retains_grad());
    y.pow_tensor_scalar(3).mean(None).backward();
    assert_close(&y.grad(), &expected["y"]);
    assert_close(&x.grad(), &expected["x"]);
    let constant = Tensor::from(1.0);
    assert_error(constant.retain_grad(), &["retain_grad expected the tensor to require grad"]);
    assert_error(Tensor::new().retain_grad(), &["an undefined tensor"]);
}

#[test]
fn only_the_chosen_inputs_receive_gradients() {
    let (a, b) = (leaf(&[2.0]), leaf(&[5.0]));
    let product = &a * &b;
    let options = BackwardOptions { inputs: Some(&[&b]), ..Default::default() };
    autograd::backward(&[&product], &options).unwrap();
    assert!(!a.grad().defined());
    assert_eq!(values(&b.grad()), [2.0]);
    // An intermediate may be chosen too, as in Python.
    let inner = &a * 3.0;
    let options = BackwardOptions { inputs: Some(&[&inner]), ..Default::default() };
    autograd::backward(&[&inner.pow_tensor_scalar(2)], &options).unwrap();
    assert_eq!(values(&inner.grad()), [12.0]);
    assert!(!a.grad().defined());
}

#[test]
fn the_graph_can_be_used_twice_only_if_retained() {
    let x = leaf(&[3.0]);
    let y = x.pow_tensor_scalar(2);
    autograd::backward(&[&y], &retained()).unwrap();
    autograd::backward(&[&y], &BackwardOptions::default()).unwrap();
    assert_eq!(values(&x.grad()), [12.0]);
    let remedy = ["freed the graph", "run the forward pass again", "retain_graph: Some(true)"];
    assert_error(autograd::backward(&[&y], &retained()), &remedy);
    assert_error(autograd::grad(&[&y], &[&x], &GradOptions::default()), &remedy);
    assert_error(y.f_backward().map_err(Error::from), &remedy);
    // create_graph retains unless told otherwise.
    let y = x.pow_tensor_scalar(2);
    let create_graph = GradOptions { create_graph: true, ..Default::default() };
    autograd::grad(&[&y], &[&x], &create_graph).unwrap();
    let free = GradOptions { retain_graph: Some(false), ..create_graph };
    autograd::grad(&[&y], &[&x], &free).unwrap();
    assert_error(autograd::grad(&[&y], &[&x], &free), &remedy);
}

#[test]
fn backward_can_record_itself() {
    let x = leaf(&[2.0]);
    let options = BackwardOptions { create_graph: true, ..Default::default() };
    autograd::backward(&[&x.pow_tensor_scalar(3)], &options).unwrap();
    let first = x.grad();
    assert_eq!(values(&first), [12.0]);
    let second = autograd::grad(&[&first], &[&x], &GradOptions::default()).unwrap().remove(0);
    assert_eq!(values(&second), [12.0]);
}

#[test]
fn an_input_without_influence_is_named() {
    let (a, b) = (leaf(&[2.0]), leaf(&[5.0]));
    let y = &a * 4.0;
    let options = GradOptions { retain_graph: Some(true), ..Default::default() };
    let missing = ["outputs that depend on inputs[1]", "grad_allow_unused"];
    assert_error(autograd::grad(&[&y], &[&a, &b], &options), &missing);
    let found = autograd::grad_allow_unused(&[&y], &[&a, &b], &options).unwrap();
    assert_eq!(found[0].as_ref().map(values), Some(vec![4.0]));
    assert!(found[1].is_none());
}

#[test]
fn wrong_gradients_are_refused_before_the_pass() {
    let x = leaf(&[1.0, 2.0]);
    let y = &x * 2.0;
    let plain = BackwardOptions::default();
    let not_scalar = ["a gradient for the tensor, because", "none for Float [2]"];
    assert_error(autograd::backward(&[&y], &plain), &not_scalar);
    let like = "a gradient like the tensor, Float [2], got";
    let three = Tensor::from_slice(&[1f32, 2.0, 3.0]);
    assert_error(y.backward_with(&three), &[like, "got Float [3]"]);
    let double = Tensor::from_slice(&[1f64, 2.0]);
    assert_error(y.backward_with(&double), &[like, "got Double [2]"]);
    assert_error(y.backward_with(&Tensor::new()), &[like, "an undefined tensor"]);
    let two = [&y, &y];
    let options = BackwardOptions { gradients: Some(&two), ..plain };
    assert_error(autograd::backward(&[&y], &options), &["one gradient per tensor, 1", "got 2"]);
    let complex = y.to_kind(Kind::ComplexFloat).sum(None);
    assert_error(autograd::backward(&[&complex], &plain), &["not one real number"]);
    // The graph is untouched.
    y.backward_with(&Tensor::from_slice(&[1f32, 0.0])).unwrap();
    assert_eq!(values(&x.grad()), [2.0, 0.0]);
}

#[test]
fn tensors_without_graph_are_refused() {
    let x = leaf(&[1.0]);
    let constant = Tensor::from(1.0);
    let y = &x * 2.0;
    let plain = BackwardOptions::default();
    let text = ["expected tensors[1] to require grad", "Double [] that does not"];
    assert_error(autograd::backward(&[&y, &constant], &plain), &text);
    assert_error(no_grad(|| &x * 2.0).backward_with(&x), &["the tensor to require grad"]);
    assert_error(autograd::backward(&[], &plain), &["at least one tensor in tensors"]);
    let options = BackwardOptions { inputs: Some(&[&constant]), ..plain };
    assert_error(autograd::backward(&[&y], &options), &["inputs[0] to require grad"]);
    let options = BackwardOptions { inputs: Some(&[]), ..plain };
    assert_error(autograd::backward(&[&y], &options), &["at least one tensor in inputs"]);
    let plain = GradOptions::default();
    assert_error(autograd::grad(&[&y], &[], &plain), &["at least one tensor in inputs"]);
    assert_error(autograd::grad(&[], &[&x], &plain), &["at least one tensor in outputs"]);
    assert_error(autograd::grad(&[&y], &[&x, &constant], &plain), &["inputs[1] to require grad"]);
    assert_error(autograd::grad(&[&Tensor::new()], &[&x], &plain), &["an undefined tensor"]);
}

#[test]
fn a_tensor_changed_in_place_is_reported() {
    let x = leaf(&[1.0, 2.0]);
    let mut y = &x * 1.0;
    let z = y.exp().sum(None) + y.pow_tensor_scalar(2).sum(None);
    let _ = y.fill_(0.0);
    let result = autograd::backward(&[&z], &BackwardOptions::default());
    assert_error(result, &["modified by an inplace operation"]);
}
