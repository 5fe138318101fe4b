//! `cargo blitz clean` and the table of `cargo blitz doctor`, on directories that look like a project
//! that has been used.

mod common;

use common::{blitz, run};
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What a used project has, each with a file of 1 MB in it.
const DIRS: [&str; 15] = [
    ".blitz/warm/target",
    ".blitz/bin",
    ".blitz/sources",
    ".blitz/dependencies",
    ".blitz/example",
    ".blitz/ci-cargo-home",
    "site",
    "target/debug",
    ".blitz/logs",
    ".blitz/data",
    ".blitz/history",
    ".venv/lib/python3.11/site-packages/nvidia",
    ".blitz/nbgrader/lib",
    ".blitz/browser/lib",
    "notebooks",
];

/// Those of them without which no kernel starts, and what they are made of.
const KERNEL: &[&str] = DIRS.split_at(6).0;

fn project_at(root: &Path) {
    for dir in DIRS {
        fs::create_dir_all(root.join(dir)).expect("writable");
        fs::write(root.join(dir).join("file"), vec![1; 1_000_000]).expect("writable");
    }
}

fn clean(root: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    run(blitz().arg("clean").args(arguments).arg("--root").arg(root))
}

/// Which of [`DIRS`] are there.
fn left(root: &Path) -> Vec<&'static str> {
    DIRS.into_iter().filter(|dir| root.join(dir).join("file").exists()).collect()
}

fn all_but(gone: &[&str]) -> Vec<&'static str> {
    DIRS.into_iter().filter(|dir| !gone.contains(dir)).collect()
}

#[test]
fn each_option_removes_its_part_and_no_other() {
    for (option, gone) in [
        (&[][..], &["site", ".blitz/logs"][..]),
        (&["--results"], &["site", ".blitz/logs"]),
        (&["--target"], &["target/debug"]),
        (&["--kernel"], KERNEL),
        (&["--data"], &[".blitz/data"]),
        (&["--python"], &[".venv/lib/python3.11/site-packages/nvidia"]),
        (&["--class"], &[".blitz/nbgrader/lib"]),
        (&["--browser"], &[".blitz/browser/lib"]),
        (&["--target", "--data"], &["target/debug", ".blitz/data"]),
    ] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        project_at(dir.path());
        let (code, text) = clean(dir.path(), &[option, &["--dry-run"]].concat());
        assert!(code == Some(0) && text.contains("would remove"), "{text}");
        assert_eq!(left(dir.path()), DIRS, "nothing is removed in a dry run");
        let (code, text) = clean(dir.path(), option);
        assert_eq!(code, Some(0), "{text}");
        assert_eq!(left(dir.path()), all_but(gone), "{option:?}: {text}");
        assert!(text.contains(&format!("{} MB are free", gone.len())), "{text}");
    }
}

#[test]
fn all_leaves_what_a_fresh_clone_has() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    project_at(dir.path());
    let (code, text) = clean(dir.path(), &["--all"]);
    assert!(code == Some(0) && text.contains("14 MB are free"), "{text}");
    let names: Vec<_> = fs::read_dir(dir.path()).expect("readable").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(left(dir.path()), ["notebooks"]);
    // And once more, where there is nothing.
    assert_eq!(clean(dir.path(), &["--all"]).0, Some(0));
    // Set-up begins anew: as far as the first thing that this machine is said to lack.
    let mut setup = blitz();
    setup.arg("setup").arg("--root").arg(dir.path()).env("CXX", dir.path().join("no-such-c++"));
    let (code, text) = run(&mut setup);
    assert!(code == Some(1) && text.contains("C++ compiler"), "{text}");
    assert!(dir.path().join(".blitz").is_dir(), "{text}");
}

#[test]
fn nothing_outside_the_project_is_removed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (root, disk) = (dir.path().join("project"), dir.path().join("large disk"));
    project_at(&root);
    fs::rename(root.join(".blitz/data"), &disk).expect("moved");
    std::os::unix::fs::symlink(&disk, root.join(".blitz/data")).expect("linked");
    let (code, text) = clean(&root, &["--data"]);
    assert!(code == Some(0) && text.contains("is a link"), "{text}");
    assert!(disk.join("file").exists() && fs::read_link(root.join(".blitz/data")).is_err());

    let elsewhere = dir.path().join("elsewhere");
    fs::rename(root.join(".blitz"), &elsewhere).expect("moved");
    std::os::unix::fs::symlink(&elsewhere, root.join(".blitz")).expect("linked");
    let (code, text) = clean(&root, &["--kernel"]);
    assert!(code == Some(0) && text.contains("outside this directory"), "{text}");
    assert!(elsewhere.join("bin/file").exists(), "{text}");
}

#[test]
fn while_somebody_sets_up_everything_stays() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    project_at(dir.path());
    let lock = File::create(dir.path().join(".blitz/setup.lock")).expect("writable");
    lock.lock().expect("locked");
    let (code, text) = clean(dir.path(), &["--all"]);
    assert!(code == Some(1) && text.contains("setting up"), "{text}");
    assert_eq!(left(dir.path()), DIRS);
}

#[test]
fn a_running_kernel_keeps_its_directory_and_a_dead_one_does_not() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    project_at(dir.path());
    let kernels = ["1-0", "2-0"].map(|name| dir.path().join(".blitz/kernels").join(name));
    let past = SystemTime::now() - Duration::from_secs(600);
    let locks = kernels.each_ref().map(|kernel| {
        fs::create_dir_all(kernel).expect("writable");
        let lock = File::create(kernel.join("in-use.lock")).expect("writable");
        File::open(kernel).expect("opens").set_modified(past).expect("made old");
        lock
    });
    locks[0].lock().expect("locked");
    for option in ["--kernel", "--python", "--all"] {
        let (code, text) = clean(dir.path(), &[option]);
        assert!(code == Some(1) && text.contains("kernels run here"), "{text}");
        assert_eq!(left(dir.path()), DIRS, "{option}");
    }
    let (code, text) = clean(dir.path(), &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(kernels[0].exists() && !kernels[1].exists(), "{text}");
}

#[test]
fn doctor_says_what_lies_where_and_how_it_goes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    project_at(dir.path());
    let (_, text) = run(blitz().arg("doctor").arg("--root").arg(dir.path()));
    for expected in [
        "target 1 MB",
        ".blitz/warm 1 MB",
        ".blitz/dependencies 1 MB",
        ".blitz/example 1 MB",
        ".blitz/ci-cargo-home 1 MB",
        "of which CUDA's libraries 1 MB",
        "--data`",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}
