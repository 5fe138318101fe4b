//! Tensors: as arrays, and as text.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod array;
mod repr;
