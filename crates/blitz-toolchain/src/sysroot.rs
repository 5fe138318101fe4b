//! The standard library as rust-analyzer sees it.
//!
//! rust-analyzer reads the whole standard library before it answers anything, and most of that time
//! goes into what cells do not use: the intrinsics of every processor (`stdarch`), portable SIMD,
//! the test harness, and what `std` is built on. So it is shown a directory with the crates that
//! matter, and told that there are no others.

use crate::session::{Analysis, Session};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The directories of the view. `proc_macro` is little, and procedural macros name it.
pub const CRATES: [&str; 4] = ["core", "alloc", "std", "proc_macro"];
const MANIFESTS: [&str; 2] = ["Cargo.toml", "Cargo.lock"];
const LIBRARY: &str = "lib/rustlib/src/rust/library";
const VIEW: &str = "sysroot";
const EMPTY_VIEW: &str = "sysroot-empty";
/// Exists once a view was named.
const USED: &str = "sysroot-used";

/// Makes the views of a session.
///
/// # Errors
/// A link cannot be made.
pub fn make_views(session: &Session) -> Result<()> {
    let make = || -> std::io::Result<()> {
        let (real, view) = (real_library(session), library(session));
        fs::create_dir_all(&view)?;
        for name in CRATES.iter().chain(&MANIFESTS).filter(|name| real.join(name).exists()) {
            let link = view.join(name);
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(real.join(name), link)?;
        }
        let _ = fs::remove_file(session.build_dir.join(USED));
        fs::create_dir_all(session.build_dir.join(EMPTY_VIEW).join(LIBRARY))
    };
    make().with_context(|| {
        format!("cannot make a view of the standard library in {}", session.build_dir.display())
    })
}

/// The directory to name as the sysroot. The first time that is an empty one: evcxr begins with the
/// cell `42`, which needs no type of the standard library, and then loads everything again.
pub fn answer(session: &Session) -> PathBuf {
    let build_dir = &session.build_dir;
    let used = build_dir.join(USED);
    let is_first = !used.exists() && fs::write(&used, "").is_ok();
    if is_first || session.analysis == Analysis::CellAlone {
        return build_dir.join(EMPTY_VIEW);
    }
    build_dir.join(VIEW)
}

/// Whether `path` is one of the views.
pub fn is_view(build_dir: &Path, path: &Path) -> bool {
    [VIEW, EMPTY_VIEW].iter().any(|view| path == build_dir.join(view))
}

/// The standard library in the view.
pub fn library(session: &Session) -> PathBuf {
    session.build_dir.join(VIEW).join(LIBRARY)
}

/// The whole standard library.
pub fn real_library(session: &Session) -> PathBuf {
    session.toolchain.sysroot.join(LIBRARY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sysroot_is_empty_and_the_others_have_the_standard_library() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let session = Session::for_tests(dir.path());
        for name in ["core", "std", "stdarch"] {
            let made = fs::create_dir_all(real_library(&session).join(name));
            made.expect("a directory is made");
        }
        make_views(&session).expect("the views are made");
        let names = |sysroot: &Path| -> Vec<String> {
            let entries = fs::read_dir(sysroot.join(LIBRARY)).expect("a library").flatten();
            let mut names: Vec<String> =
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        let first = answer(&session);
        assert!(names(&first).is_empty());
        let second = answer(&session);
        assert_eq!(names(&second), ["core", "std"]);
        assert_eq!(answer(&session), second);
        let mut alone = session;
        alone.analysis = Analysis::CellAlone;
        assert_eq!(answer(&alone), first);
        assert!(is_view(dir.path(), &first) && is_view(dir.path(), &second));
    }
}
