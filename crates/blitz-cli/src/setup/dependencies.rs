//! Compiling the notebooks' dependencies, as evcxr will ask cargo for them.
//!
//! evcxr compiles cells in a crate of its own, for a named target, with flags and a profile of its
//! own. What is compiled here in the same way, into the directory that kernels start from, is fresh
//! for it. So it need not wait for the kernel, and the example and the training benchmark share it.

use super::state::State;
use super::{lock, sources};
use crate::fingerprint::Fingerprint;
use crate::process::cancel::Cancel;
use crate::process::command::{output_of, run_logged, run_visibly};
use crate::process::progress::{Board, Step};
use crate::project::Project;
use anyhow::{Context, Result};
use blitz_contract::versions::{EVCXR_INPUT, TCH};
use blitz_user_dirs::linked_tree;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// evcxr's own profile for cells and what they depend on, at its usual optimization level.
/// (`.cargo/config.toml` adds what both should leave unoptimized.)
const PROFILE: &str = "\
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

/// Compiles `crates/blitz/examples/cifar10.rs` with what the notebooks use and returns the program.
///
/// It has links of its own to what is compiled: where cargo finds reason to compile that anew, such as
/// another `CARGO_HOME`, kernels, which use it at the same time, are left alone.
///
/// # Errors
/// cargo fails.
pub fn example(project: &Project) -> Result<PathBuf> {
    let step = Step::start("compiling the example cifar10");
    let dir = project.example_dir();
    let source = project.path("crates/blitz/examples/cifar10.rs");
    let bin = format!("[[bin]]\nname = \"cifar10\"\npath = \"{}\"", source.display());
    // clap's derive would change serde, and with it all that is compiled.
    let others = format!(
        "blitz-contract = {{ path = \"{}\" }}\nclap = {{ version = \"4\", features = [\"env\"] }}\n\
         serde_json = \"1\"\n",
        project.path("crates/blitz-contract").display()
    );
    let manifest = manifest("cifar10", &bin, &format!("{}{others}", tch_and_blitz(project)));
    let log = project.log("example");
    let compiled = write_package(project, &dir, &manifest).and_then(|()| {
        link_compiled(project)?;
        let mut command = cargo(&dir, &example_target(project), "rustc")?;
        // cargo tells only the crate `blitz` itself where libtorch lies.
        let lib_dir = project.libtorch_lib();
        command.arg("--").arg(format!("-Clink-arg=-Wl,-rpath,{}", lib_dir.display()));
        run_logged(&step, command, &log, &Cancel::default())
    });
    step.finish(compiled, "the example could not be compiled")?;
    Ok(example_target(project).join(host()?).join("debug/cifar10"))
}

/// What builds the notebooks' dependencies, all of which are compiled, in links of its own as
/// [`example`] has them.
///
/// # Errors
/// The links cannot be made.
pub fn linked_build(project: &Project) -> Result<Command> {
    link_compiled(project)?;
    cargo(&project.dependencies_dir(), &example_target(project), "build")
}

fn example_target(project: &Project) -> PathBuf {
    project.example_dir().join("target")
}

/// Gives the example what set-up has compiled, unless it has it or there is nothing.
fn link_compiled(project: &Project) -> Result<()> {
    let target = example_target(project);
    // Written last: a copy that was interrupted is made again.
    let note = target.join("linked");
    // Nobody else links, and nobody sets up meanwhile.
    let _lock = lock::wait(project)?;
    let state = State::read(project);
    let Some(key) = state.get("dependencies") else { return Ok(()) };
    if fs::read_to_string(&note).is_ok_and(|linked| linked == key) {
        return Ok(());
    }
    if target.exists() {
        fs::remove_dir_all(&target)
            .with_context(|| format!("cannot remove {}", target.display()))?;
    }
    linked_tree::copy(&target_dir(project), &target)?;
    fs::write(&note, key).with_context(|| format!("cannot write {}", note.display()))
}

fn tch_and_blitz(project: &Project) -> String {
    let blitz = project.helper_crate();
    format!("blitz = {{ path = \"{}\" }}\ntch = \"={TCH}\"\n", blitz.display())
}

fn manifest(name: &str, target: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n{target}\n\n\
         [workspace]\n\n[dependencies]\n{dependencies}\n{PROFILE}"
    )
}

/// A package below `.blitz` with the workspace's versions.
fn write_package(project: &Project, dir: &Path, manifest: &str) -> Result<()> {
    fs::create_dir_all(dir)
        .and_then(|()| fs::write(dir.join("Cargo.toml"), manifest))
        .and_then(|()| fs::copy(project.lock_file(), dir.join("Cargo.lock")))
        .with_context(|| format!("cannot write the package in {}", dir.display()))?;
    Ok(())
}

/// cargo as evcxr calls it. The settings in `.cargo/config.toml` apply, since the package lies below
/// the repository.
fn cargo(dir: &Path, target_dir: &Path, what: &str) -> Result<Command> {
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
fn host() -> Result<String> {
    output_of(Command::new("rustc").args(["--print", "host-tuple"]))
        .context("rustc does not say for which machine it compiles")
}

#[cfg(test)]
mod tests {
    use super::*;
    use blitz_contract::Layout;

    #[test]
    fn the_example_has_links_of_its_own_to_what_is_compiled_now() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let project = Project::new(Layout::new(dir.path()));
        let compiled = target_dir(&project).join("libtch.rlib");
        let own = example_target(&project).join("libtch.rlib");
        fs::create_dir_all(target_dir(&project)).expect("writable");
        fs::write(&compiled, "one").expect("writable");
        link_compiled(&project).expect("there is nothing that set-up has completed");
        assert!(!own.exists());

        State::read(&project).set("dependencies", "one").expect("writable");
        link_compiled(&project).expect("it is linked");
        assert_eq!(fs::read_to_string(&own).expect("it is there"), "one");
        // cargo replaces files: what kernels use stays.
        fs::remove_file(&own).and_then(|()| fs::write(&own, "own")).expect("writable");
        link_compiled(&project).expect("it is there");
        assert_eq!(fs::read_to_string(&own).expect("it is there"), "own");
        assert_eq!(fs::read_to_string(&compiled).expect("it is there"), "one");

        fs::remove_file(&compiled).and_then(|()| fs::write(&compiled, "two")).expect("writable");
        State::read(&project).set("dependencies", "two").expect("writable");
        link_compiled(&project).expect("it is linked anew");
        assert_eq!(fs::read_to_string(&own).expect("it is there"), "two");
    }

    #[test]
    fn commands_that_start_together_link_one_after_the_other() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let project = Project::new(Layout::new(dir.path()));
        fs::create_dir_all(target_dir(&project)).expect("writable");
        for number in 0..300 {
            fs::write(target_dir(&project).join(format!("{number}.rlib")), "").expect("writable");
        }
        State::read(&project).set("dependencies", "one").expect("writable");
        std::thread::scope(|scope| {
            let started: Vec<_> = (0..8).map(|_| scope.spawn(|| link_compiled(&project))).collect();
            for command in started {
                command.join().expect("no panic").expect("it is linked");
            }
        });
        let linked = fs::read_dir(example_target(&project)).expect("it is there").count();
        assert_eq!(linked, 301, "the libraries and the note");
    }
}
