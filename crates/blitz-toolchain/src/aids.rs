//! What makes a cell compile and link faster: the variable store as a library, and empty archives
//! in the place of libtorch.
//!
//! The process that runs cells has loaded libtorch before the first one, so a cell need not name
//! it, and the linker need not read its half a million symbols each time.

use crate::session::Session;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library's name; cells see it under the name of evcxr's module.
pub const CRATE: &str = "blitz_variable_store";

/// The directory of these files below a build directory.
pub fn dir(build_dir: &Path) -> PathBuf {
    build_dir.join("aids")
}

/// The library of the variable store.
pub fn library(build_dir: &Path) -> PathBuf {
    dir(build_dir).join(format!("lib{CRATE}.rlib"))
}

/// Makes the files for the target that `args`, rustc's arguments for a cell, name.
///
/// # Errors
/// A file cannot be written, or rustc cannot compile the library.
pub fn make(session: &Session, args: &[String]) -> Result<()> {
    let dir = dir(&session.build_dir);
    // Whole or not at all: hard links to the files may be in other kernels' hands.
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    make_stubs(&session.layout().libtorch_lib(), &dir)?;
    let source = dir.join("variable_store.rs");
    fs::write(&source, blitz_cells::VARIABLE_STORE)
        .with_context(|| format!("cannot write {}", source.display()))?;
    let mut rustc = Command::new(&session.toolchain.rustc.path);
    session.restore(&mut rustc);
    rustc.args(["--crate-name", CRATE, "--crate-type=rlib", "--edition=2024", "--cap-lints=allow"]);
    rustc.args(["-Copt-level=2", "-Cprefer-dynamic", "-Cembed-bitcode=no"]);
    let target = args.iter().skip_while(|arg| *arg != "--target").take(2);
    rustc.args(target).arg("--out-dir").arg(&dir).arg(&source);
    let output = rustc.output().context("cannot run rustc")?;
    if !output.status.success() {
        bail!("cannot compile {CRATE}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// An empty archive for each of libtorch's libraries. Other linkers than Linux' insist on knowing
/// where each symbol comes from.
fn make_stubs(libtorch_lib: &Path, dir: &Path) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    for entry in fs::read_dir(libtorch_lib).into_iter().flatten().flatten() {
        let name = PathBuf::from(entry.file_name());
        if name.extension().is_some_and(|extension| extension == "so") {
            let stub = dir.join(name.with_extension("a"));
            fs::write(&stub, "!<arch>\n")
                .with_context(|| format!("cannot write {}", stub.display()))?;
        }
    }
    Ok(())
}

/// `option`, a value of rustc's `-L`, with libtorch's directory replaced by that of the archives.
pub fn without_libtorch(session: &Session, option: &str) -> String {
    let libtorch = session.layout().libtorch_lib();
    let is_libtorch = option.strip_prefix("native=").is_some_and(|dir| Path::new(dir) == libtorch);
    if is_libtorch && cfg!(target_os = "linux") {
        return format!("native={}", dir(&session.build_dir).display());
    }
    option.to_owned()
}
