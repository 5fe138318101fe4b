//! The standard library as rust-analyzer sees it.
//!
//! rust-analyzer reads the whole standard library before it answers anything, and a third of that
//! time goes into crates whose types cells do not have: the intrinsics of every processor
//! (`stdarch`), portable SIMD, the test harness, and what `std` is built on. A view without
//! `Cargo.toml` makes it put together the crates that it finds.

use super::Session;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates of the view. `proc_macro` is little, and procedural macros name it.
const CRATES: [&str; 4] = ["core", "alloc", "std", "proc_macro"];
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
        let view = session.build_dir.join(VIEW).join(LIBRARY);
        fs::create_dir_all(&view)?;
        let real = session.toolchain.sysroot.join(LIBRARY);
        for name in CRATES.iter().filter(|name| real.join(name).is_dir()) {
            let link = view.join(name);
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(real.join(name), link)?;
        }
        let empty = session.build_dir.join(EMPTY_VIEW);
        let _ = fs::remove_file(session.build_dir.join(USED));
        fs::create_dir_all(empty.join(LIBRARY))
    };
    make().with_context(|| {
        format!("cannot make a view of the standard library in {}", session.build_dir.display())
    })
}

/// The directory to name as the sysroot. The first time that is an empty one: evcxr begins with the
/// cell `42`, which needs no type of the standard library, and then loads everything again.
pub fn answer(build_dir: &Path) -> PathBuf {
    let (empty, used) = (build_dir.join(EMPTY_VIEW), build_dir.join(USED));
    if empty.is_dir() && !used.exists() && fs::write(&used, "").is_ok() {
        return empty;
    }
    build_dir.join(VIEW)
}

/// Whether `path` is one of the views.
pub fn is_view(build_dir: &Path, path: &Path) -> bool {
    [VIEW, EMPTY_VIEW].iter().any(|view| path == build_dir.join(view))
}
