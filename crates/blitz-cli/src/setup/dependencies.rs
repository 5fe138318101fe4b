//! Compiling the notebooks' dependencies, as evcxr will ask cargo for them.
//!
//! evcxr compiles cells in a crate of its own, for a named target, with flags and a profile of its
//! own. What is compiled here in the same way, into the directory that kernels start from, is fresh
//! for it. So it need not wait for the kernel, and [programs](super::linked) share it.

use super::sources;
use crate::files::write_atomically;
use crate::fingerprint::Fingerprint;
use crate::process::cancel::Cancel;
use crate::process::command::{output_of, run_logged, run_visibly};
use crate::process::progress::Board;
use crate::project::Project;
use anyhow::{Context, Result};
use blitz_contract::versions::{EVCXR_INPUT, TCH};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// evcxr's own profile for cells and what they depend on, at its usual optimization level.
/// (`.cargo/config.toml` adds what both should leave unoptimized.)
pub(super) const PROFILE: &str = "\
[profile.dev]
opt-level = 2
debug = false
strip = \"debuginfo\"
rpath = true
lto = false
debug-assertions = true
codegen-units = 16
panic = 'unwind'
incremental = true
overflow-checks = true
";

/// What evcxr passes to rustc.
const RUSTFLAGS: &str = "-Cprefer-dynamic";

/// What it takes on two cores.
const USUAL: Duration = Duration::from_secs(240);

/// The key: the helper crate, all versions and settings, the compiler and libtorch.
pub fn key(project: &Project, rustc: &str, torch_version: &str) -> String {
    let sources = sources::of(project, "blitz");
    let print =
        sources.iter().fold(Fingerprint::new(), |print, path| print.path(path).modified(path));
    print
        .path(&project.path("Cargo.toml"))
        .path(&project.lock_file())
        .path(&project.cargo_settings())
        .text(rustc)
        .text(torch_version)
        .finish()
}

/// Throws away what was compiled for another libtorch. cargo would keep it: the path is the same,
/// but the libraries that it holds are not (CUDA's come and go with `--cpu`).
///
/// # Errors
/// A directory cannot be removed.
pub fn forget_other_libtorch(project: &Project) -> Result<()> {
    let warm = project.warm_dir();
    if warm.exists() {
        fs::remove_dir_all(&warm).with_context(|| format!("cannot remove {}", warm.display()))?;
    }
    let mut command = Command::new("cargo");
    command.current_dir(project.root()).args(["clean", "--quiet", "--package", "torch-sys"]);
    run_visibly(command)
}

/// Compiles the crates that notebooks import into [`target_dir`]. What is there already stays.
///
/// # Errors
/// cargo fails.
pub fn compile(project: &Project, board: &Board, cancel: &Cancel) -> Result<()> {
    let step = board.long_step("compiling the notebooks' dependencies (tch, plotters, …)", USUAL);
    let dir = project.dependencies_dir();
    let all = format!("{}evcxr_input = \"={EVCXR_INPUT}\"\n", tch_and_blitz(project));
    let manifest = manifest("dependencies", "[lib]\npath = \"lib.rs\"", &all);
    let compiled = write_package(project, &dir, &manifest)
        .and_then(|()| fs::write(dir.join("lib.rs"), "").context("cannot write the crate"))
        .and_then(|()| {
            let command = cargo(&dir, &target_dir(project), "build")?;
            run_logged(&step, command, &project.log("dependencies"), cancel)
        });
    step.finish(compiled, "the notebooks' dependencies could not be compiled")
}

/// Where [`compile`] puts its results, and evcxr's crate directory looks for them.
pub fn target_dir(project: &Project) -> PathBuf {
    project.warm_target()
}

/// The two crates that every notebook names, for a manifest.
pub(super) fn tch_and_blitz(project: &Project) -> String {
    let blitz = project.helper_crate();
    format!("blitz = {{ path = \"{}\" }}\ntch = \"={TCH}\"\n", blitz.display())
}

/// A package's manifest, with the profile of cells.
pub(super) fn manifest(name: &str, target: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n{target}\n\n\
         [workspace]\n\n[dependencies]\n{dependencies}\n{PROFILE}"
    )
}

/// A package below `.blitz` with the workspace's versions.
pub(super) fn write_package(project: &Project, dir: &Path, manifest: &str) -> Result<()> {
    let versions = fs::read(project.lock_file())
        .with_context(|| format!("cannot read {}", project.lock_file().display()))?;
    write_atomically(&dir.join("Cargo.toml"), manifest.as_bytes())?;
    write_atomically(&dir.join("Cargo.lock"), &versions)
}

/// cargo as evcxr calls it. The settings in `.cargo/config.toml` apply, since the package lies below
/// the repository.
pub(super) fn cargo(dir: &Path, target_dir: &Path, what: &str) -> Result<Command> {
    let mut command = Command::new("cargo");
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in
        names.filter(|name| blitz_contract::build_environment::changes_what_is_compiled(name))
    {
        command.env_remove(name);
    }
    command.current_dir(dir).args([what, "--target", &host()?]);
    command.env("CARGO_TARGET_DIR", target_dir).env("CARGO_BUILD_BUILD_DIR", target_dir);
    command.env("RUSTFLAGS", RUSTFLAGS);
    Ok(command)
}

/// The machine's target, such as `x86_64-unknown-linux-gnu`.
pub(super) fn host() -> Result<String> {
    output_of(Command::new("rustc").args(["--print", "host-tuple"]))
        .context("rustc does not say for which machine it compiles")
}
