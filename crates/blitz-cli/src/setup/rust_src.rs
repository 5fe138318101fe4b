//! The standard library's sources, which make completion and documentation richer.

use crate::process::command::output_of;
use crate::process::progress::Board;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// Asks rustup for the component `rust-src` where it is missing. Everything works without it, so
/// that it cannot be had is no error.
///
/// # Errors
/// None.
pub fn add(board: &Board) -> Result<()> {
    let sysroot = output_of(Command::new("rustc").args(["--print", "sysroot"]));
    let here =
        sysroot.is_some_and(|root| Path::new(&root).join("lib/rustlib/src/rust/library").is_dir());
    if here || output_of(Command::new("rustup").arg("--version")).is_none() {
        return Ok(());
    }
    let step = board.step("asking rustup for the standard library's sources");
    let added = Command::new("rustup").args(["component", "add", "rust-src"]).output();
    if added.is_ok_and(|output| output.status.success()) {
        step.done("");
    } else {
        step.done("not to be had here; completion for std will be thinner, all else works");
    }
    Ok(())
}
