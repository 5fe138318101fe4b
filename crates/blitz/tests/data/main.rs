//! Data sets, their download, and the loader.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/server.rs"]
mod server;

mod augment;
mod builtin;
mod cifar10;
mod download;
mod download_faults;
mod drawn_folder;
mod image_folder;
mod loader;
mod loader_prefetch;
mod loader_state;
mod pictures;
