//! `cargo metadata`: the crates of a cell.
//!
//! rust-analyzer gets only those that a cell can name. Of the crates that the kernel brings it
//! reads `blitz` and `tch` but not what these are built on: no type of theirs appears in a public
//! signature there. A crate that a person adds stays with everything below it.

use super::Session;
use super::answers::{self, Answer, Question};
use super::shim::{self, Call};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Crates that are analysed without their dependencies.
const ALONE: [&str; 2] = ["blitz", "tch"];
/// The package that evcxr makes up to try a `:dep` line.
const TRIAL_PACKAGE: &str = "evcxr_dummy_validate_dep";

/// Answers a call of `cargo metadata`.
pub fn answer(call: &Call) -> ExitCode {
    let manifest = fs::read_to_string(call.session.build_dir.join("Cargo.toml"));
    let manifest = manifest.unwrap_or_default();
    let is_trial = manifest.contains(TRIAL_PACKAGE);
    // Only rust-analyzer names the manifest.
    let is_for_analysis = call.args.iter().any(|arg| arg == "--manifest-path");
    if !is_trial && !is_for_analysis {
        return ask(call).map_or_else(|error| shim::cannot_run("cargo", &error), |it| it.give());
    }
    // A trial is about the versions that exist, not about those that are locked.
    let versions = if is_trial { String::new() } else { locked_versions(&call.session) };
    let manifest = normalize(&manifest);
    let mut parts = vec!["cargo", &manifest, &versions];
    parts.extend(call.args.iter().map(String::as_str).filter(|arg| *arg != "--offline"));
    let question = Question::new(&call.session, &parts);
    if let Some(answer) = answers::load::<Answer>(&call.session, "metadata", &question) {
        return answer.give();
    }
    let mut answer = match ask(call) {
        Ok(answer) => answer,
        Err(error) => return shim::cannot_run("cargo", &error),
    };
    if answer.code == 0 {
        if is_trial {
            // evcxr looks only whether it went well, and at the warnings.
            answer.stdout.clear();
        } else if let Some(pruned) = prune(&answer.stdout) {
            answer.stdout = pruned;
        }
        answers::save(&call.session, "metadata", &question, &answer);
    }
    answer.give()
}

/// Asks the real cargo. The lock file stays as it is: a trial would leave in it what the trial
/// needs, and with the versions of the compiled dependencies gone they would be compiled anew.
fn ask(call: &Call) -> std::io::Result<Answer> {
    let lock = lock_file(&call.session);
    let before = fs::read(&lock).ok();
    let output = shim::real(&call.session, "cargo").args(&call.args).output()?;
    if let Some(before) = before {
        fs::write(&lock, before)?;
    }
    Ok(Answer::from(output))
}

fn lock_file(session: &Session) -> PathBuf {
    session.build_dir.join("Cargo.lock")
}

/// The lock file's text where the cells' crate has dependencies, and else nothing: without them it
/// has no meaning.
pub fn locked_versions(session: &Session) -> String {
    let manifest = fs::read_to_string(session.build_dir.join("Cargo.toml")).unwrap_or_default();
    let has_dependencies = normalize(&manifest).trim_end().ends_with("[dependencies]");
    if has_dependencies {
        return String::new();
    }
    fs::read_to_string(lock_file(session)).unwrap_or_default()
}

/// The manifest without what differs between kernels: evcxr writes the dependencies in any order,
/// and the optimization level is not the dependencies' business (see [`super::opt_level`]).
pub fn normalize(manifest: &str) -> String {
    let (head, dependencies) = manifest.split_once("[dependencies]\n").unwrap_or((manifest, ""));
    let mut dependencies: Vec<&str> = dependencies.lines().map(str::trim).collect();
    dependencies.sort_unstable();
    let head = head.lines().filter(|line| !line.starts_with("opt-level"));
    let lines = head.chain(["[dependencies]"]).chain(dependencies.into_iter());
    lines.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// `cargo metadata`'s output with the crates that a cell can name, or `None` when it has another
/// form than expected.
fn prune(metadata: &str) -> Option<String> {
    let mut metadata: Value = serde_json::from_str(metadata).ok()?;
    let kept = {
        let nodes = metadata["resolve"]["nodes"].as_array()?;
        let names = metadata["packages"].as_array()?.iter();
        let alone: HashSet<&str> = names
            .filter(|package| ALONE.iter().any(|name| package["name"] == *name))
            .filter_map(|package| package["id"].as_str())
            .collect();
        let mut kept: HashSet<String> = HashSet::new();
        let mut next = vec![metadata["resolve"]["root"].as_str()?];
        while let Some(id) = next.pop() {
            if kept.insert(id.to_owned()) && !alone.contains(id) {
                let node = nodes.iter().find(|node| node["id"] == id)?;
                next.extend(node["dependencies"].as_array()?.iter().filter_map(Value::as_str));
            }
        }
        kept
    };
    let is_kept = |id: &Value| id.as_str().is_some_and(|id| kept.contains(id));
    metadata["packages"].as_array_mut()?.retain(|package| is_kept(&package["id"]));
    let nodes = metadata["resolve"]["nodes"].as_array_mut()?;
    nodes.retain(|node| is_kept(&node["id"]));
    for node in nodes {
        node["dependencies"].as_array_mut()?.retain(is_kept);
        node["deps"].as_array_mut()?.retain(|dependency| is_kept(&dependency["pkg"]));
    }
    serde_json::to_string(&metadata).ok()
}
