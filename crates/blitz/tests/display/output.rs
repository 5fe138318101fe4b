//! What really arrives at standard output and error: this program runs itself with the variables
//! of each kernel set.

use std::process::Stdio;

use crate::common::ignored_test;
use blitz::display::{Html, ProgressOptions, Text};
use blitz::picture::plot::LivePlot;
use blitz::prelude::*;
use serde_json::Value;

/// Runs the ignored test `name` in a process of its own; returns its output and errors.
fn run(name: &str, variables: &[&str]) -> (String, String) {
    let output = ignored_test(module_path!(), name)
        .arg("--quiet")
        .env_remove("BLITZ_KERNEL")
        .env_remove("EVCXR_IS_RUNTIME")
        .envs(variables.iter().map(|name| (name, "1")))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("running 1 test"), "{name} does not exist");
    (stdout, stderr)
}

const BLITZ: &[&str] = &["BLITZ_KERNEL", "EVCXR_IS_RUNTIME"];
const STOCK: &[&str] = &["EVCXR_IS_RUNTIME"];
const PROGRAM: &[&str] = &[];

/// The commands in `stdout`, each as its name and message.
fn commands(stdout: &str) -> Vec<(String, Value)> {
    let parse = |line: &str| {
        let command: Value = serde_json::from_str(line).unwrap();
        let (name, message) = command.as_object().unwrap().iter().next().unwrap();
        (name.clone(), message.clone())
    };
    stdout.lines().filter_map(|line| line.strip_prefix("\x1eblitz ")).map(parse).collect()
}

fn text(message: &Value) -> &str {
    message["data"]["text/plain"].as_str().unwrap()
}

fn dot() -> Picture {
    Picture::from_rgb(1, 1, &[0, 0, 255], "A blue dot.".to_owned()).unwrap()
}

#[test]
#[ignore = "a process of its own that the tests below start"]
fn cell_with_values() {
    println!("before");
    dot().show();
    display::show(Html("<i>x</i>"));
    display::clear_on_next();
    let mut status = display::show_updatable(Text("one"));
    status.update(Text("two"));
    display::clear();
    dot().evcxr_display();
    println!("after");
}

#[test]
fn the_blitz_kernel_gets_a_command_per_value() {
    let (stdout, _) = run("cell_with_values", BLITZ);
    let commands = commands(&stdout);
    let names: Vec<&str> = commands.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["display", "display", "clear", "display", "update", "clear"]);
    let picture = &commands[0].1;
    assert_eq!(text(picture), "A blue dot.");
    assert!(picture["data"]["image/png"].as_str().unwrap().starts_with("iVBORw0KGgo"));
    let metadata = serde_json::json!({"width": 1, "height": 1, "alt": "A blue dot."});
    assert_eq!(picture["metadata"]["image/png"], metadata);
    assert!(picture.get("id").is_none());
    assert_eq!(commands[1].1["data"]["text/html"], "<i>x</i>");
    assert_eq!(commands[2].1["wait"], true);
    assert_eq!((text(&commands[3].1), text(&commands[4].1)), ("one", "two"));
    assert_eq!(commands[3].1["id"], commands[4].1["id"]);
    assert_eq!(commands[5].1["wait"], false);
    // Only the final expression goes the way that evcxr's own front end knows.
    assert_eq!(stdout.matches("EVCXR_BEGIN_CONTENT image/png\niVBORw0KGgo").count(), 1);
    assert!(stdout.find("before").unwrap() < stdout.find('\x1e').unwrap());
    assert!(stdout.rfind('\x1e').unwrap() < stdout.find("after").unwrap());
}

#[test]
fn a_stock_kernel_gets_blocks() {
    let (stdout, _) = run("cell_with_values", STOCK);
    assert!(!stdout.contains('\x1e'));
    let block = |mime_type: &str, text: &str| {
        format!("EVCXR_BEGIN_CONTENT {mime_type}\n{text}\nEVCXR_END_CONTENT\n")
    };
    let values = block("text/html", "<i>x</i>")
        + &block("text/plain", "x")
        + &block("text/plain", "one")
        + &block("text/plain", "two");
    assert!(stdout.contains(&values), "{stdout}");
    // Shown, and once more as the final expression.
    assert_eq!(stdout.matches("EVCXR_BEGIN_CONTENT image/png\niVBORw0KGgo").count(), 2);
}

