//! Everything that the notebooks need, made once, below the repository.

pub mod browser;
pub mod dependencies;
pub mod documentation;
pub mod kernelspecs;
pub mod linked;
pub mod lock;
pub mod nbgrader;
pub mod own_environment;
pub mod pins;
pub mod prerequisites;
pub mod shared;
pub mod torch;
pub mod venv;

mod crates;
mod kernel;
mod rust_src;
mod sources;
mod state;
mod steps;
mod warm;

use crate::kernel::Kernel;
use crate::project::Project;
use anyhow::Result;
use steps::Steps;
use venv::Wheels;

/// Sets up if need be.
///
/// # Errors
/// A prerequisite is missing or a step fails; or the environment was changed by hand so that it does
/// not work.
pub fn ensure(project: &Project) -> Result<()> {
    if blitz_user_dirs::is_read_only(project.root()) {
        return shared::check(project);
    }
    Steps::begin(project)?.run().map(drop)
}

/// Sets up, and mends what [`ensure`] only reports. The environment gets `wheels` where they are
/// named, else what it had. Returns how many steps there were.
///
/// # Errors
/// A prerequisite is missing or a step fails.
pub fn mend(project: &Project, wheels: Option<Wheels>) -> Result<usize> {
    let mut steps = Steps::begin(project)?;
    steps.wheels = wheels.unwrap_or(steps.wheels);
    // Changed by hand, or made with a Python that the system has since replaced.
    if torch::check(project).is_err() || pins::check(project).is_err() {
        steps.state().forget("venv")?;
    }
    if Kernel::ALL.iter().any(|kernel| kernelspecs::check(project, *kernel).is_err()) {
        steps.state().forget("kernelspec")?;
    }
    steps.run()
}
