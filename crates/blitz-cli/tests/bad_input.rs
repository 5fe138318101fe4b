//! Bad input gets a clear error, the right exit code, and nothing is lost.

mod common;

use common::{blitz, repository, run, write_notebook};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A directory that looks like a clone that was never set up.
fn clone_at(root: &Path) {
    fs::create_dir_all(root.join("notebooks")).expect("writable");
    fs::write(root.join("requirements.txt"), "blitz-no-such-package==1.0\n").expect("writable");
    write_notebook(&root.join("notebooks"), "01_tensors.ipynb", &["1"]);
}

#[test]
fn help_is_there_for_every_command() {
    for command in ["setup", "run", "lab", "test", "bench", "html", "doctor", "clean"] {
        let (code, text) = run(blitz().args([command, "--help"]));
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains(&format!("Usage: cargo blitz {command}")), "{text}");
    }
    assert_eq!(run(blitz().arg("no-such-command")).0, Some(2));
    let (_, text) = run(blitz().args(["test", "--help"]));
    assert!(text.contains("jupyter:") && text.contains("stock:"), "the checks are named: {text}");
    let (_, text) = run(blitz().args(["bench", "kernel", "--help"]));
    assert!(text.contains("--runs") && text.contains("--quick"), "{text}");
    let (_, text) = run(blitz().args(["bench", "train", "--help"]));
    assert!(text.contains("--quick") && text.contains("--data"), "{text}");
}

#[test]
fn an_unknown_notebook_is_a_usage_error_that_names_the_known_ones() {
    let (code, text) = run(blitz().args(["run", "05_transformers"]));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("`05_transformers`") && text.contains("01_tensors"), "{text}");
}

#[test]
fn an_unknown_check_or_kernel_is_a_usage_error_that_names_the_known_ones() {
    for arguments in [["test", "no-such"], ["run", "--kernel=no-such"]] {
        let (code, text) = run(blitz().args(arguments));
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("clippy") || text.contains("rust-stock"), "{text}");
    }
    let (code, text) = run(blitz().args(["run", "--kernel", "rust-stock", "--store"]));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("leave out --store or --kernel"), "{text}");
}

#[test]
fn an_unknown_language_is_a_usage_error_that_names_the_known_ones() {
    for arguments in [["lab", "--language=tlh"], ["translate", "tlh"]] {
        let (code, text) = run(blitz().args(arguments));
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("no language `tlh`; there are ") && text.contains("zh_CN"), "{text}");
    }
}

#[test]
fn a_notebook_that_is_not_json_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let notebook = dir.path().join("torn.ipynb");
    fs::write(&notebook, "{\"cells\": [").expect("writable");
    let (code, text) = run(blitz().arg("run").arg(&notebook));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("torn.ipynb is not a notebook: it is not JSON"), "{text}");
}

#[test]
fn a_site_that_cannot_be_written_stops_the_run_before_anything_is_executed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let notebook = write_notebook(dir.path(), "n.ipynb", &["1"]);
    // Root may write to a read-only directory, but nobody below a file.
    let file = dir.path().join("file");
    fs::write(&file, "").expect("writable");
    let (code, text) = run(blitz().arg("run").arg(&notebook).arg("--site").arg(file.join("site")));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot write to") && text.contains("--site DIR"), "{text}");
    assert!(!text.contains("executing"), "{text}");
}

#[test]
fn results_that_would_overwrite_each_other_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let notebooks = [&one, &two].map(|dir| {
        fs::create_dir(dir).expect("writable");
        write_notebook(dir, "same.ipynb", &["1"])
    });
    let refused = |command: &mut std::process::Command| {
        let (code, text) = run(command);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("would overwrite") && text.contains("same.ipynb"), "{text}");
    };
    refused(blitz().arg("run").args(&notebooks).arg("--site").arg(dir.path().join("site")));
    refused(blitz().arg("html").arg(&notebooks[0]).arg("--site").arg(&one));
}

#[test]
fn a_port_in_use_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let (code, text) = run(blitz().args(["lab", "--no-browser", "--port", &port]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&format!("port {port} is in use")), "{text}");
}

#[test]
fn a_missing_data_directory_is_named() {
    let (code, text) = run(blitz().args(["run", "01", "--data", "/no/such/cifar"]));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("the data directory /no/such/cifar cannot be read"), "{text}");
}

#[test]
fn a_clone_in_a_path_with_a_space_is_refused_with_the_remedy() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let root = dir.path().join("my clone");
    clone_at(&root);
    let (code, text) = run(blitz().arg("setup").arg("--root").arg(&root));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("contains a space") && text.contains("Move the clone"), "{text}");
    assert!(!root.join(".venv").exists() && !root.join(".blitz").exists());
}

#[test]
fn a_missing_compiler_is_named_before_anything_is_downloaded() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    clone_at(dir.path());
    let no_compiler = dir.path().join("no-such-c++");
    let (code, text) =
        run(blitz().arg("setup").arg("--root").arg(dir.path()).env("CXX", no_compiler));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("C++ compiler") && text.contains("apt install g++"), "{text}");
    assert!(!dir.path().join(".venv").exists());
}

#[test]
fn no_network_at_set_up_is_said_plainly() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    clone_at(dir.path());
    // cargo reads these before it asks for anything.
    let here = repository();
    for name in ["Cargo.toml", "Cargo.lock", "crates"] {
        copy(&here.path(name), &dir.path().join(name));
    }
    let nobody = "http://127.0.0.1:9";
    let mut command = blitz();
    command.arg("setup").arg("--root").arg(dir.path());
    command.env("PIP_INDEX_URL", format!("{nobody}/simple")).env_remove("PIP_FIND_LINKS");
    command.env("CARGO_HOME", dir.path().join("empty")).env("HTTPS_PROXY", nobody);
    command.env("CARGO_NET_RETRY", "0");
    let (code, text) = run(&mut command);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("There seems to be no network"), "{text}");
    assert!(text.contains("pip.log") || text.contains("fetch.log"), "{text}");
    assert!(!text.contains("building the kernel"), "nothing is begun that cannot end: {text}");
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).expect("the file can be copied");
        return;
    }
    fs::create_dir(to).expect("writable");
    for entry in fs::read_dir(from).expect("readable").flatten() {
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

#[test]
fn the_project_is_that_of_the_working_directory_where_the_program_lies_elsewhere() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let program = dir.path().join("blitz");
    fs::copy(blitz().get_program(), &program).expect("the binary can be copied");
    let html_in = |dir: &Path| {
        let mut command = Command::new(&program);
        run(command.args(["html", "no-such-notebook"]).current_dir(dir))
    };
    let (code, text) = html_in(dir.path());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("a clone of Rust Blitz") && text.contains("--root DIR"), "{text}");
    let (code, text) = html_in(&repository().helper_crate().join("src"));
    assert!(code == Some(2) && text.contains("01_tensors"), "{text}");
}

#[test]
fn a_wrong_torch_is_named_with_both_versions() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    clone_at(dir.path());
    let torch = dir.path().join(".venv/lib/python3.11/site-packages/torch");
    fs::create_dir_all(&torch).expect("writable");
    fs::write(torch.join("version.py"), "__version__ = '2.12.0'\n").expect("writable");
    let (code, text) = run(blitz().arg("doctor").arg("--root").arg(dir.path()));
    assert_eq!(code, Some(1), "{text}");
    let line = text.lines().find(|line| line.contains("torch  ")).expect("a line on torch");
    assert!(line.starts_with('✗') && line.contains("2.11.0") && line.contains("2.12.0"), "{line}");
    assert!(line.contains("cargo blitz setup"), "{line}");
}
