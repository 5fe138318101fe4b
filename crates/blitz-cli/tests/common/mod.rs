//! Driving the binary as a person does.

// Each test file has this as a module of its own, and not each needs all of it.
#![allow(dead_code)]

use blitz_contract::{Layout, variables};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A notebook of three exercises, with solutions.
pub const SMALL_EXERCISES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/class/exercises/01_small.ipynb");

/// The built `cargo blitz`.
pub fn blitz() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blitz"));
    command.env_remove(variables::DATA);
    command
}

/// Runs the binary and returns its exit code and everything that it printed.
pub fn run(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("the binary runs");
    (output.status.code(), printed(&output))
}

/// The repository that is tested.
pub fn repository() -> Layout {
    let dir = std::env::current_dir().ok();
    Layout::find(dir.as_deref(), None).expect("cargo runs tests in their crate's directory")
}

/// Whether whoever runs the tests may do anything.
pub fn is_root() -> bool {
    // Whom a process belongs to is who owns its directory there.
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Sends a signal to a process of ours.
pub fn signal(id: u32, signal: Signal) {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw).expect("the id of a process");
    kill_process(id, signal).expect("the process is there, and ours");
}

/// Everything that a run printed.
pub fn printed(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    format!("{}{stderr}", String::from_utf8_lossy(&output.stdout))
}

/// Writes a notebook of code cells with the ids `first`, `second`, ….
pub fn write_notebook(dir: &Path, name: &str, cells: &[&str]) -> PathBuf {
    let ids = ["first", "second", "third", "fourth"];
    let cells: Vec<serde_json::Value> = cells
        .iter()
        .zip(ids)
        .map(|(source, id)| {
            serde_json::json!({
                "cell_type": "code", "id": id, "metadata": {}, "source": source,
                "execution_count": null, "outputs": [],
            })
        })
        .collect();
    let notebook = serde_json::json!({
        "cells": cells, "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "rust", "display_name": "Rust", "language": "rust"}},
    });
    let path = dir.join(name);
    fs::write(&path, notebook.to_string()).expect("a writable directory");
    path
}
