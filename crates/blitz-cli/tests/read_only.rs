//! A project that cannot be written: whoever uses it finds it as it was set up. These tests need
//! `cargo blitz setup`, and a system that lets its users mount.

mod common;

use blitz_contract::variables;
use common::{SMALL_EXERCISES, blitz, is_root, printed, repository, write_notebook};
use std::path::Path;
use std::process::{Command, Output};

/// Runs `cargo blitz` with `arguments` where the project is mounted read-only, for a person whose
/// home is `home`; `None` where this system does not let its users mount.
fn run_read_only(home: &Path, arguments: &[&str]) -> Option<Output> {
    let project = repository();
    let root = project.root().canonicalize().expect("the project").display().to_string();
    let users: &[&str] = if is_root() { &[] } else { &["--user", "--map-root-user"] };
    let mounts = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\"";
    let unshared = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(users).args(["--mount", "sh", "-c", script, &root]);
        command
    };
    let tried = unshared(mounts).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        eprintln!("skipped: this system does not let its users mount");
        return None;
    }
    let mut command = unshared(&format!("{mounts} && cd / && exec \"$@\""));
    let blitz = blitz();
    command.arg(blitz.get_program());
    // One that is built elsewhere cannot know whose it is.
    if !project.contains(Path::new(blitz.get_program())) {
        command.args(["--root", &root]);
    }
    command.args(arguments);
    command.env("HOME", home).env_remove(variables::DATA).env_remove("XDG_CACHE_HOME");
    // Nothing of the toolchain is needed: set-up has recorded where it is.
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    Some(command.output().expect("the binary runs"))
}

#[test]
fn a_complete_set_up_is_recognised_and_notebooks_run() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let Some(output) = run_read_only(home.path(), &["setup"]) else { return };
    let text = printed(&output);
    assert!(output.status.success() && text.contains("Nothing to do"), "{text}");

    let notebook = write_notebook(home.path(), "own.ipynb", &["use blitz::prelude::*;", "1 + 1"]);
    let (notebook, site) = (notebook.display().to_string(), home.path().join("site"));
    let arguments = ["run", &notebook, "--site", &site.display().to_string()];
    let output = run_read_only(home.path(), &arguments).expect("as before");
    assert!(output.status.success(), "{}", printed(&output));
    assert!(site.join("own.html").is_file());
    assert!(home.path().join(".cache/rust-blitz/logs/execute-own.log").is_file());

    let output = run_read_only(home.path(), &["run", &notebook]).expect("as before");
    let text = printed(&output);
    assert!(output.status.code() == Some(1) && text.contains("--site DIR"), "{text}");
}

#[test]
fn lab_says_where_to_save() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let arguments = ["lab", "--no-browser", "--", "--version"];
    let Some(output) = run_read_only(home.path(), &arguments) else { return };
    let text = printed(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("cp -r") && text.contains("--notebook-dir ~/notebooks"), "{text}");
}

#[test]
fn exercises_want_a_place_of_ones_own() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let Some(output) = run_read_only(home.path(), &["exercises"]) else { return };
    let text = printed(&output);
    assert!(output.status.code() == Some(1) && text.contains("exercises --to "), "{text}");

    let (source, to) = (SMALL_EXERCISES, home.path().join("mine").display().to_string());
    let output = run_read_only(home.path(), &["exercises", source, "--to", &to]);
    let output = output.expect("as before");
    assert!(output.status.success(), "{}", printed(&output));
    assert!(home.path().join("mine/01_small.ipynb").is_file());
}
