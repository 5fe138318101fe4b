//! rustdoc for the crate `blitz`, with what set-up has compiled.
//!
//! `cargo doc` would check all dependencies once more, for minutes: it wants other files than a build
//! leaves.

use super::linked;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The documented crate.
const CRATE: &str = "blitz";

/// What cargo says of what is compiled.
#[derive(Default)]
struct Compiled {
    /// The library files of each package.
    libraries: HashMap<String, Vec<PathBuf>>,
    /// The package of the documented crate.
    package: String,
    /// Where its build script has written.
    out_dir: Option<String>,
    /// What its build script asks of the compiler, and tells the source.
    cfgs: Vec<String>,
    variables: Vec<(String, String)>,
}

/// A command that writes the crate's documentation into `target`.
///
/// # Errors
/// cargo does not say what is compiled.
pub fn rustdoc(project: &Project, target: &Path) -> Result<Command> {
    let compiled = compiled(project)?;
    let dependencies = direct_dependencies(project, &compiled.package)?;
    let mut command = Command::new("rustdoc");
    command.current_dir(project.root()).args(["--edition", "2024", "--crate-name", CRATE]);
    command.arg(project.helper_crate().join("src/lib.rs")).arg("--out-dir").arg(target);
    // What cargo tells of the package; it has this program's version.
    command.env("CARGO_PKG_VERSION", env!("CARGO_PKG_VERSION"));
    command.env("CARGO_PKG_NAME", CRATE).env("CARGO_MANIFEST_DIR", project.helper_crate());
    command.envs(compiled.out_dir.map(|dir| ("OUT_DIR", dir))).envs(compiled.variables);
    command.args(compiled.cfgs.iter().flat_map(|cfg| ["--cfg", cfg]));
    for (name, package) in dependencies {
        let files = compiled.libraries.get(&package);
        let file = files.and_then(|files| files.last());
        let file =
            file.with_context(|| format!("`{name}` is not compiled: run `cargo blitz setup`"))?;
        command.arg("--extern").arg(format!("{name}={}", file.display()));
    }
    let dirs = compiled.libraries.values().flatten().filter_map(|file| file.parent());
    for dir in dirs.collect::<BTreeSet<&Path>>() {
        command.arg("-L").arg(format!("dependency={}", dir.display()));
    }
    Ok(command)
}

fn compiled(project: &Project) -> Result<Compiled> {
    let mut build = linked::build(project)?;
    build.args(["--offline", "--message-format", "json"]);
    let mut compiled = Compiled::default();
    for message in json_lines(build)? {
        let package = message["package_id"].as_str().unwrap_or_default().to_owned();
        match message["reason"].as_str() {
            Some("compiler-artifact") => {
                let files = message["filenames"].as_array().into_iter().flatten();
                let files: Vec<PathBuf> =
                    files.filter_map(Value::as_str).map(PathBuf::from).collect();
                let is_library = |it: &PathBuf| it.extension().is_some_and(|it| it != "d");
                if message["target"]["name"] == CRATE {
                    compiled.package.clone_from(&package);
                }
                let is_script = message["target"]["kind"][0] == "custom-build";
                if !is_script {
                    compiled
                        .libraries
                        .insert(package, files.into_iter().filter(is_library).collect());
                }
            }
            Some("build-script-executed")
                if message["package_id"].as_str().is_some_and(is_documented) =>
            {
                compiled.out_dir = message["out_dir"].as_str().map(str::to_owned);
                let cfgs = message["cfgs"].as_array().into_iter().flatten();
                compiled.cfgs = cfgs.filter_map(Value::as_str).map(str::to_owned).collect();
                let pairs = message["env"].as_array().into_iter().flatten();
                compiled.variables = pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
            }
            _ => {}
        }
    }
    if compiled.package.is_empty() {
        bail!("cargo does not say where `{CRATE}` is compiled; see `cargo blitz doctor`");
    }
    Ok(compiled)
}

/// Whether a package is the documented crate, by its id: `path+file:///…/crates/blitz#0.1.0`.
fn is_documented(package: &str) -> bool {
    package.split('#').next().is_some_and(|path| path.ends_with(&format!("/{CRATE}")))
}

/// What the crate depends on: the names that it has for packages.
fn direct_dependencies(project: &Project, package: &str) -> Result<Vec<(String, String)>> {
    let mut metadata = Command::new("cargo");
    metadata.current_dir(project.dependencies_dir());
    metadata.args(["metadata", "--offline", "--format-version", "1"]);
    let metadata = json_lines(metadata)?;
    let nodes = metadata.first().map(|it| &it["resolve"]["nodes"]).and_then(Value::as_array);
    let node = nodes.into_iter().flatten().find(|node| node["id"] == package);
    let node = node.with_context(|| format!("cargo does not know what `{CRATE}` depends on"))?;
    let is_normal = |dependency: &&Value| {
        let kinds = dependency["dep_kinds"].as_array();
        kinds.into_iter().flatten().any(|kind| kind["kind"].is_null())
    };
    let dependencies = node["deps"].as_array().into_iter().flatten().filter(is_normal);
    Ok(dependencies.map(|it| (text(&it["name"]), text(&it["pkg"]))).collect())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn json_lines(mut command: Command) -> Result<Vec<Value>> {
    let output = command.stdin(Stdio::null()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{"));
    lines.map(|line| serde_json::from_slice(line).context("cargo's answer is no JSON")).collect()
}
