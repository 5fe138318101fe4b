//! The versions that must match. What else names them (manifests, `requirements.txt`, the README)
//! is held to these by the tests of this module.

/// The tch crate. Its bindings are generated for [`TORCH`] and for no other version.
pub const TCH: &str = "0.24.0";

/// PyTorch, whose libtorch everything here is linked to.
pub const TORCH: &str = "2.11.0";

/// evcxr and evcxr_jupyter. The toolchain that stands in for cargo and rustc knows what this version
/// asks them, and the cells' variable store and marks are this version's.
pub const EVCXR: &str = "0.22.0";

/// The crate by which cells ask for input: evcxr's own, which it knows the marks of.
pub const EVCXR_INPUT: &str = "1.0.0";

/// The oldest Rust that compiles the workspace and cells, from the workspace's manifest.
pub const RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// The oldest Python for which the packages in `requirements.txt` exist.
pub const PYTHON: &str = "3.10";

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// The text of a file of the repository.
    fn text(path: &str) -> String {
        fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The values of the lines `name = "VALUE"` or `name = { version = "VALUE"` in a manifest.
    fn wanted(manifest: &str, name: &str) -> Vec<String> {
        let value = |line: &str| {
            let (key, value) = line.split_once('=')?;
            let named = key.trim() == name;
            named.then(|| value.split('"').nth(1).unwrap_or_default().to_owned())
        };
        manifest.lines().filter_map(value).collect()
    }

    /// The version of `name` in the lock file, which has one.
    fn locked(name: &str) -> String {
        let lock = text("Cargo.lock");
        let head = format!("name = \"{name}\"\nversion = \"");
        let mut versions = lock.split(head.as_str()).skip(1);
        let version = versions.next().and_then(|rest| rest.split('"').next());
        assert!(versions.next().is_none(), "{name} is locked twice");
        version.unwrap_or_else(|| panic!("{name} is not locked")).to_owned()
    }

    #[test]
    fn the_manifests_ask_for_these_versions() {
        let manifest = text("Cargo.toml");
        for (name, version) in
            [("tch", TCH), ("torch-sys", TCH), ("evcxr", EVCXR), ("evcxr_jupyter", EVCXR)]
        {
            assert_eq!(wanted(&manifest, name), [format!("={version}")], "{name} in Cargo.toml");
            assert_eq!(locked(name), version);
        }
        assert_eq!(wanted(&manifest, "rust-version"), [RUST]);
        // It comes with evcxr.
        assert_eq!(locked("evcxr_input"), EVCXR_INPUT);
    }

    #[test]
    fn python_gets_the_torch_that_tch_was_generated_for() {
        let requirements = text("requirements.txt");
        let pins: Vec<&str> =
            requirements.lines().filter(|line| line.starts_with("torch==")).collect();
        assert_eq!(pins, [format!("torch=={TORCH}")]);
        let environment = text("environment.yml");
        assert!(environment.contains(&format!("rust>={RUST}")), "environment.yml");
    }

    #[test]
    fn the_readme_names_these_versions() {
        let readme = text("README.md");
        for expected in [
            format!("Rust ≥ {RUST}"),
            format!("Python ≥ {PYTHON}"),
            format!("torch-sys {TCH} | Rust on libtorch; exactly torch {TORCH}"),
            format!("evcxr_jupyter {EVCXR}"),
        ] {
            assert!(readme.contains(&expected), "README.md does not say \"{expected}\"");
        }
    }

    #[test]
    fn the_notebooks_ask_for_this_tch() {
        for notebook in fs::read_dir(root().join("notebooks")).expect("the notebooks") {
            let path = notebook.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "ipynb") {
                continue;
            }
            let notebook = fs::read_to_string(&path).expect("a notebook");
            let name = path.display();
            let asked: Vec<&str> = notebook.split(":dep tch = \\\"").skip(1).collect();
            assert!(!asked.is_empty(), "{name} has no `:dep tch` line");
            for line in asked {
                assert!(line.starts_with(&format!("={TCH}\\\"")), "{name}: `:dep tch` {line:.12}");
            }
        }
    }
}
