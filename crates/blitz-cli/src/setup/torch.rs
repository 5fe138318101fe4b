//! The libtorch inside the virtual environment.

use crate::project::Project;
use anyhow::{Context, Result, bail};
use blitz_contract::versions::TORCH;
use std::fs;
use std::path::{Path, PathBuf};

/// The torch package's directory in the virtual environment, which is also libtorch's.
pub fn installed_dir(project: &Project) -> Option<PathBuf> {
    let lib = project.venv().join("lib");
    let pythons = fs::read_dir(lib).into_iter().flatten().flatten();
    let mut torches = pythons.map(|python| python.path().join("site-packages/torch"));
    torches.find(|torch| torch.join("version.py").is_file())
}

/// The version that a torch package says it has, such as `2.11.0+cu130`.
pub fn version_in(torch: &Path) -> Option<String> {
    let text = fs::read_to_string(torch.join("version.py")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
    Some(line.trim_matches(['\'', '"']).to_owned())
}

/// Checks that the environment's torch is the version that tch needs, and returns its directory
/// and full version.
///
/// # Errors
/// There is none, or another one.
pub fn check(project: &Project) -> Result<(PathBuf, String)> {
    let Some(dir) = installed_dir(project) else {
        bail!("there is no torch in .venv; run `cargo blitz setup`");
    };
    let version = version_in(&dir).unwrap_or_else(|| "an unknown version".to_owned());
    if version.split('+').next() != Some(TORCH) {
        bail!(
            "wrong torch in .venv: expected {TORCH}, which the Rust crate tch is made for, found \
             {version}. `cargo blitz setup` puts the right one back."
        );
    }
    let without = if lacks_cuda(&dir) { " without CUDA's libraries" } else { "" };
    Ok((dir, format!("{version}{without}")))
}

/// Whether CUDA was taken out of a torch that was built with it.
pub fn lacks_cuda(torch: &Path) -> bool {
    let was_built_with = version_in(torch).is_some_and(|version| version.contains("+cu"));
    was_built_with
        && torch.join("lib/libtorch.so").exists()
        && !torch.join("lib/libtorch_cuda.so").exists()
}

/// Removes the small libraries that stand in for CUDA's where it was taken out: libtorch would find
/// them before the real ones.
///
/// # Errors
/// One cannot be removed.
pub fn forget_stand_ins(project: &Project) -> Result<()> {
    let Some(torch) = installed_dir(project) else { return Ok(()) };
    for name in ["libtorch_cuda.so", "libcudnn.so.9"] {
        let path = torch.join("../nvidia/cu13/lib").join(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Links `.blitz/libtorch` to the torch package, so that its path does not depend on the Python
/// version.
///
/// # Errors
/// The link cannot be made.
pub fn link(project: &Project, torch: &Path) -> Result<()> {
    let link = project.libtorch();
    // Relative, so that the repository can be moved.
    let relative = torch.strip_prefix(project.root()).map(|path| Path::new("..").join(path));
    let target = relative.unwrap_or_else(|_| torch.to_path_buf());
    if fs::read_link(&link).is_ok_and(|old| old == target) {
        return Ok(());
    }
    let make = || -> std::io::Result<()> {
        fs::create_dir_all(project.made())?;
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link)?;
        }
        std::os::unix::fs::symlink(&target, &link)
    };
    make().with_context(|| format!("cannot link {} to {}", link.display(), target.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project_with_torch(version: &str) -> (tempfile::TempDir, Project) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let torch = dir.path().join(".venv/lib/python3.11/site-packages/torch");
        fs::create_dir_all(&torch).expect("writable");
        let text = format!("debug = False\n__version__ = '{version}'\n");
        fs::write(torch.join("version.py"), text).expect("writable");
        let project = Project::new(blitz_contract::Layout::new(dir.path()));
        (dir, project)
    }

    #[test]
    fn accepts_the_right_version_of_any_build_and_names_a_wrong_one() {
        let (_dir, project) = project_with_torch("2.11.0+cpu");
        let (torch, version) = check(&project).expect("the right version");
        assert_eq!(version, "2.11.0+cpu");
        link(&project, &torch).expect("a link");
        assert!(project.path(".blitz/libtorch/version.py").is_file());

        let (_dir, project) = project_with_torch("2.12.1");
        let error = check(&project).expect_err("the wrong version").to_string();
        assert!(error.contains("2.12.1") && error.contains("cargo blitz setup"), "{error}");
    }
}
