//! Files of parameters.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod inspect;
mod partial_loading;
mod resnet18;
mod state_dicts;
mod wild_files;
