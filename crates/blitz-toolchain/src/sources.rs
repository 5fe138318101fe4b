//! The sources of published crates whose types cells name, where everyone can read them.
//!
//! They lie in the cargo directory of the person who set up, which is often closed to others, and
//! rust-analyzer of another person's kernel would know nothing of tensors.

use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// `cargo metadata`'s output with the published crates of it copied below `sources`, and named
/// where the copies are. A crate that cannot be copied stays where it is.
pub fn copied(metadata: &str, sources: &Path) -> String {
    let Ok(described) = serde_json::from_str::<Value>(metadata) else { return metadata.to_owned() };
    let packages = described["packages"].as_array().into_iter().flatten();
    let published = packages.filter(|package| !package["source"].is_null());
    let dirs = published.filter_map(|package| {
        Some(Path::new(package["manifest_path"].as_str()?).parent()?.to_owned())
    });
    dirs.fold(metadata.to_owned(), |metadata, dir| match copy_crate(&dir, sources) {
        Ok(copy) => metadata.replace(&in_json(&dir), &in_json(&copy)),
        Err(_) => metadata,
    })
}

/// A directory as it begins a path in JSON.
fn in_json(dir: &Path) -> String {
    let quoted = Value::from(format!("{}/", dir.display())).to_string();
    quoted.trim_end_matches('"').to_owned()
}

/// Copies a crate's manifest and sources into `sources`, and returns where they are then.
fn copy_crate(dir: &Path, sources: &Path) -> io::Result<PathBuf> {
    let copy = sources.join(dir.file_name().unwrap_or_default());
    let _ = fs::remove_dir_all(&copy);
    copy_tree(dir, &copy)?;
    Ok(copy)
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let is_source = source.extension().is_some_and(|it| it == "rs" || it == "toml");
        if entry.file_type()?.is_dir() {
            copy_tree(&source, &target)?;
        } else if is_source {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crates_sources_are_copied_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let published = dir.path().join("registry/tch-1.0");
        fs::create_dir_all(published.join("src/nn")).expect("writable");
        for file in ["Cargo.toml", "src/lib.rs", "src/nn/mod.rs", "README.md"] {
            fs::write(published.join(file), file).expect("writable");
        }
        let copy = copy_crate(&published, &dir.path().join("sources")).expect("a copy");
        assert_eq!(copy, dir.path().join("sources/tch-1.0"));
        assert_eq!(
            fs::read_to_string(copy.join("src/nn/mod.rs")).ok().as_deref(),
            Some("src/nn/mod.rs")
        );
        assert!(copy.join("Cargo.toml").exists() && !copy.join("README.md").exists());
    }
}
