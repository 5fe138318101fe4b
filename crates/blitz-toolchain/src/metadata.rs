//! `cargo metadata`: the crates of a cell.
//!
//! rust-analyzer gets only those that a cell can name. Of the crates that the kernel brings it
//! reads `blitz`, `tch` and `ndarray`, whose arrays are variables as tensors are, but not what these
//! are built on: no type of theirs appears in a public signature there. A crate that a person adds
//! stays with everything below it.

use crate::answers::{self, Answer, Question};
use crate::call::{self, Call};
use crate::messages::CRATE;
use crate::session::{Analysis, Session};
use crate::sources;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Crates that are analysed without their dependencies, but for each other.
const ALONE: [&str; 3] = ["blitz", "tch", "ndarray"];
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
        return ask(call).map_or_else(|error| call::cannot_run("cargo", &error), |it| it.give());
    }
    if is_for_analysis && !is_trial && call.session.analysis == Analysis::CellAlone {
        println!("{}", cell_alone(&call.session.build_dir));
        return ExitCode::SUCCESS;
    }
    // A trial is about the versions that exist, not about those that are locked.
    let versions = if is_trial { String::new() } else { locked_versions(&call.session) };
    let manifest = normalize(&manifest);
    let mut parts = vec!["cargo", &manifest, &versions];
    parts.extend(call.words());
    let question = Question::new(&call.session, &parts);
    if let Some(answer) = answers::load::<Answer>(&call.session, "metadata", &question) {
        return answer.give();
    }
    let mut answer = match ask(call) {
        Ok(answer) => answer,
        Err(error) => return call::cannot_run("cargo", &error),
    };
    if answer.code == 0 {
        if is_trial {
            // evcxr looks only whether it went well, and at the warnings.
            answer.stdout.clear();
        } else if let Some(pruned) = keep(&answer.stdout, nameable) {
            let session = &call.session;
            answer.stdout = match session.is_set_up() {
                true => sources::copied(&pruned, &session.layout().sources_dir()),
                false => pruned,
            };
        }
        answers::save(&call.session, "metadata", &question, &answer);
    }
    answer.give()
}

/// What cargo would say of the cells' crate if it had no dependencies.
fn cell_alone(build_dir: &Path) -> Value {
    let id = format!("path+file://{}#{CRATE}@1.0.0", build_dir.display());
    let target = json!({
        "name": CRATE, "kind": ["cdylib"], "crate_types": ["cdylib"], "edition": "2024",
        "src_path": build_dir.join("src/lib.rs"), "doc": true, "doctest": false, "test": true,
    });
    let package = json!({
        "name": CRATE, "version": "1.0.0", "id": id, "edition": "2024", "targets": [target],
        "manifest_path": build_dir.join("Cargo.toml"), "dependencies": [], "features": {},
        "authors": [], "categories": [], "keywords": [], "license": null, "source": null,
    });
    json!({
        "packages": [package], "workspace_members": [id], "workspace_default_members": [id],
        "resolve": {
            "root": id,
            "nodes": [{"id": id, "dependencies": [], "deps": [], "features": []}],
        },
        "target_directory": build_dir.join("target"), "workspace_root": build_dir, "version": 1,
        "metadata": null,
    })
}

