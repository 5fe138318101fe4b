//! A set-up that is somebody else's: it is used as it is.

use super::state::State;
use super::steps::Steps;
use super::{dependencies, kernel, kernelspecs, torch, venv, warm};
use crate::project::Project;
use anyhow::{Result, bail};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// Checks that everything is there, and says so where it is out of date.
///
/// # Errors
/// A step was never finished: only somebody who may write here can finish it.
pub fn check(project: &Project) -> Result<()> {
    let steps = Steps::read(project);
    let missing = ["venv", "dependencies", "kernel", "kernelspec", "warm"]
        .into_iter()
        .find(|name| steps.state().get(name).is_none() || !steps.result_exists(name));
    if let Some(step) = missing {
        bail!(
            "{} is not set up (missing: {step}), and you may not write there. {} has to run \
             `cargo blitz setup` there once; or clone the project to a place of your own.",
            project.root().display(),
            owner(project)
        );
    }
    if !is_current(project, &steps.state(), &venv::key(project, steps.wheels)) {
        eprintln!(
            "note: {} has changed since it was set up; {} can renew it with `cargo blitz setup`",
            project.root().display(),
            owner(project)
        );
    }
    Ok(())
}

/// Says how changes to the notebooks can be kept, where they cannot be saved.
pub fn tell_where_to_save(project: &Project) {
    let notebooks = project.notebooks_dir();
    if !notebooks.is_dir() || blitz_user_dirs::is_writable(&notebooks) {
        return;
    }
    let program = blitz_contract::program::path().unwrap_or_else(|_| "cargo blitz".into());
    eprintln!(
        "note: the notebooks in {} are not yours, so changes cannot be saved there. To keep yours:\n  \
         cp -r {} ~/notebooks\n  {program} exercises --to ~/notebooks/my_exercises\n  \
         {program} lab -- --notebook-dir ~/notebooks",
        notebooks.display(),
        notebooks.display(),
        program = program.display()
    );
}

/// Whether all keys are those of the files as they are, with the compiler that set-up used.
fn is_current(project: &Project, state: &State, venv: &str) -> bool {
    let rustc = state.get("rust-src").unwrap_or_default();
    let torch = torch::check(project).map(|(_, version)| version).unwrap_or_default();
    let kernel = kernel::key(project, rustc);
    let dependencies = dependencies::key(project, rustc, &torch);
    let keys = [
        ("venv", venv),
        ("dependencies", &dependencies),
        ("kernel", &kernel),
        ("kernelspec", &kernelspecs::key(project)),
        ("warm", &warm::key(&dependencies, &kernel)),
    ];
    keys.iter().all(|(name, key)| state.get(name) == Some(key))
}

/// Who set up, as far as a number says it.
fn owner(project: &Project) -> String {
    match fs::metadata(project.root()) {
        Ok(metadata) => format!("its owner (user id {})", metadata.uid()),
        Err(_) => "its owner".to_owned(),
    }
}
