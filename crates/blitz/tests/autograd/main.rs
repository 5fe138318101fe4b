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

/// f32 that gradients are asked for.
fn leaf(values: &[f32]) -> Tensor {
    Tensor::from_slice(values).set_requires_grad(true)
}

/// The same in f64.
fn double_leaf(values: &[f64]) -> Tensor {
    Tensor::from_slice(values).set_requires_grad(true)
}
