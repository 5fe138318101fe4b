//! `cargo blitz kernelspec`: where it writes, what it leaves alone, and a Jupyter that finds the
//! kernel there. `install` needs `cargo blitz setup`.

mod common;

use blitz_contract::{layout::KERNEL_PROGRAM, versions::TCH};
use common::{blitz, repository, run, write_notebook};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `cargo blitz kernelspec …` of a person whose Jupyter has its data in `data`.
fn kernelspec(data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = blitz();
    command.arg("kernelspec").args(arguments).env("JUPYTER_DATA_DIR", data);
    run(&mut command)
}

fn read(spec: &Path) -> Value {
    let text = fs::read_to_string(spec).expect("a kernelspec");
    serde_json::from_str(&text).expect("JSON")
}

/// Writes a kernelspec that starts `program`.
fn write_spec(dir: &Path, program: &str) -> PathBuf {
    fs::create_dir_all(dir).expect("writable");
    let spec = dir.join("kernel.json");
    let text = serde_json::json!({ "argv": [program], "display_name": "Rust", "language": "rust" });
    fs::write(&spec, text.to_string()).expect("writable");
    spec
}

#[test]
fn what_install_writes_jupyter_finds_and_remove_takes_away() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("my data");
    let (code, text) = kernelspec(&data, &["install", "--name", "Rust-Blitz"]);
    assert_eq!(code, Some(0), "{text}");
    let spec = data.join("kernels/rust-blitz/kernel.json");
    assert!(text.contains(&spec.display().to_string()), "{text}");
    assert!(text.contains("jupyter kernelspec list"), "{text}");
    let program = read(&spec)["argv"][0].as_str().expect("a program").to_owned();
    assert!(Path::new(&program).is_absolute() && Path::new(&program).is_file(), "{program}");
    assert_eq!(read(&spec)["interrupt_mode"], "message");
    assert!(spec.with_file_name("logo-svg.svg").is_file());

    let mut jupyter = Command::new(repository().venv().join("bin/jupyter"));
    jupyter.args(["kernelspec", "list", "--json"]).env("JUPYTER_DATA_DIR", &data);
    let listed = jupyter.output().expect("Jupyter runs");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let found = &listed["kernelspecs"]["rust-blitz"];
    assert_eq!(found["spec"]["argv"][0], program.as_str(), "{listed}");

    let (code, text) = kernelspec(&data, &["list"]);
    assert!(
        code == Some(0) && text.contains("rust-blitz") && text.contains("this clone"),
        "{text}"
    );
    // Its own is replaced.
    let (code, text) = kernelspec(&data, &["install", "--user", "--name", "rust-blitz"]);
    assert_eq!(code, Some(0), "{text}");
    fs::write(spec.with_file_name("note"), "mine").expect("writable");
    let (code, text) = kernelspec(&data, &["remove", "--name", "rust-blitz"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!spec.exists() && spec.with_file_name("note").exists(), "only what is ours goes");
    let (code, text) = kernelspec(&data, &["remove", "--name", "rust-blitz"]);
    assert!(code == Some(1) && text.contains("there is no kernel `rust-blitz`"), "{text}");
}

#[test]
fn the_place_follows_jupyters_rules() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let placed = |arguments: &[&str], variables: &[(&str, PathBuf)], expected: PathBuf| {
        let mut command = blitz();
        command.args(["kernelspec", "install"]).args(arguments).env("HOME", dir.path());
        // The toolchain is found by HOME where nothing else names it.
        for (name, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let home = std::env::home_dir().expect("a home").join(below);
            command.env(name, std::env::var_os(name).map_or(home, PathBuf::from));
        }
        command.env_remove("JUPYTER_DATA_DIR").env_remove("XDG_DATA_HOME");
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let (code, text) = run(&mut command);
        assert_eq!(code, Some(0), "{text}");
        let spec = expected.join("kernels/rust/kernel.json");
        assert!(spec.is_file(), "{}: {text}", spec.display());
    };
    let below = |name: &str| dir.path().join(name);
    if cfg!(target_os = "linux") {
        placed(&[], &[], below(".local/share/jupyter"));
        placed(&["--user"], &[("XDG_DATA_HOME", below("xdg"))], below("xdg/jupyter"));
    }
    let both = [("XDG_DATA_HOME", below("unused")), ("JUPYTER_DATA_DIR", below("data"))];
    placed(&[], &both, below("data"));
    let prefix = below("env").display().to_string();
    placed(&["--prefix", &prefix], &both, below("env/share/jupyter"));
    assert!(!below("unused").exists());
}

