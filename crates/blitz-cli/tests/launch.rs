//! `cargo blitz launch`: the classifier by two processes, one of which may be lost. These tests need
//! `cargo blitz setup`.
#![cfg(target_os = "linux")]

mod common;

use common::{blitz, is_root, printed, repository, signal};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than a training of these takes on a loaded machine.
const LIMIT: Duration = Duration::from_secs(300);

/// Two processes, on some of the drawn images.
fn launch(launcher: &[&str], options: &[&str]) -> Command {
    let mut command = blitz();
    command.args(["launch", "--nproc", "2"]).args(launcher).arg("--");
    command.args(["--data", "builtin", "--device", "cpu", "--images", "400", "--batch-size", "2"]);
    command.args(options);
    command
}

fn ended(mut command: Command) -> Output {
    command.output().expect("the binary runs")
}

/// The processes of a training that was told of `dir`, with the ranks that they have.
fn workers(dir: &Path) -> Vec<(u32, usize)> {
    let entries = fs::read_dir("/proc").expect("the processes").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let rank = |id: &u32| -> Option<usize> {
        let read = |name| fs::read_to_string(format!("/proc/{id}/{name}")).ok();
        read("cmdline")?.contains(dir.to_str()?).then_some(())?;
        read("environ")?.split('\0').find_map(|line| line.strip_prefix("RANK="))?.parse().ok()
    };
    ids.filter_map(|id| Some((id, rank(&id)?))).collect()
}

/// Waits until `found` finds something.
fn wait<T>(what: &str, found: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < LIMIT, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn two_processes_train_and_one_prints() {
    let output = ended(launch(&[], &["--epochs", "1", "--json"]));
    let text = printed(&output);
    assert!(output.status.success(), "{text}");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let result: Value = serde_json::from_str(stdout.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&result["processes"], &result["batches"]), (&2.into(), &100.into()), "{text}");
    assert!(result["losses"][0].as_f64().is_some_and(f64::is_finite), "{text}");
    assert_eq!(stdout.matches("Training by 2 processes").count(), 1, "{text}");
    assert_eq!(stdout.matches("Accuracy of the network").count(), 1, "{text}");
}

#[test]
fn a_training_goes_on_after_a_process_was_lost() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| dir.path().join(name);
    let text_of = |name: &str| path(name).to_string_lossy().into_owned();
    let options = |name: &str| -> Vec<String> {
        let words = ["--epochs", "6", "--no-test", "--checkpoints"].map(str::to_owned);
        let saved = ["--save".to_owned(), text_of(&format!("{name}.safetensors"))];
        words.into_iter().chain([text_of(name)]).chain(saved).collect()
    };
    let undisturbed = options("undisturbed");
    let output = ended(launch(&[], &undisturbed.iter().map(String::as_str).collect::<Vec<_>>()));
    assert!(output.status.success(), "{}", printed(&output));

    let disturbed = options("disturbed");
    let disturbed: Vec<&str> = disturbed.iter().map(String::as_str).collect();
    let mut command = launch(&["--max-restarts", "1"], &disturbed);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let has_saved = || {
        path("disturbed")
            .read_dir()
            .ok()?
            .flatten()
            .find(|entry| entry.file_name().to_string_lossy().starts_with("step-"))
    };
    wait("the first checkpoint", has_saved);
    let lost = wait("rank 1", || workers(dir.path()).into_iter().find(|(_, rank)| *rank == 1));
    signal(lost.0, Signal::KILL);
    let output = child.wait_with_output().expect("it ends");
    let text = printed(&output);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("Training by 2 processes").count(), 2, "it was started again: {text}");
    let saved = |name: &str| fs::read(path(&format!("{name}.safetensors"))).expect("the weights");
    assert!(saved("undisturbed") == saved("disturbed"), "the weights differ: {text}");
    assert_eq!(workers(dir.path()), []);
}

#[test]
fn a_process_that_is_lost_ends_all() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let checkpoints = dir.path().join("checkpoints").to_string_lossy().into_owned();
    let mut command = launch(&[], &["--epochs", "500", "--no-test", "--checkpoints", &checkpoints]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    wait("a checkpoint", || Path::new(&checkpoints).read_dir().ok()?.flatten().next());
    let lost = wait("rank 1", || workers(dir.path()).into_iter().find(|(_, rank)| *rank == 1));
    signal(lost.0, Signal::KILL);
    let output = child.wait_with_output().expect("it ends");
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(137), "{text}");
    assert!(text.contains("rank 1 ended first, with signal SIGKILL"), "{text}");
    assert_eq!(workers(dir.path()), []);
}

#[test]
fn two_machines_train_as_one() {
    let name = format!("blitz-probe-{}", std::process::id());
    let ip = |what: &str| Command::new("ip").args(["netns", what, &name]).output();
    if !is_root() || !ip("add").is_ok_and(|tried| tried.status.success()) {
        eprintln!("skipped: only root makes machines out of network namespaces, by iproute2");
        return;
    }
    let _ = ip("delete");
    let mut command = Command::new(repository().root().join("ci/two-nodes"));
    command.args(["--images", "400", "--no-test"]).env("BLITZ", env!("CARGO_BIN_EXE_blitz"));
    let output = ended(command);
    let text = printed(&output);
    assert!(output.status.success() && text.contains("same in every bit"), "{text}");
}

#[test]
fn what_the_processes_refuse_is_said_once_in_their_words() {
    let output = ended(launch(&[], &["--images", "1"]));
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let expected = "option sampler must be one with an image for each of the 2 ranks, got 1 images";
    assert!(text.contains(expected) && text.contains("ended first, with exit code 1"), "{text}");
    assert!(!text.contains("Traceback"), "{text}");
    let mut command = blitz();
    let output = ended({
        command.args(["launch", "--nproc", "0"]);
        command
    });
    assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
}
