//! The notebooks that a person means.

use super::nbformat::{Notebook, notebook_name};
use crate::project::Project;
use crate::usage::Usage;
use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Reads the notebooks that `names` mean, in order: a number (`04`), a name with or without
/// `.ipynb`, or a path. All of `notebooks/` where `names` is empty.
///
/// # Errors
/// [`Usage`] for a name that means no notebook; a file that is none.
pub fn find(project: &Project, names: &[String]) -> Result<Vec<Notebook>> {
    find_in(&project.notebooks_dir(), names)
}

/// As [`find`], among the notebooks of the directory `dir`, without those of the directories in it.
///
/// # Errors
/// As for [`find`].
pub fn find_in(dir: &Path, names: &[String]) -> Result<Vec<Notebook>> {
    let all = paths_in(dir);
    let are_paths = !names.is_empty() && names.iter().all(|name| Path::new(name).is_file());
    if all.is_empty() && !are_paths {
        bail!("no notebook in {}: is this clone complete? try `git status`", dir.display());
    }
    let found = match names {
        [] => all,
        names => names.iter().map(|name| find_one(name, &all)).collect::<Result<_>>()?,
    };
    found.into_iter().map(Notebook::read).collect()
}

/// The notebooks of the directory `dir`, in alphabetical order.
pub fn paths_in(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ipynb"))
        .collect();
    all.sort();
    all
}

fn find_one(name: &str, all: &[PathBuf]) -> Result<PathBuf> {
    let stem = name.strip_suffix(".ipynb").unwrap_or(name);
    let known = all.iter().find(|path| {
        let known = notebook_name(path);
        known == stem || known.split('_').next() == Some(stem)
    });
    let path = Path::new(name);
    // `04_x.ipynb` in the directory at hand is meant before the one in notebooks/.
    let is_path = name.ends_with(".ipynb") && path.is_file();
    match known {
        Some(known) if !is_path => Ok(known.clone()),
        _ if path.is_file() => Ok(std::path::absolute(path)?),
        _ => {
            let known: Vec<String> = all.iter().map(|path| notebook_name(path)).collect();
            Err(Usage(format!(
                "no notebook named `{name}`; there are {}, or give the path of a file",
                known.join(", ")
            ))
            .into())
        }
    }
}
