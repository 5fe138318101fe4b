//! `cargo blitz clean`: removing what the other commands made.

use crate::cli::CleanOptions;
use crate::progress::Step;
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;

/// What a plain `clean` removes.
const RESULTS: [&str; 4] =
    ["site", ".blitz/logs", ".blitz/jupyter", "notebooks/.ipynb_checkpoints"];
/// What `--all` removes.
const EVERYTHING: [&str; 4] = ["site", ".blitz", ".venv", "notebooks/.ipynb_checkpoints"];

/// Removes executed notebooks, pages and logs; with `--all` everything but cargo's `target`, which
/// this very program runs from.
///
/// # Errors
/// Something cannot be removed.
pub fn clean(project: &Project, options: &CleanOptions) -> Result<()> {
    let step = Step::start("removing");
    let names = if options.all { EVERYTHING } else { RESULTS };
    for name in names {
        let path = project.path(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                step.failed();
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => {}
        }
    }
    step.done(&names.join(", "));
    if options.all {
        eprintln!("`cargo clean` removes the rest.");
    }
    Ok(())
}
