//! Whether other people can read what their kernels need.

use crate::project::Project;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The first thing that other people's kernels need and only its owner can read: a part of the
/// project, the Rust toolchain that set-up used, or a directory above them.
pub fn closed_to_others(project: &Project) -> Option<PathBuf> {
    let needed = [
        project.kernel(),
        project.evcxr_config_dir(),
        project.answers_dir(),
        project.libtorch_lib(),
        project.path("crates"),
    ];
    needed.into_iter().chain(toolchain(project)).find_map(|path| closed(&path))
}

/// The first of `path` and the directories above it that is closed, from the top.
fn closed(path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    let mut above: Vec<&Path> = path.ancestors().collect();
    above.reverse();
    let is_closed = |part: &&Path| {
        let Ok(metadata) = fs::metadata(part) else { return true };
        // Directories above need only be passed through.
        let needed = match metadata.is_dir() {
            true if *part == path => 0o005,
            true => 0o001,
            false => 0o004,
        };
        metadata.permissions().mode() & needed != needed
    };
    above.into_iter().find(is_closed).map(Path::to_owned)
}

/// rustc, as the kernel has recorded it.
fn toolchain(project: &Project) -> Option<PathBuf> {
    let text = fs::read_to_string(project.toolchain_answer()).ok()?;
    let recorded: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(PathBuf::from(recorded["rustc"]["path"].as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    #[test]
    fn the_outermost_closed_directory_is_named() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let set_mode = |path: &Path, mode: u32| {
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("its owner may");
        };
        // `tempdir` is closed itself.
        set_mode(dir.path(), 0o755);
        let root = dir.path().canonicalize().expect("it is there");
        let (outer, file) = (root.join("outer"), root.join("outer/inner/file"));
        fs::create_dir_all(root.join("outer/inner")).expect("writable");
        fs::write(&file, "").expect("writable");
        set_mode(&file, 0o644);
        assert_eq!(closed(&file), None);
        set_mode(&file, 0o600);
        assert_eq!(closed(&file), Some(file.clone()));
        set_mode(&outer, 0o700);
        assert_eq!(closed(&file), Some(outer));
    }
}