#[test]
fn a_program_prints_the_alternatives() {
    let (stdout, _) = run("cell_with_values", PROGRAM);
    assert!(stdout.contains("before\nA blue dot.\nx\none\nEVCXR_BEGIN"), "{stdout}");
    assert!(stdout.contains("after\ntwo\n"), "the last value comes with the drop: {stdout}");
}

#[test]
#[ignore = "a process of its own that the tests below start"]
fn cell_with_a_loop() {
    let options = ProgressOptions { unit: "rows".to_owned(), ..Default::default() };
    let mut plot = LivePlot::new(Default::default());
    for row in display::progress_with(0..3, options) {
        plot.push("height", row, row as f64).unwrap();
    }
    plot.finish().unwrap();
}

#[test]
fn a_loop_is_shown_live_once_or_as_lines() {
    let (stdout, stderr) = run("cell_with_a_loop", BLITZ);
    let commands = commands(&stdout);
    let mut ids: Vec<&str> = commands.iter().map(|(_, m)| m["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2, "a bar and a plot");
    let texts: Vec<&str> = commands.iter().map(|(_, message)| text(message)).collect();
    assert!(texts[0].starts_with("progress: 0/3 rows (0 %)"), "{texts:?}");
    assert!(texts.iter().any(|text| text.starts_with("progress: 3/3 rows (100 %)")), "{texts:?}");
    assert!(texts.last().unwrap().contains("height has 3 points"), "{texts:?}");
    assert!(!stderr.contains("rows"), "{stderr}");

    let (stdout, stderr) = run("cell_with_a_loop", STOCK);
    let bar = stdout.lines().filter(|line| line.contains("progress:")).collect::<Vec<_>>();
    assert!(bar.len() == 1 && bar[0].starts_with("progress: 3/3 rows (100 %)"), "{stdout}");
    assert_eq!(stdout.matches("EVCXR_BEGIN_CONTENT image/png").count(), 1);
    assert!(!stderr.contains("rows"), "{stderr}");

    let (stdout, stderr) = run("cell_with_a_loop", PROGRAM);
    assert!(stderr.starts_with("progress: 3/3 rows (100 %)"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert_eq!(stdout.matches("height has 3 points").count(), 1, "{stdout}");
}

#[test]
#[ignore = "a process of its own that the tests below start"]
fn cell_with_a_training() {
    let images = Tensor::zeros([8, 3, 32, 32], (Kind::Uint8, Device::Cpu));
    let split = Split { images, labels: Tensor::arange(8, (Kind::Int64, Device::Cpu)) };
    let mut loader = DataLoader::new(&split, LoaderOptions::default()).unwrap();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.001).unwrap();
    let mut test_loader = DataLoader::new(&split, LoaderOptions::default()).unwrap();
    for progress in [Progress::Lines, Progress::Live] {
        let options = FitOptions { epochs: 3, report_every: 1, progress, ..FitOptions::default() };
        let loaders = (&mut loader, &mut test_loader);
        fit(&net, &mut optimizer, loaders, &options).unwrap();
    }
}

#[test]
fn a_training_prints_lines_or_shows_a_bar_and_a_curve() {
    let (stdout, _) = run("cell_with_a_training", BLITZ);
    let lines = stdout.lines().filter(|line| line.starts_with('[')).count();
    assert_eq!(lines, 9, "the first training's losses and accuracies alone: {stdout}");
    assert_eq!(stdout.matches("Finished training: 6 steps in ").count(), 1);
    let commands = commands(&stdout);
    let last = |start: &str| {
        let texts = commands.iter().rev().map(|(_, message)| text(message));
        texts.into_iter().find(|text| text.starts_with(start)).unwrap()
    };
    let bar = last("training: 6/6 batches (100 %)");
    assert!(bar.contains(" elapsed · epoch 3, loss 2."), "{bar}");
    let curve = last("Training loss: loss and accuracy (%) over step.");
    assert!(curve.contains("training loss has 6 points, from 2."), "{curve}");
    assert!(curve.contains("test accuracy has 3 points, from "), "{curve}");
    assert_eq!(commands[0].0, "display");

    let (stdout, _) = run("cell_with_a_training", STOCK);
    let lines: Vec<&str> = stdout.lines().filter(|line| line.starts_with("training: ")).collect();
    assert!(lines.len() == 1 && lines[0].starts_with("training: 6/6 batches"), "{stdout}");
    assert!(stdout.contains(
        "EVCXR_BEGIN_CONTENT text/plain\nTraining loss: loss and accuracy (%) over step."
    ));
}
