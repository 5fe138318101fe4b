//! Hooks, functions of one's own and the graph. On a GPU, libtorch runs the backward pass on a
//! thread of its own.

use std::sync::mpsc;
use std::thread;

use blitz::autograd::graph::Detail;
use blitz::autograd::{GradOptions, GradcheckOptions, grad, gradcheck};
use blitz::prelude::*;

use crate::{assert_near, device, formula};

fn leaf(shape: &[i64]) -> Tensor {
    formula(shape, device()).set_requires_grad(true)
}

#[test]
#[ignore = "needs a CUDA device"]
fn hooks_see_and_replace_gradients() {
    let (sender, receiver) = mpsc::channel();
    let x = leaf(&[2, 5]);
    let y = x.square();
    y.retain_grad().unwrap();
    let handle = y
        .register_hook(move |gradient| {
            sender.send((gradient.device(), gradient.size(), thread::current().id())).unwrap();
            Some(gradient * 10.0)
        })
        .unwrap();
    y.sum(Kind::Float).backward();
    let (seen_on, size, on_thread) = receiver.recv().unwrap();
    assert_eq!((seen_on, size), (device(), vec![2, 5]));
    assert_eq!(on_thread == thread::current().id(), device() == Device::Cpu);
    assert_near(&x.grad(), &(formula(&[2, 5], Device::Cpu) * 20.0), 1e-6, 1e-6);
    handle.remove();
    let again = leaf(&[2, 5]);
    again.square().sum(Kind::Float).backward();
    assert_near(&again.grad(), &(formula(&[2, 5], Device::Cpu) * 2.0), 1e-6, 1e-6);
}

#[test]
#[ignore = "needs a CUDA device"]
fn errors_of_hooks_come_back_to_who_waits() {
    let backward = |hook: fn(&Tensor) -> Option<Tensor>| {
        let x = leaf(&[3]);
        let y = x.exp();
        let _handle = y.register_hook(hook).unwrap();
        y.backward_with(&formula(&[3], device())).unwrap_err().to_string()
    };
    let message = backward(|_| panic!("the hook's own words"));
    assert!(message.contains("it panicked: the hook's own words"), "{message}");
    let message = backward(|gradient| Some(gradient.narrow(0, 0, 2)));
    assert!(message.contains("a replacement like the gradient"), "{message}");
    if device().is_cuda() {
        let message = backward(|gradient| Some(gradient.to_device(Device::Cpu)));
        assert!(message.contains("a replacement like the gradient"), "{message}");
    }
    // The device's thread lives on.
    let x = leaf(&[3]);
    x.square().sum(Kind::Float).backward();
    assert_near(&x.grad(), &(formula(&[3], Device::Cpu) * 2.0), 1e-6, 1e-6);
}

/// x · |y|, with a choice of failures.
struct Scaled {
    fails: bool,
}

impl Function<2> for Scaled {
    type Output = Tensor;

    fn forward(&self, ctx: &mut Context, [x, y]: [&Tensor; 2]) -> blitz::Result<Tensor> {
        ctx.save_for_backward(&[x, y]);
        Ok(x * y.abs())
    }

    fn backward(&self, ctx: &Context, gradient: Tensor) -> blitz::Result<[Option<Tensor>; 2]> {
        if self.fails {
            return Err("the function's own words".into());
        }
        let [x, y] = ctx.saved_tensors()?;
        Ok([Some(&gradient * y.abs()), Some(gradient * x * y.sign())])
    }
}

#[test]
#[ignore = "needs a CUDA device"]
fn functions_of_ones_own_have_derivatives_of_both_orders() {
    let double = |shape: &[i64]| {
        (formula(shape, device()).to_kind(Kind::Double) / 7.0 + 0.05).set_requires_grad(true)
    };
    // y is broadcast, so that its gradient is summed.
    let (x, y) = (double(&[3, 2]), double(&[2]));
    let scaled = |[x, y]: [&Tensor; 2]| Scaled { fails: false }.apply([x, y]);
    gradcheck(scaled, [&x, &y], &GradcheckOptions::default()).unwrap();
    let output = scaled([&x, &y]).unwrap().square().sum(Kind::Double);
    let options = GradOptions { create_graph: true, ..GradOptions::default() };
    let first = grad(&[&output], &[&x], &options).unwrap().remove(0);
    let second = grad(&[&first.sum(Kind::Double)], &[&x], &GradOptions::default()).unwrap();
    // d²(x y)²/dx² = 2 y²
    assert_near(&second[0], &(y.square() * 2.0).expand([3, 2], false), 1e-9, 1e-9);
}

#[test]
#[ignore = "needs a CUDA device"]
fn an_error_of_ones_own_backward_comes_back() {
    let output = Scaled { fails: true }.apply([&leaf(&[2, 3]), &leaf(&[3])]).unwrap();
    let message = output.backward_with(&formula(&[2, 3], device())).unwrap_err().to_string();
    assert!(message.contains("the function's own words"), "{message}");
}

#[test]
#[ignore = "needs a CUDA device"]
fn the_graph_of_elementwise_operations_is_that_of_the_cpu() {
    let text = |device: Device| {
        let x = formula(&[4, 3], device).set_requires_grad(true);
        let y = formula(&[3], device).set_requires_grad(true);
        let output = (x.relu() * &y).exp().sum(Kind::Float);
        let options = GraphOptions { detail: Detail::All, ..GraphOptions::default() };
        Graph::of(&output, &options).unwrap().to_text()
    };
    assert_eq!(text(device()), text(Device::Cpu));
}
