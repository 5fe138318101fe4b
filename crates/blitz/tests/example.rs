//! examples/cifar10.rs as a person calls it, on the built-in data set.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Output;

use serde_json::Value;

/// The example with `arguments`, on 200 of the built-in images unless told otherwise.
fn example(arguments: &[&str]) -> Output {
    let mut command = common::example();
    command.args(["--data", "builtin", "--device", "cpu", "--images", "200"]);
    command.args(arguments).output().unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// The JSON on the last line.
fn result(arguments: &[&str]) -> Value {
    let output = example(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", printed(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// `example` fails with `code` and says `expected`.
fn refused(arguments: &[&str], code: i32, expected: &str) {
    let output = example(arguments);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(expected), "{text}");
}

#[test]
fn the_same_seed_gives_the_same_training() {
    let first = result(&["--epochs", "1", "--seed", "3"]);
    assert_eq!(first["batches"], 50);
    assert!(first["seconds"].as_f64().unwrap() > 0.0);
    let accuracy = first["accuracy"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&accuracy), "{accuracy}");
    let again = result(&["--epochs", "1", "--seed", "3"]);
    assert_eq!((&again["losses"], &again["accuracy"]), (&first["losses"], &first["accuracy"]));
    let other = result(&["--epochs", "1", "--seed", "4", "--no-test"]);
    assert_ne!(other["losses"], first["losses"]);
    assert!(other["accuracy"].is_null());
    if cfg!(target_os = "linux") {
        assert!(other["peak_kb"].as_u64().unwrap() > 10_000);
    }
}

#[test]
fn a_training_goes_on_from_its_checkpoint_and_is_saved_for_pytorch() {
    let dir = tempfile::tempdir().unwrap();
    let checkpoints = dir.path().join("checkpoints");
    let file = dir.path().join("net.pth");
    let whole = result(&["--epochs", "2", "--no-test"]);
    let arguments = ["--no-test", "--checkpoints", checkpoints.to_str().unwrap()];
    let half = result(&[&arguments[..], &["--epochs", "1"]].concat());
    assert_eq!(half["losses"][0], whole["losses"][0]);
    let save = ["--epochs", "2", "--save", file.to_str().unwrap()];
    let resumed = result(&[&arguments[..], &save].concat());
    assert_eq!(resumed["losses"], whole["losses"]);
    assert!(std::fs::metadata(&file).unwrap().len() > 200_000);
}

#[test]
fn mistakes_are_named_and_end_the_program() {
    refused(&["--batch-size", "0"], 1, "batch_size must be");
    refused(&["--batch-size", "201"], 1, "got 201");
    refused(&["--momentum", "-1"], 2, "unexpected argument");
    refused(&["--momentum=-1"], 1, "option momentum must be finite and at least 0, got -1");
    refused(&["--epochs", "0"], 2, "--epochs");
    refused(&["--device", "gpu"], 1, "Use auto, cpu, cuda or cuda:N");
    refused(&["--save", "net.png", "--epochs", "1"], 1, "net.png");
    refused(&["--data", "/no/such/directory"], 1, "/no/such/directory");
}

#[test]
fn a_gpu_is_used_or_refused() {
    let output = example(&["--device", "cuda", "--epochs", "1", "--no-test"]);
    let text = printed(&output);
    match blitz::device::choose("cuda").is_ok() {
        true => assert!(output.status.success() && text.contains("GPU 0"), "{text}"),
        false => {
            assert_eq!(output.status.code(), Some(1), "{text}");
            assert!(text.contains("cannot use device \"cuda\""), "{text}");
            assert!(text.contains("\"cpu\""), "the way out is named: {text}");
        }
    }
}

#[test]
fn widths_are_measured_instead() {
    let output = example(&["--widths"]);
    let text = printed(&output);
    assert!(output.status.success(), "{text}");
    for expected in ["\n     6       62006", "\n   128      120078", "No GPU was measured"] {
        assert!(text.contains(expected), "{text}");
    }
}

/// What `cargo blitz bench train` and ci/gpu/run give to Python where there is no real CIFAR-10.
#[test]
fn an_exported_set_is_a_directory_to_train_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let output = example(&["--export", path]);
    assert!(output.status.success(), "{}", printed(&output));
    let arguments = ["--epochs", "1", "--no-test", "--images", "1000"];
    let built_in = result(&arguments);
    let exported = result(&[&arguments[..], &["--data", path]].concat());
    assert_eq!(exported["batches"], 250);
    assert_eq!(exported["losses"], built_in["losses"]);
}
