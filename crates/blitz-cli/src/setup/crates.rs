//! The sources of all crates, so that nothing after set-up needs the network.

use crate::fingerprint::Fingerprint;
use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::Board;
use crate::project::Project;
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// The key: the locked versions, and the cache that they are in.
pub fn key(project: &Project) -> String {
    let cache = cache_dir().unwrap_or_default();
    Fingerprint::new().path(&project.lock_file()).text(&cache.to_string_lossy()).finish()
}

/// Where cargo keeps what it has downloaded.
pub fn cache_dir() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    Some(std::path::absolute(home?).ok()?.join("registry/cache"))
}

/// Fetches every locked crate, for every platform: evcxr asks for the metadata of all of them, and
/// kernels ask without the network.
///
/// # Errors
/// cargo fails.
pub fn fetch(project: &Project, board: &Board, cancel: &Cancel) -> Result<()> {
    let step = board.step("fetching the sources of all crates");
    let mut command = Command::new("cargo");
    command.current_dir(project.root()).args(["fetch", "--locked"]);
    let fetched = run_logged(&step, command, &project.log("fetch"), cancel);
    step.finish(fetched, "the sources of the crates could not be fetched")
}
