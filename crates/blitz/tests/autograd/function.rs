//! What functions with a backward of one's own may do, and what is refused.

use std::sync::Arc;

use crate::common::values;
use crate::double_leaf as leaf;
use crate::examples::{Exp, MyReLU, ScaledProduct, scaled_product};
use blitz::autograd::{self, Autograd, BackwardOptions, Context, Function, GradOptions};
use blitz::tch::{Device, Kind, Tensor, no_grad, with_grad};
use blitz::{Error, Result};

fn backward(tensor: &Tensor) -> Result<()> {
    autograd::backward(&[tensor], &BackwardOptions::default())
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
