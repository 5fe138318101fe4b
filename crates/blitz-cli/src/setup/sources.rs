//! What a crate of the workspace is compiled from.

use crate::project::Project;
use std::fs;
use std::path::{Path, PathBuf};

/// What in a crate's directory is not compiled into it.
const APART: [&str; 3] = ["tests", "examples", "benches"];

/// The files and directories that the workspace's crate `name` is compiled from, with those of the
/// workspace's crates that it depends on, in a fixed order.
pub fn of(project: &Project, name: &str) -> Vec<PathBuf> {
    let mut crates = vec![crate_dir(project, name)];
    let mut next = 0;
    while let Some(dir) = crates.get(next) {
        let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap_or_default();
        let dependencies = dependencies(&manifest).map(|name| crate_dir(project, name));
        let new: Vec<PathBuf> =
            dependencies.filter(|dir| dir.is_dir() && !crates.contains(dir)).collect();
        crates.extend(new);
        next += 1;
    }
    crates.iter().flat_map(|dir| compiled(dir)).collect()
}

fn crate_dir(project: &Project, name: &str) -> PathBuf {
    project.path("crates").join(name)
}

/// The names below `[dependencies]` and `[build-dependencies]`.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut section = "";
    manifest.lines().filter_map(move |line| {
        if line.starts_with('[') {
            section = line.trim();
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        let named = ["[dependencies]", "[build-dependencies]"].contains(&section);
        (named && !name.is_empty() && !name.starts_with(['[', '#'])).then_some(name)
    })
}

fn compiled(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_apart = |path: &PathBuf| APART.iter().any(|name| path.ends_with(name));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| !is_apart(path)).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use blitz_contract::Layout;

    #[test]
    fn the_crates_that_a_crate_depends_on_belong_to_it() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let write = |path: &str, text: &str| {
            let path = dir.path().join("crates").join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("writable");
            fs::write(path, text).expect("writable");
        };
        let middle = "[dependencies]\nlow = { path = \"../low\" } # why\n\n[dev-dependencies]\nno.workspace = true\n";
        write(
            "high/Cargo.toml",
            "[dependencies]\n# of the workspace\nmiddle.workspace = true\nserde = \"1\"\n",
        );
        write("high/tests/it.rs", "");
        write("middle/Cargo.toml", middle);
        write("middle/build.rs", "");
        write("low/Cargo.toml", "[build-dependencies]\nmiddle.workspace = true\n");
        write("low/src/lib.rs", "");
        write("no/Cargo.toml", "");
        let project = Project::new(Layout::new(dir.path()));
        let found = of(&project, "high");
        let relative = |path: &PathBuf| {
            path.strip_prefix(dir.path().join("crates")).expect("below").display().to_string()
        };
        let found: Vec<String> = found.iter().map(relative).collect();
        assert_eq!(
            found,
            [
                "high/Cargo.toml",
                "middle/Cargo.toml",
                "middle/build.rs",
                "low/Cargo.toml",
                "low/src"
            ]
        );
    }
}
