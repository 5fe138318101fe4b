//! Many processes: how they find each other, what they exchange, and nets whose gradients are
//! averaged.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod collectives;
mod data_parallel;
mod data_parallel_step;
mod faults;
mod fit;
mod loopback;
mod sampler;
