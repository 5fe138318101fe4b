//! `cargo blitz setup`.

use crate::process::progress::elapsed;
use crate::project::Project;
use crate::setup::venv::Wheels;
use crate::setup::{mend, shared};
use anyhow::Result;
use clap::Args;
use std::time::Instant;

/// Options of `setup`.
#[derive(Args)]
pub struct SetupOptions {
    /// Take PyTorch's CPU wheels (0.2 GB) from its own index instead of the CUDA ones (3 GB), or, where
    /// that index cannot be reached, PyPI's wheel without CUDA's libraries (0.55 GB); later set-ups
    /// keep this choice until `cargo blitz clean --all`
    #[arg(long)]
    pub cpu: bool,
}

/// Sets up, and mends what the other subcommands only report.
///
/// # Errors
/// A prerequisite is missing or a step fails.
pub fn setup(project: &Project, options: &SetupOptions) -> Result<()> {
    let start = Instant::now();
    if blitz_user_dirs::is_read_only(project.root()) {
        shared::check(project)?;
        eprintln!("Nothing to do: everything is set up, by somebody else.");
        return Ok(());
    }
    let done = mend(project, options.cpu.then_some(Wheels::Cpu))?;
    let time = elapsed(start.elapsed());
    if done == 0 {
        eprintln!("Nothing to do: everything is set up ({time}).");
    } else {
        eprintln!("Set up in {time}. Next: cargo blitz run, or cargo blitz lab");
    }
    Ok(())
}
