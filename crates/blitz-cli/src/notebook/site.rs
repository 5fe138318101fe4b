//! The directory for executed notebooks and pages.

use super::nbformat::Notebook;
use crate::project::Project;
use crate::usage::Usage;
use anyhow::{Context, Result};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where single pages go, in the directory of the site.
const SINGLE: &str = "single";

/// The directory for the results as an absolute path, after checking that every notebook has a
/// place of its own there.
///
/// # Errors
/// [`Usage`] for results that would overwrite each other or a notebook; or it cannot be written.
pub fn prepare(project: &Project, given: Option<&Path>, notebooks: &[Notebook]) -> Result<PathBuf> {
    let site = match given {
        Some(given) => std::path::absolute(given)?,
        None => project.site_dir().join(SINGLE),
    };
    for (index, notebook) in notebooks.iter().enumerate() {
        let name = notebook.name();
        let taken = notebooks[..index].iter().any(|other| other.name() == name);
        if taken || name == "index" || notebook.path().parent() == Some(&site) {
            return Err(Usage(format!(
                "the results of {} would overwrite another file in {}; rename the notebook, name it \
                 once, or choose another place with --site DIR",
                notebook.path().display(),
                site.display()
            ))
            .into());
        }
    }
    check_writable(&site)?;
    Ok(site)
}

/// The directory for the whole site as an absolute path, after checking that it can be written.
///
/// # Errors
/// It cannot be written.
pub fn checked_dir(project: &Project, given: Option<&Path>) -> Result<PathBuf> {
    let site = match given {
        Some(given) => std::path::absolute(given)?,
        None => project.site_dir(),
    };
    check_writable(&site)?;
    Ok(site)
}

/// Fails before anything has run where the result could not be written. It asks, and writes nothing:
/// another run may have the same place.
fn check_writable(site: &Path) -> Result<()> {
    fs::create_dir_all(site)
        .and_then(|()| match blitz_user_dirs::is_writable(site) {
            true => Ok(()),
            false => Err(io::ErrorKind::PermissionDenied.into()),
        })
        .with_context(|| {
            format!(
                "cannot write to {}; make it writable or choose another place with --site DIR",
                site.display()
            )
        })
}
