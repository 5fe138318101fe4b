//! Automatic differentiation: backward passes, functions, hooks, and the graph.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod backward;
mod examples;
mod function;
mod grad_fn;
mod gradcheck;
mod graph;
mod hooks;

use blitz::tch::Tensor;
use blitz::tch::kind::Element;

/// A tensor that gradients are asked for.
fn leaf<T: Element>(values: &[T]) -> Tensor {
    Tensor::from_slice(values).set_requires_grad(true)
}
