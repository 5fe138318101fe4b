//! The tutorials' functions against PyTorch, and gradcheck.

use crate::common::{self, floats, reference, seeded, values};
use crate::double_leaf as leaf;
use crate::examples::{Exp, LegendrePolynomial3, MyReLU, scaled_product};
use blitz::autograd::{
    self, Autograd, Context, Function, GradOptions, GradcheckOptions, gradcheck,
};
use blitz::tch::{Device, Kind, Tensor, no_grad};
use blitz::{Error, Result};
use serde_json::Value;

fn check<const N: usize>(
    function: impl Fn([&Tensor; N]) -> Result<Tensor>,
    inputs: [&Tensor; N],
) -> Result<()> {
    gradcheck(function, inputs, &GradcheckOptions::default())
}

fn assert_close(got: &[f64], expected: &Value) {
    let expected = floats(expected);
    let scale = expected.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
    let difference = common::difference(got, &expected);
    assert!(difference <= 1e-6 * scale, "{difference} of {scale}");
}

#[test]
fn my_relu_between_two_layers() {
    let expected = &reference("autograd")["my_relu"];
    let _turn = seeded(0);
    let randn = |shape: [i64; 2]| Tensor::randn(shape, (Kind::Float, Device::Cpu));
    let (x, target) = (randn([4, 5]), randn([4, 2]));
    let w1 = randn([5, 3]).set_requires_grad(true);
    let w2 = randn([3, 2]).set_requires_grad(true);
    let hidden = MyReLU.apply([&x.mm(&w1)]).unwrap();
    let loss = (hidden.mm(&w2) - target).pow_tensor_scalar(2).sum(None);
    let next = |node: &autograd::Node| node.next_functions().into_iter().find_map(|e| e.function);
    let chain = std::iter::successors(loss.grad_fn(), next).map(|node| node.name());
    assert_eq!(Value::from_iter(chain), expected["chain"]);
    assert_eq!(hidden.grad_fn().unwrap().name(), expected["name"]);
    loss.backward();
    assert_close(&values(&loss), &expected["loss"]);
    assert_close(&values(&w1.grad()), &expected["w1"]);
    assert_close(&values(&w2.grad()), &expected["w2"]);
}

#[test]
fn a_fit_by_a_polynomial_of_ones_own() {
    let expected = &reference("autograd")["legendre"];
    let x = Tensor::linspace(-3.0, 3.0, 50, (Kind::Float, Device::Cpu));
    let y = x.sin();
    let mut parameters =
        [0.0f32, -1.0, 0.0, 0.3].map(|value| Tensor::from(value).set_requires_grad(true));
    let mut losses = Vec::new();
    for _ in 0..20 {
        let [a, b, c, d] = parameters.each_ref();
        let p3 = LegendrePolynomial3.apply([&(c + d * &x)]).unwrap();
        let loss = (a + b * p3 - &y).pow_tensor_scalar(2).sum(None);
        losses.push(loss.double_value(&[]));
        loss.backward();
        no_grad(|| {
            for parameter in &mut parameters {
                *parameter -= parameter.grad() * 1e-4;
                parameter.zero_grad();
            }
        });
    }
    assert_close(&losses, &expected["losses"]);
    assert_close(&parameters.map(|p| p.double_value(&[])), &expected["parameters"]);
}

#[test]
fn gradcheck_proves_right_backwards() {
    let x = leaf(&[0.3, -1.2, 2.5]);
    let y = leaf(&[1.5, 0.25, -0.75]);
    check(|x| MyReLU.apply(x), [&x]).unwrap();
    check(|x| LegendrePolynomial3.apply(x), [&x]).unwrap();
    check(|x| Exp.apply(x), [&x]).unwrap();
    let options = GradcheckOptions::default();
    gradcheck(|ab| scaled_product().apply(ab), [&x, &y], &options).unwrap();
    gradcheck(|ab| scaled_product().apply(ab), [&x, &y.detach()], &options).unwrap();
    assert!(!x.grad().defined());
    // The second derivative, by the derivative of the first.
    let derivative = |[x]: [&Tensor; 1]| -> Result<Tensor> {
        let y = LegendrePolynomial3.apply([x])?.sum(None);
        let options = GradOptions { create_graph: true, ..Default::default() };
        Ok(autograd::grad(&[&y], &[x], &options)?.remove(0))
    };
    let first = derivative([&x]).unwrap();
    assert!(first.requires_grad());
    let second = autograd::grad(&[&first.sum(None)], &[&x], &GradOptions::default()).unwrap();
    let expected = values(&(15.0 * &x));
    assert!(common::difference(&values(&second[0]), &expected) < 1e-12);
}

#[test]
fn the_saved_output_takes_part_in_double_backward() {
    let x = leaf(&[0.5]);
    let mut derivative = Exp.apply([&x]).unwrap();
    let create_graph = GradOptions { create_graph: true, ..Default::default() };
    for _ in 0..3 {
        derivative = autograd::grad(&[&derivative], &[&x], &create_graph).unwrap().remove(0);
        assert!((derivative.double_value(&[]) - 0.5f64.exp()).abs() < 1e-12);
    }
}

#[test]
fn gradcheck_finds_a_wrong_backward() {
    struct Wrong;
    impl Function for Wrong {
        type Output = Tensor;
        fn forward(&self, _: &mut Context, [x]: [&Tensor; 1]) -> Result<Tensor> {
            Ok(x * 2.0)
        }
        fn backward(&self, _: &Context, gradient: Tensor) -> Result<[Option<Tensor>; 1]> {
            Ok([Some(gradient * 3.0)])
        }
    }
    let x = leaf(&[1.0, 2.0]);
    let error = check(|x| Wrong.apply(x), [&x]).unwrap_err();
    assert!(matches!(
        error,
        Error::Gradient { output: 0, output_element: 0, input: 0, input_element: 0, .. }
    ));
    let error = error.to_string();
    assert!(error.contains("the derivative of outputs[0] element 0 by inputs[0]"), "{error}");
    assert!(error.contains("but 3 by the backward"), "{error}");
    // A path that the backward does not know counts as zero.
    let error = check(|[a, b]| Ok(a * b.detach()), [&x, &leaf(&[3.0, 4.0])]).unwrap_err();
    assert!(matches!(error, Error::Gradient { input: 1, backward: 0.0, .. }), "{error}");
}

#[test]
fn gradcheck_refuses_what_it_cannot_check() {
    let text = |result: Result<()>| result.unwrap_err().to_string();
    let single = Tensor::from_slice(&[1f32]).set_requires_grad(true);
    assert!(text(check(|[x]| Ok(x * 2.0), [&single])).contains("inputs of f64"));
    let constant = Tensor::from(1.0);
    assert!(text(check(|[x]| Ok(x * 2.0), [&constant])).contains("an input that requires grad"));
    let x = leaf(&[1.0]);
    assert!(text(check(|[x]| Ok(x.detach()), [&x])).contains("output that requires grad"));
    assert!(text(check(|[_]| Err("out of order".into()), [&x])).contains("out of order"));
}
