//! Training: optimisers, schedules, steps, `fit`, metrics, and what all of it refuses.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod fit;
mod metrics;
mod odd_numbers;
mod optim;
mod schedule;
mod step;
