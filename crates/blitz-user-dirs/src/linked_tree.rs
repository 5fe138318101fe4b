//! Copies of directories with compiled libraries that cost neither time nor room.
//!
//! What nothing ever rewrites in place is the same file under a second name. Where the system refuses
//! that, because the files are another user's or on another disk, symbolic links stand in: a copy
//! would cost half a gigabyte.

use std::env::consts::DLL_EXTENSION;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What rustc notes for compiling a crate again: large, and closed to other users.
const INCREMENTAL: &str = "incremental";

/// Copies the tree `from` into `to`, whose directory is made. Modification times are kept, because
/// cargo compares them.
///
/// # Errors
/// A file cannot be read or written; the error names it.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to).map_err(|error| named(error, "make", to))?;
    for entry in fs::read_dir(from).map_err(|error| named(error, "read", from))? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == INCREMENTAL {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&source, &target)?;
        } else if is_immutable(&source) {
            link(&source, &target)?;
        } else {
            copy_file(&source, &target)?;
        }
    }
    Ok(())
}

/// Whether it is a compiled library, which is replaced but never rewritten.
pub fn is_immutable(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("rlib" | "rmeta" | "a" | "o"))
        // Procedural macros; the cells' own shared objects are called libctx.
        || (extension == Some(DLL_EXTENSION) && path.file_stem() != Some("libctx".as_ref()))
}

/// Makes `target` the same file as `source`, whose directory is a full path.
///
/// # Errors
/// `target` cannot be made.
pub fn link(source: &Path, target: &Path) -> io::Result<()> {
    fs::hard_link(source, target)
        .or_else(|_| std::os::unix::fs::symlink(source, target))
        .map_err(|error| named(error, "link", target))
}

/// Copies a file, which whoever copies it may write.
///
/// # Errors
/// `source` cannot be read or `target` not written.
pub fn copy_file(source: &Path, target: &Path) -> io::Result<()> {
    let copied = || -> io::Result<()> {
        fs::copy(source, target)?;
        // The project's files may be read-only; the copy is its owner's.
        let mut permissions = fs::metadata(target)?.permissions();
        permissions.set_mode(permissions.mode() | 0o200);
        fs::set_permissions(target, permissions)?;
        let modified = fs::metadata(source)?.modified()?;
        File::options().write(true).open(target)?.set_modified(modified)
    };
    copied().map_err(|error| named(error, "copy", source))
}

fn named(error: io::Error, what: &str, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn libraries_are_one_file_and_the_rest_are_two() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("debug/incremental")).expect("writable");
        for name in ["libtch.rlib", "tch.d", "libctx.so"] {
            fs::write(from.join("debug").join(name), name).expect("writable");
        }
        copy(&from, &to).expect("it is copied");
        let file =
            |root: &Path, name: &str| fs::metadata(root.join("debug").join(name)).expect("there");
        for (name, is_one) in [("libtch.rlib", true), ("tch.d", false), ("libctx.so", false)] {
            let (one, other) = (file(&from, name), file(&to, name));
            assert_eq!(one.ino() == other.ino(), is_one, "{name}");
            assert_eq!(one.modified().expect("known"), other.modified().expect("known"), "{name}");
        }
        assert!(!to.join("debug/incremental").exists());
        let error = copy(&dir.path().join("none"), &to).expect_err("there is none");
        assert!(error.to_string().contains("none"), "{error}");
    }
}
