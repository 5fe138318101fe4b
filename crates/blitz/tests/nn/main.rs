//! Layers and losses.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod cifar_net;
mod convolution;
mod diagram;
mod layers;
mod pooling;
