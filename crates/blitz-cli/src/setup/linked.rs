//! Programs that are compiled with what set-up has compiled for the notebooks: the example, and the
//! notebooks as programs.
//!
//! They have links of their own to what is compiled: where cargo finds reason to compile that anew,
//! such as another `CARGO_HOME`, kernels, which use it at the same time, are left alone.

use super::dependencies::{self, PROFILE, cargo, host, manifest, tch_and_blitz, write_package};
use super::lock;
use super::state::State;
use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::Step;
use crate::program::package::{self, PACKAGE, Programs};
use crate::project::Project;
use anyhow::{Context, Result};
use blitz_contract::variables;
use blitz_user_dirs::linked_tree;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

/// How many programs are compiled at once: each takes some hundred megabytes.
const AT_ONCE: &str = "2";

/// Compiles `crates/blitz/examples/cifar10.rs` and returns the program.
///
/// # Errors
/// cargo fails.
pub fn example(project: &Project) -> Result<PathBuf> {
    let lock = lock::wait_to_compile(project)?;
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
        link_compiled(project, &lock)?;
        let mut command = cargo(&dir, &target_dir(project), "rustc")?;
        // cargo tells only the crate `blitz` itself where libtorch lies.
        let lib_dir = project.libtorch_lib();
        command.arg("--").arg(format!("-Clink-arg=-Wl,-rpath,{}", lib_dir.display()));
        run_logged(&step, command, &log, &Cancel::default())
    });
    step.finish(compiled, "the example could not be compiled")?;
    Ok(programs_dir(project)?.join("cifar10"))
}

/// Compiles `programs` as the package that a person gets of them, without optimizing their own code,
/// and returns the directory of what was compiled.
///
/// # Errors
/// cargo fails: what rustc says is in the file [`log`].
pub fn notebooks(project: &Project, programs: &Programs) -> Result<PathBuf> {
    let lock = lock::wait_to_compile(project)?;
    let step = Step::start("compiling the programs");
    let dir = project.programs_dir();
    let own = format!("\n[profile.dev.package.{PACKAGE}]\nopt-level = 0\n");
    let manifest =
        format!("{}{PROFILE}{own}", package::manifest(&project.helper_crate(), programs));
    let compiled = package::write(project, &dir, programs).and_then(|()| {
        write_package(project, &dir, &manifest)?;
        link_compiled(project, &lock)?;
        let mut command = cargo(&dir, &target_dir(project), "build")?;
        command.args(["--bins", "--keep-going", "--jobs", AT_ONCE]);
        run_logged(&step, command, &log(project), &Cancel::default())
    });
    step.finish(compiled, "a program could not be compiled")?;
    programs_dir(project)
}

/// What builds the notebooks' dependencies, all of which are compiled: cargo says what they are.
///
/// # Errors
/// The links cannot be made.
pub fn build(project: &Project) -> Result<Command> {
    link_compiled(project, &lock::wait_to_compile(project)?)?;
    cargo(&project.dependencies_dir(), &target_dir(project), "build")
}

/// What tests the helper crate: all that it depends on is what set-up has compiled for cells, and it alone
/// is compiled anew, with less optimization.
///
/// # Errors
/// The links cannot be made.
pub fn test(project: &Project) -> Result<Command> {
    link_compiled(project, &lock::wait_to_compile(project)?)?;
    let mut command = cargo(project.root(), &target_dir(project), "test")?;
    for setting in PROFILE.lines().filter(|line| line.contains('=')) {
        command.args(["--config", &format!("profile.dev.{setting}")]);
    }
    command.args(["--config", "profile.dev.package.blitz.opt-level=1"]);
    // Compiled with the tests: by itself, what tries it would have cargo compile all once more.
    command.env(variables::EXAMPLE, programs_dir(project)?.join("examples/cifar10"));
    Ok(command)
}

/// What cargo and rustc say of the programs.
pub fn log(project: &Project) -> PathBuf {
    project.log("programs")
}

fn target_dir(project: &Project) -> PathBuf {
    project.example_dir().join("target")
}

fn programs_dir(project: &Project) -> Result<PathBuf> {
    Ok(target_dir(project).join(host()?).join("debug"))
}

/// Gives the programs what set-up has compiled, unless they have it or there is nothing. `_compiling` is the
/// lock of whoever compiles them.
fn link_compiled(project: &Project, _compiling: &File) -> Result<()> {
    let target = target_dir(project);
    // Written last: a copy that was interrupted is made again.
    let note = target.join("linked");
    // Nobody sets up meanwhile.
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
    linked_tree::copy(&dependencies::target_dir(project), &target)?;
    fs::write(&note, key).with_context(|| format!("cannot write {}", note.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use blitz_contract::Layout;

    fn link(project: &Project) -> Result<()> {
        link_compiled(project, &lock::wait_to_compile(project)?)
    }

    #[test]
    fn programs_have_links_of_their_own_to_what_is_compiled_now() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let project = Project::new(Layout::new(dir.path()));
        let compiled = dependencies::target_dir(&project).join("libtch.rlib");
        let own = target_dir(&project).join("libtch.rlib");
        fs::create_dir_all(dependencies::target_dir(&project)).expect("writable");
        fs::write(&compiled, "one").expect("writable");
        link(&project).expect("there is nothing that set-up has completed");
        assert!(!own.exists());

        State::read(&project).set("dependencies", "one").expect("writable");
        link(&project).expect("it is linked");
        assert_eq!(fs::read_to_string(&own).expect("it is there"), "one");
        // cargo replaces files: what kernels use stays.
        fs::remove_file(&own).and_then(|()| fs::write(&own, "own")).expect("writable");
        link(&project).expect("it is there");
        assert_eq!(fs::read_to_string(&own).expect("it is there"), "own");
        assert_eq!(fs::read_to_string(&compiled).expect("it is there"), "one");

        fs::remove_file(&compiled).and_then(|()| fs::write(&compiled, "two")).expect("writable");
        State::read(&project).set("dependencies", "two").expect("writable");
        link(&project).expect("it is linked anew");
        assert_eq!(fs::read_to_string(&own).expect("it is there"), "two");
    }

    #[test]
    fn commands_that_start_together_link_one_after_the_other() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let project = Project::new(Layout::new(dir.path()));
        fs::create_dir_all(dependencies::target_dir(&project)).expect("writable");
        for number in 0..300 {
            fs::write(dependencies::target_dir(&project).join(format!("{number}.rlib")), "")
                .expect("writable");
        }
        State::read(&project).set("dependencies", "one").expect("writable");
        std::thread::scope(|scope| {
            let started: Vec<_> = (0..8).map(|_| scope.spawn(|| link(&project))).collect();
            for command in started {
                command.join().expect("no panic").expect("it is linked");
            }
        });
        let linked = fs::read_dir(target_dir(&project)).expect("it is there").count();
        assert_eq!(linked, 301, "the libraries and the note");
    }

    #[test]
    fn a_package_that_another_command_writes_is_always_whole() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let project = Project::new(Layout::new(dir.path()));
        fs::write(project.lock_file(), "version = 4\n".repeat(10_000)).expect("writable");
        let manifest = "[package]\n".repeat(10_000);
        let package = project.example_dir();
        let write = || write_package(&project, &package, &manifest).expect("writable");
        write();
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| (0..300).for_each(|_| write()));
            while !writing.is_finished() {
                let read =
                    |name: &str| fs::read_to_string(package.join(name)).expect("it is there");
                assert!(read("Cargo.toml") == manifest && read("Cargo.lock").len() == 120_000);
            }
        });
    }
}
