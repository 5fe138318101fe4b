//! What runs on a GPU. All of it is ignored, so that a machine without a GPU says that it was not
//! run; `ci/gpu/run` does (docs/gpu.md), and so does
//!
//!     cargo test -p blitz --test gpu -- --ignored
//!
//! With `BLITZ_TEST_DEVICE=cpu` everything but `cuda_only` runs on the CPU: that tries the tests
//! themselves where there is no GPU, and says nothing about one.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod autograd;
mod cuda_only;
mod data;
mod distributed;
mod files;
mod graphs;
mod layers;
mod numbers;
mod pictures;
mod training;

use blitz::prelude::*;
use common::{formula_split, seeded};

/// The device under test.
fn device() -> Device {
    let named = std::env::var("BLITZ_TEST_DEVICE");
    let request = named.as_deref().unwrap_or("cuda");
    device::choose(request).expect("the device under test")
}

/// f32 of any shape by formula: thirds, some below 0.
fn formula(shape: &[i64], device: Device) -> Tensor {
    let count = shape.iter().product::<i64>();
    let numbers = (Tensor::arange(count, (Kind::Int64, Device::Cpu)) * 37).remainder(101) - 50;
    (numbers.to_kind(Kind::Float) / 3).reshape(shape).to_device(device)
}

/// Whether two tensors have the same shape and, on the CPU, numbers that are near: `atol` apart and
/// `rtol` of the larger one.
#[track_caller]
fn assert_near(got: &Tensor, expected: &Tensor, rtol: f64, atol: f64) {
    assert_eq!(got.size(), expected.size());
    let on_cpu = |tensor: &Tensor| tensor.detach().to_device(Device::Cpu).to_kind(Kind::Double);
    let (got, expected) = (on_cpu(got), on_cpu(expected));
    let apart = (&got - &expected).abs().max().double_value(&[]);
    assert!(got.allclose(&expected, rtol, atol, true), "{apart} apart\n{got}\n{expected}");
}
