//! Rust sources that cargo does not know, such as the libraries that the kernel compiles by itself.

use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The places in a crate's directory that cargo looks into.
const KNOWN: [&str; 5] = ["src", "tests", "examples", "benches", "build.rs"];

/// The lints of the workspace, for a compiler that does not read its manifest.
const LINTS: [&str; 4] =
    ["-Wclippy::all", "-Wclippy::unwrap_used", "-Wmissing-docs", "-Wunsafe-op-in-unsafe-fn"];

/// Every Rust file below `crates` that cargo does not know.
pub fn files(project: &Project) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for dir in entries(&project.path("crates")) {
        for entry in entries(&dir).filter(|entry| !KNOWN.iter().any(|name| entry.ends_with(name))) {
            collect(entry, &mut files);
        }
    }
    files.sort();
    files
}

/// A command that checks the formatting of `files`.
pub fn rustfmt(files: &[PathBuf]) -> Command {
    let mut command = Command::new("rustfmt");
    command.args(["--check", "--edition", "2024"]).args(files);
    command
}

/// Commands that lint those of `files` that are libraries, and not modules of one.
///
/// # Errors
/// The directory for what the compiler writes cannot be made.
pub fn clippy(project: &Project, files: &[PathBuf]) -> Result<Vec<Command>> {
    let out = project.test_dir().join("clippy");
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let libraries = files.iter().filter(|file| !is_module(file, files));
    let lint = |file: &PathBuf| {
        let mut command = Command::new("clippy-driver");
        command.args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"]);
        command.args(LINTS).arg("-Dwarnings").arg("--out-dir").arg(&out).arg(file);
        command
    };
    Ok(libraries.map(lint).collect())
}

fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn collect(path: PathBuf, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        entries(&path).for_each(|path| collect(path, files));
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        files.push(path);
    }
}

/// Whether one of the other files declares `file` as its module: one beside it, or the one that its
/// directory is named by.
fn is_module(file: &Path, files: &[PathBuf]) -> bool {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let declaration = format!("mod {name};");
    let dir = file.parent().unwrap_or(file);
    let declares = |other: &PathBuf| {
        let text = fs::read_to_string(other).unwrap_or_default();
        text.lines().any(|line| line.trim().trim_start_matches("pub ") == declaration)
    };
    let mut near = files.iter().filter(|other| {
        *other != file && (other.parent() == Some(dir) || other.with_extension("") == dir)
    });
    near.any(declares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use blitz_contract::Layout;

    #[test]
    fn what_cargo_does_not_know_is_found_and_libraries_told_from_their_modules() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let crates = dir.path().join("crates");
        for (path, text) in [
            ("a/src/lib.rs", ""),
            ("a/tests/it.rs", ""),
            ("a/build.rs", ""),
            ("a/cells/lib.rs", "pub mod store;\n"),
            ("a/cells/store.rs", "mod keys;\n"),
            ("a/cells/store/keys.rs", ""),
            ("b/alone.rs", ""),
            ("b/text.md", ""),
        ] {
            let path = crates.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        let project = Project::new(Layout::new(dir.path()));
        let found = files(&project);
        let expected =
            ["a/cells/lib.rs", "a/cells/store/keys.rs", "a/cells/store.rs", "b/alone.rs"];
        assert_eq!(found, expected.map(|path| crates.join(path)));
        let linted = clippy(&project, &found).expect("a directory");
        let linted: Vec<PathBuf> =
            linted.iter().filter_map(|c| c.get_args().last()).map(PathBuf::from).collect();
        assert_eq!(linted, ["a/cells/lib.rs", "b/alone.rs"].map(|path| crates.join(path)));
    }
}