/// Asks the real cargo. The lock file stays as it is: a trial would leave in it what the trial
/// needs, and with the versions of the compiled dependencies gone they would be compiled anew.
fn ask(call: &Call) -> std::io::Result<Answer> {
    let lock = lock_file(&call.session);
    let before = fs::read(&lock).ok();
    let mut cargo = call::real_cargo(call);
    cargo.args(&call.args);
    // In evcxr's file for cargo, `:offline 0` stands only when the next cell has been compiled.
    if !call.args.iter().any(|arg| arg == "--offline") {
        cargo.args(["--config", "net.offline=false"]);
    }
    let output = cargo.output()?;
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
/// and the optimization level is not the dependencies' business (see [`crate::opt_level`]).
pub fn normalize(manifest: &str) -> String {
    let (head, dependencies) = manifest.split_once("[dependencies]\n").unwrap_or((manifest, ""));
    let mut dependencies: Vec<&str> = dependencies.lines().map(str::trim).collect();
    dependencies.sort_unstable();
    let head = head.lines().filter(|line| !line.starts_with("opt-level"));
    let lines = head.chain(["[dependencies]"]).chain(dependencies);
    lines.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// `cargo metadata`'s output with the crates whose ids `choose` gives, or `None` when it has another
/// form than expected.
pub fn keep(
    metadata: &str,
    choose: impl FnOnce(&Value) -> Option<HashSet<String>>,
) -> Option<String> {
    let mut metadata: Value = serde_json::from_str(metadata).ok()?;
    let kept = choose(&metadata)?;
    let is_kept = |id: &Value| id.as_str().is_some_and(|id| kept.contains(id));
    metadata["packages"].as_array_mut()?.retain(|package| is_kept(&package["id"]));
    for members in ["workspace_members", "workspace_default_members"] {
        metadata.get_mut(members)?.as_array_mut()?.retain(is_kept);
    }
    // Without the dependencies (`--no-deps`), nothing is resolved.
    if let Some(nodes) = metadata["resolve"]["nodes"].as_array_mut() {
        nodes.retain(|node| is_kept(&node["id"]));
        for node in nodes {
            node["dependencies"].as_array_mut()?.retain(is_kept);
            node["deps"].as_array_mut()?.retain(|dependency| is_kept(&dependency["pkg"]));
        }
    }
    serde_json::to_string(&metadata).ok()
}

/// The ids of the crates that a cell can name.
fn nameable(metadata: &Value) -> Option<HashSet<String>> {
    let nodes = metadata["resolve"]["nodes"].as_array()?;
    let is_alone = |package: &&Value| ALONE.iter().any(|name| package["name"] == *name);
    let alone = metadata["packages"].as_array()?.iter().filter(is_alone);
    let alone: HashSet<&str> = alone.filter_map(|package| package["id"].as_str()).collect();
    let mut kept = HashSet::new();
    let mut next = vec![metadata["resolve"]["root"].as_str()?];
    while let Some(id) = next.pop() {
        if kept.insert(id.to_owned()) {
            let node = nodes.iter().find(|node| node["id"] == id)?;
            let below = node["dependencies"].as_array()?.iter().filter_map(Value::as_str);
            next.extend(below.filter(|below| !alone.contains(id) || alone.contains(below)));
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Metadata of a crate `ctx` with these packages and their dependencies.
    fn metadata(packages: &[(&str, &[&str])]) -> String {
        let id = |name: &str| format!("{name} 1.0");
        let nodes = packages.iter().map(|(name, dependencies)| {
            let ids: Vec<String> = dependencies.iter().map(|name| id(name)).collect();
            let deps: Vec<Value> = ids.iter().map(|id| json!({ "pkg": id })).collect();
            json!({ "id": id(name), "dependencies": ids, "deps": deps })
        });
        let described = packages.iter().map(|(name, _)| json!({ "id": id(name), "name": name }));
        json!({
            "packages": described.collect::<Vec<_>>(),
            "workspace_members": [id("ctx")],
            "workspace_default_members": [id("ctx")],
            "resolve": { "root": id("ctx"), "nodes": nodes.collect::<Vec<_>>() },
        })
        .to_string()
    }

    #[test]
    fn own_crates_stand_alone_and_added_ones_stay_whole() {
        let text = metadata(&[
            ("ctx", &["tch", "blitz", "serde"]),
            ("blitz", &["tch", "image", "ndarray"]),
            ("tch", &["torch-sys", "half", "ndarray"]),
            ("ndarray", &["num-traits"]),
            ("num-traits", &["libm"]),
            ("serde", &["serde_core", "half"]),
            ("serde_core", &[]),
            ("half", &["libm"]),
            ("libm", &[]),
            ("image", &["libm"]),
            ("torch-sys", &[]),
        ]);
        let pruned: Value =
            serde_json::from_str(&keep(&text, nameable).expect("metadata")).expect("JSON");
        let names = |list: &Value, key: &str| -> Vec<String> {
            let list = list.as_array().expect("a list").iter();
            list.map(|it| it[key].as_str().expect("text").to_owned()).collect()
        };
        let expected = ["ctx", "blitz", "tch", "ndarray", "serde", "serde_core", "half", "libm"];
        assert_eq!(names(&pruned["packages"], "name"), expected);
        assert_eq!(names(&pruned["resolve"]["nodes"], "id").len(), expected.len());
        let tch = &pruned["resolve"]["nodes"][2];
        // `half` is there for serde, so it is there for tch.
        assert_eq!(tch["dependencies"], json!(["half 1.0", "ndarray 1.0"]));
        assert_eq!(names(&tch["deps"], "pkg"), ["half 1.0", "ndarray 1.0"]);
    }

    #[test]
    fn other_forms_are_left_to_cargo() {
        assert_eq!(keep("{}", nameable), None);
        assert_eq!(keep("no JSON", nameable), None);
    }

    #[test]
    fn neither_order_nor_level_makes_another_manifest() {
        let manifest = |level: &str, dependencies: &str| {
            let profile = format!("[profile.dev]\nopt-level = {level}\n");
            normalize(&format!("{profile}\n[dependencies]\n{dependencies}"))
        };
        let one = manifest("2", "tch = \"=0.24.0\"\nblitz = { path = \"x\" }\n");
        assert_eq!(one, manifest("0", "blitz = { path = \"x\" }\ntch = \"=0.24.0\"\n\n"));
        assert_ne!(one, manifest("2", "tch = \"=0.25.0\"\nblitz = { path = \"x\" }\n"));
    }
}
