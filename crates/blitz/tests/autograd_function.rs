//! Functions with a backward of one's own, and the check of it.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Arc, Mutex};

use blitz::autograd::{
    self, Autograd, BackwardOptions, Context, Function, GradOptions, GradcheckOptions, gradcheck,
};
use blitz::tch::{self, Device, Kind, Tensor, no_grad, with_grad};
use blitz::{Error, Result};
use common::{floats, reference, values};
use serde_json::Value;

fn leaf(values: &[f64]) -> Tensor {
    Tensor::from_slice(values).set_requires_grad(true)
}

fn backward(tensor: &Tensor) -> Result<()> {
    autograd::backward(&[tensor], &BackwardOptions::default())
}

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

struct MyReLU;

impl Function for MyReLU {
    type Output = Tensor;

    fn forward(&self, ctx: &mut Context, [x]: [&Tensor; 1]) -> Result<Tensor> {
        ctx.save_for_backward(&[x]);
        Ok(x.clamp_min(0.0))
    }

    fn backward(&self, ctx: &Context, gradient: Tensor) -> Result<[Option<Tensor>; 1]> {
        let [x] = ctx.saved_tensors()?;
        Ok([Some(gradient * x.gt(0.0))])
    }
}

struct LegendrePolynomial3;

impl Function for LegendrePolynomial3 {
    type Output = Tensor;

    fn forward(&self, ctx: &mut Context, [x]: [&Tensor; 1]) -> Result<Tensor> {
        ctx.save_for_backward(&[x]);
        Ok(0.5 * (5.0 * x.pow_tensor_scalar(3) - 3.0 * x))
    }

    fn backward(&self, ctx: &Context, gradient: Tensor) -> Result<[Option<Tensor>; 1]> {
        let [x] = ctx.saved_tensors()?;
        Ok([Some(gradient * 1.5 * (5.0 * x.pow_tensor_scalar(2) - 1.0))])
    }
}

/// Saves its output.
struct Exp;

impl Function for Exp {
    type Output = Tensor;

    fn forward(&self, ctx: &mut Context, [x]: [&Tensor; 1]) -> Result<Tensor> {
        let y = x.exp();
        ctx.save_for_backward(&[&y]);
        Ok(y)
    }

    fn backward(&self, ctx: &Context, gradient: Tensor) -> Result<[Option<Tensor>; 1]> {
        let [y] = ctx.saved_tensors()?;
        Ok([Some(gradient * y)])
    }
}

/// Two inputs, two outputs, an option, and a record of what was wanted.
struct ScaledProduct {
    scale: f64,
    wanted: Arc<Mutex<Vec<[bool; 3]>>>,
}

fn wanted(ctx: &Context) -> [bool; 3] {
    [0, 1, 2].map(|index| ctx.needs_input_grad(index))
}

impl Function<2> for ScaledProduct {
    type Output = [Tensor; 2];

    fn forward(&self, ctx: &mut Context, [a, b]: [&Tensor; 2]) -> Result<[Tensor; 2]> {
        self.wanted.lock().unwrap().push(wanted(ctx));
        ctx.save_for_backward(&[a, b]);
        Ok([a * b * self.scale, a + b])
    }

    fn backward(&self, ctx: &Context, [p, s]: [Tensor; 2]) -> Result<[Option<Tensor>; 2]> {
        self.wanted.lock().unwrap().push(wanted(ctx));
        let [a, b] = ctx.saved_tensors()?;
        let gradient = |other: Tensor| &p * other * self.scale + &s;
        Ok([
            ctx.needs_input_grad(0).then(|| gradient(b)),
            ctx.needs_input_grad(1).then(|| gradient(a)),
        ])
    }
}

fn scaled_product() -> ScaledProduct {
    ScaledProduct { scale: 3.0, wanted: Arc::default() }
}