#[test]
fn somebody_elses_kernel_stays() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let foreign = write_spec(&dir.path().join("kernels/rust"), "/usr/bin/evcxr_jupyter");
    for (command, remedy) in [("install", "--name rust-blitz"), ("remove", "jupyter kernelspec")] {
        let (code, text) = kernelspec(dir.path(), &[command]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("/usr/bin/evcxr_jupyter") && text.contains(remedy), "{text}");
    }
    assert_eq!(read(&foreign)["argv"][0], "/usr/bin/evcxr_jupyter");
    fs::write(&foreign, "no JSON").expect("writable");
    assert_eq!(kernelspec(dir.path(), &["install"]).0, Some(1));
    assert_eq!(fs::read_to_string(&foreign).ok().as_deref(), Some("no JSON"));

    // Another clone's, as long as that is there.
    let clone = dir.path().join("clone");
    let program = clone.join(KERNEL_PROGRAM);
    fs::create_dir_all(program.parent().expect("a parent")).expect("writable");
    fs::write(&program, "").expect("writable");
    let other = dir.path().join("kernels/other");
    write_spec(&other, &program.display().to_string());
    for command in ["install", "remove"] {
        let (code, text) = kernelspec(dir.path(), &[command, "--name", "other"]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("another clone") && text.contains("clone"), "{text}");
    }
    fs::remove_dir_all(&clone).expect("removed");
    let (code, text) = kernelspec(dir.path(), &["remove", "--name", "other"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!other.exists());
}

#[test]
fn what_jupyter_would_refuse_is_a_usage_error() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for name in ["my kernel", "..", "", "铁", "a/b"] {
        for command in ["install", "remove"] {
            let (code, text) = kernelspec(dir.path(), &[command, "--name", name]);
            assert!(code == Some(2) && text.contains("Jupyter's rule"), "{name:?}: {text}");
        }
    }
    let (code, text) = kernelspec(dir.path(), &["install", "--user", "--prefix", "/x"]);
    assert!(code == Some(2) && text.contains("--prefix"), "{text}");
    let (code, text) = kernelspec(dir.path(), &["install", "--prefix", "/proc/nowhere"]);
    assert!(code == Some(1) && text.contains("--prefix DIR"), "{text}");
    assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 0);
}

#[test]
fn a_copied_notebook_runs_where_it_lies() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let folder = dir.path().join("课程 one's \"x\"");
    fs::create_dir(&folder).expect("writable");
    let cells = [
        &format!(":dep tch = \"={TCH}\"\n:dep blitz = {{ path = \"../crates/blitz\" }}"),
        "use blitz::prelude::*;\nTensor::ones([2, 3], (Kind::Float, Device::Cpu)).sum(Kind::Float)",
        "println!(\"{}\", std::env::current_dir()?.display());",
    ];
    let notebook = write_notebook(&folder, "copy.ipynb", &cells);
    let site = folder.join("my site");
    let (code, text) = run(blitz().arg("run").arg(&notebook).arg("--site").arg(&site));
    assert_eq!(code, Some(0), "{text}");
    let copy = fs::read_to_string(site.join("copy.ipynb")).expect("an executed copy");
    assert!(copy.contains("tensor(6.)") && copy.contains("课程 one's"), "{copy}");
    assert!(site.join("copy.html").is_file());
}
