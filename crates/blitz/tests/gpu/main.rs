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
mod files;
mod graphs;
mod layers;
mod numbers;
mod pictures;
mod training;

use std::sync::{Mutex, MutexGuard, PoisonError};

use blitz::prelude::*;

/// The device under test.
fn device() -> Device {
    let named = std::env::var("BLITZ_TEST_DEVICE");
    let request = named.as_deref().unwrap_or("cuda");
    device::choose(request).expect("the device under test")
}

/// libtorch's generators are global, so the tests that draw from them take turns.
fn seeded(seed: i64) -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(seed);
    turn
}

/// `[count, 3, 32, 32]` by formula, u8 on the CPU, and labels.
fn formula_split(count: i64) -> Split {
    let long = (Kind::Int64, Device::Cpu);
    let values = Tensor::arange(count * 3 * 32 * 32, long) * 37;
    let images = values.remainder(251).to_kind(Kind::Uint8).view([count, 3, 32, 32]);
    Split { images, labels: (Tensor::arange(count, long) * 3).remainder(10) }
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
