//! What a cell shows: output as the kernel gets it, and pictures.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod class_bars;
mod output;
mod pictures;
mod prediction_grid;
mod program;