#[test]
fn my_relu_between_two_layers() {
    let expected = &reference("autograd")["my_relu"];
    tch::manual_seed(0);
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

#[test]
fn several_inputs_and_outputs() {
    let (a, b) = (leaf(&[2.0, 3.0]), leaf(&[5.0, 7.0]));
    let function = scaled_product();
    let asked = Arc::clone(&function.wanted);
    let [product, sum] = function.apply([&a, &b]).unwrap();
    let node = product.grad_fn().unwrap();
    assert_eq!(node.name(), "ScaledProductBackward");
    assert_eq!(sum.grad_fn(), Some(node));
    assert_eq!((product.output_nr(), sum.output_nr()), (0, 1));
    // Only one output is used; the gradient of the other arrives as zeros.
    product.sum(None).backward();
    assert_eq!(values(&a.grad()), [15.0, 21.0]);
    assert_eq!(values(&b.grad()), [6.0, 9.0]);
    assert_eq!(*asked.lock().unwrap(), [[true, true, false]; 2]);
}

#[test]
fn unneeded_gradients_are_not_asked_for() {
    let (a, b, frozen) = (leaf(&[2.0]), leaf(&[5.0]), Tensor::from_slice(&[4.0]));
    let function = scaled_product();
    let asked = Arc::clone(&function.wanted);
    let [product, _] = function.apply([&a, &frozen]).unwrap();
    product.backward();
    assert_eq!(*asked.lock().unwrap(), [[true, false, false]; 2]);
    let edges = product.grad_fn().unwrap().next_functions();
    assert!(edges[0].function.is_some() && edges[1].function.is_none());
    // grad of one input only.
    let function = scaled_product();
    let asked = Arc::clone(&function.wanted);
    let [product, _] = function.apply([&a, &b]).unwrap();
    let gradient = autograd::grad(&[&product], &[&b], &GradOptions::default()).unwrap().remove(0);
    assert_eq!(values(&gradient), [6.0]);
    assert_eq!(asked.lock().unwrap()[1], [false, true, false]);
}

#[test]
fn nothing_is_recorded_where_nobody_asks() {
    let x = leaf(&[-1.0, 2.0]);
    let y = no_grad(|| MyReLU.apply([&x])).unwrap();
    assert!(y.grad_fn().is_none() && !y.requires_grad());
    let y = MyReLU.apply([&x.detach()]).unwrap();
    assert!(y.grad_fn().is_none());
    assert_eq!(values(&y), [0.0, 2.0]);
    // apply has put the recording back.
    assert!((&x * 1.0).requires_grad());
}

/// Gives whatever the closures say.
struct Custom<F, B> {
    forward: F,
    backward: B,
}

impl<F, B> Function for Custom<F, B>
where
    F: Fn(&mut Context, &Tensor) -> Result<Vec<Tensor>> + Send + 'static,
    B: Fn(&Context, Vec<Tensor>) -> Result<Option<Tensor>> + Send + 'static,
{
    type Output = Vec<Tensor>;

    fn forward(&self, ctx: &mut Context, [x]: [&Tensor; 1]) -> Result<Vec<Tensor>> {
        (self.forward)(ctx, x)
    }

    fn backward(&self, ctx: &Context, gradients: Vec<Tensor>) -> Result<[Option<Tensor>; 1]> {
        Ok([(self.backward)(ctx, gradients)?])
    }
}

/// Doubles; the backward is given.
fn double(
    x: &Tensor,
    backward: impl Fn(&Context, Vec<Tensor>) -> Result<Option<Tensor>> + Send + 'static,
) -> Tensor {
    let forward = |ctx: &mut Context, x: &Tensor| {
        ctx.save_for_backward(&[x]);
        Ok(vec![x * 2.0])
    };
    Custom { forward, backward }.apply([x]).unwrap().remove(0).sum(None)
}

#[test]
fn wrong_gradients_of_the_backward_are_named() {
    let x = leaf(&[1.0, 2.0]);
    let message = |y: Tensor| backward(&y).unwrap_err().to_string();
    let wrong = double(&x, |_, _| Ok(Some(Tensor::from_slice(&[1.0, 2.0, 3.0]))));
    assert_eq!(
        message(wrong),
        "CustomBackward failed: it expected a gradient like inputs[0], Double [2], got Double [3]"
    );
    let kind = double(&x, |_, _| Ok(Some(Tensor::from_slice(&[true, false]))));
    assert!(message(kind).ends_with("Double [2], got Bool [2]"));
    let undefined = double(&x, |_, _| Ok(Some(Tensor::new())));
    assert!(message(undefined).ends_with("got an undefined tensor"));
    assert!(!x.grad().defined());
    // What PyTorch lets pass: a broadcast axis is summed, f32 becomes f64, None is no gradient.
    let summed = double(&x, |_, _| Ok(Some(Tensor::ones([3, 2], (Kind::Float, Device::Cpu)))));
    backward(&summed).unwrap();
    assert_eq!((values(&x.grad()), x.grad().kind()), (vec![3.0, 3.0], Kind::Double));
    backward(&double(&x, |_, _| Ok(None))).unwrap();
    assert_eq!(values(&x.grad()), [3.0, 3.0]);
}

#[test]
fn errors_and_panics_reach_the_caller() {
    let x = leaf(&[1.0, 2.0]);
    let error = backward(&double(&x, |_, _| Err("x is odd. It must be even".into()))).unwrap_err();
    assert_eq!(error.to_string(), "CustomBackward failed: x is odd. It must be even");
    assert!(matches!(error, Error::Backward { place, .. } if place == "CustomBackward"));
    let error = double(&x, |_, _| Err("no".into())).f_backward().map_err(Error::from);
    assert_eq!(error.unwrap_err().to_string(), "CustomBackward failed: no");
    let error = backward(&double(&x, |_, _| panic!("at {}", 7))).unwrap_err().to_string();
    assert_eq!(error, "CustomBackward failed: it panicked: at 7");
    let nested = double(&x, |_, _| {
        let inner = with_grad(|| double(&leaf(&[1.0]), |_, _| Err("inner".into())));
        backward(&inner)?;
        Ok(None)
    });
    let error = backward(&nested).unwrap_err().to_string();
    assert_eq!(error, "CustomBackward failed: CustomBackward failed: inner");
    // In the forward they are not changed at all.
    let failing =
        Custom { forward: |_: &mut Context, _: &Tensor| Err("no".into()), backward: zero };
    assert_eq!(failing.apply([&x]).unwrap_err().to_string(), "no");
    assert!((&x * 1.0).requires_grad());
}

fn zero(_: &Context, _: Vec<Tensor>) -> Result<Option<Tensor>> {
    Ok(None)
}

#[test]
fn saved_tensors_are_guarded() {
    let text = |result: Result<()>| result.unwrap_err().to_string();
    let x = leaf(&[1.0, 2.0]);
    // Changed in place after it was saved.
    let mut inner = &x * 1.0;
    let y = MyReLU.apply([&inner]).unwrap().sum(None);
    let _ = inner.fill_(5.0);
    let error = text(backward(&y));
    assert!(error.starts_with("MyReLUBackward failed: libtorch refused saved_tensors"), "{error}");
    assert!(error.contains("modified by an inplace operation"), "{error}");
    // Freed by an earlier pass.
    let y = MyReLU.apply([&x]).unwrap();
    let gradient = Tensor::from_slice(&[1.0, 1.0]);
    y.backward_with(&gradient).unwrap();
    let error = text(y.backward_with(&gradient));
    assert!(
        error.contains("MyReLUBackward failed") && error.contains("freed the graph"),
        "{error}"
    );
    // Another number.
    let y = double(&x, |ctx, _| {
        let [a, _b] = ctx.saved_tensors()?;
        Ok(Some(a))
    });
    assert!(text(backward(&y)).ends_with("expected 2 tensors kept by save_for_backward, got 1"));
    // In the forward.
    let early = |ctx: &mut Context, x: &Tensor| {
        ctx.save_for_backward(&[x]);
        ctx.saved_tensors::<1>().map(Vec::from)
    };
    let error = Custom { forward: early, backward: zero }.apply([&x]).unwrap_err().to_string();
    assert!(error.starts_with("saved_tensors expected to be called in backward"), "{error}");
}

#[test]
fn a_retained_graph_runs_the_backward_again() {
    let x = leaf(&[3.0]);
    let y = Exp.apply([&x]).unwrap();
    let retain = BackwardOptions { retain_graph: Some(true), ..Default::default() };
    autograd::backward(&[&y], &retain).unwrap();
    autograd::backward(&[&y], &retain).unwrap();
    assert_eq!(x.grad().double_value(&[]), 2.0 * 3f64.exp());
}

#[test]
fn outputs_may_be_inputs_views_or_without_gradient() {
    let x = leaf(&[1.0, 2.0]);
    let pass = |backward_sees: usize, forward: fn(&mut Context, &Tensor) -> Result<Vec<Tensor>>| {
        let backward = move |_: &Context, gradients: Vec<Tensor>| {
            assert_eq!(gradients.len(), backward_sees);
            Ok(Some(&gradients[0] * 10.0))
        };
        Custom { forward, backward }.apply([&x]).unwrap()
    };
    // The input itself: the output is another handle, in the graph.
    let same = pass(1, |_, x| Ok(vec![x.shallow_clone()])).remove(0);
    assert_eq!(same.grad_fn().unwrap().name(), "CustomBackward");
    assert!(x.is_leaf());
    same.sum(None).backward();
    assert_eq!(values(&x.grad()), [10.0, 10.0]);
    // A view of it.
    let view = pass(1, |_, x| Ok(vec![x.view([2, 1])])).remove(0);
    assert_eq!(view.grad_fn().unwrap().name(), "CustomBackward");
    // Marked, and of integers.
    let outputs = pass(3, |ctx, x| {
        let mask = x.gt(0.0).to_kind(Kind::Double);
        ctx.mark_non_differentiable(&[&mask]);
        Ok(vec![x * 2.0, mask, x.to_kind(Kind::Int64)])
    });
    let requires: Vec<bool> = outputs.iter().map(Tensor::requires_grad).collect();
    assert_eq!(requires, [true, false, false]);
    outputs[0].sum(None).backward();
    assert_eq!(values(&x.grad()), [20.0, 20.0]);
}

#[test]
fn functions_may_work_in_place() {
    let forward = |ctx: &mut Context, x: &Tensor| {
        let mut x = x.shallow_clone();
        let _ = x.g_mul_scalar_(2.0);
        ctx.mark_dirty(&[&x]);
        Ok(vec![x])
    };
    let backward = |_: &Context, gradients: Vec<Tensor>| Ok(Some(&gradients[0] * 2.0));
    let x = leaf(&[1.0, 2.0]);
    let inner = &x * 5.0;
    let y = Custom { forward, backward }.apply([&inner]).unwrap().remove(0);
    assert_eq!(values(&inner), [10.0, 20.0]);
    assert_eq!(inner.grad_fn(), y.grad_fn());
    y.sum(None).backward();
    assert_eq!(values(&x.grad()), [10.0, 10.0]);
    // A leaf that requires grad may not be changed.
    assert!(Custom { forward, backward }.apply([&x]).is_err());
}

#[test]
fn undefined_tensors_and_empty_outputs_are_refused() {
    let x = leaf(&[1.0]);
    let apply = |forward: fn(&mut Context, &Tensor) -> Result<Vec<Tensor>>, x: &Tensor| {
        Custom { forward, backward: zero }.apply([x]).unwrap_err().to_string()
    };
    let same = |_: &mut Context, x: &Tensor| Ok(vec![x * 1.0]);
    let input = "apply expected an input to be a tensor, got an undefined tensor";
    assert_eq!(apply(same, &Tensor::new()), input);
    let output = "apply expected an output to be a tensor, got";
    assert_eq!(apply(|_, _| Ok(vec![]), &x), format!("{output} none"));
    assert_eq!(apply(|_, _| Ok(vec![Tensor::new()]), &x), format!("{output} an undefined tensor"));
}

#[test]
fn the_function_is_dropped_with_its_graph() {
    let function = scaled_product();
    let alive = Arc::clone(&function.wanted);
    let x = leaf(&[1.0]);
    let [product, sum] = function.apply([&x, &x]).unwrap();
    assert_eq!(Arc::strong_count(&alive), 2);
    drop((product, sum));
    assert_eq!(Arc::strong_count(&alive), 1);
    // Where nothing is recorded it goes at once.
    let function = ScaledProduct { scale: 1.0, wanted: Arc::clone(&alive) };
    let _outputs = no_grad(|| function.apply([&x, &x])).unwrap();
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn backward_runs_on_whichever_thread() {
    let x = leaf(&[0.5, -0.5]);
    let y = MyReLU.apply([&x]).unwrap().sum(None);
    y.retain_grad().unwrap();
    std::thread::spawn(move || y.backward()).join().unwrap();
    assert_eq!(values(&x.grad()), [1.0, 0.0]);
}
