//! The kernelspec, by which Jupyter finds the kernel.

use crate::fingerprint::{Fingerprint, write_atomically};
use crate::project::Project;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::PathBuf;

const LOGO: &[u8] = include_bytes!("logo.svg");

/// Where the kernelspec lies: in the environment, so that it is found by everything that runs
/// there, and nowhere else.
pub fn path(project: &Project) -> PathBuf {
    project.path(".venv/share/jupyter/kernels/rust/kernel.json")
}

/// JupyterLab's defaults in this environment: it does not ask whether it may fetch news.
const LAB_DEFAULTS: &str = r#"{
  "@jupyterlab/apputils-extension:notification": {
    "checkForUpdates": false,
    "fetchNews": "false"
  }
}
"#;

/// The key: what is written.
pub fn key(project: &Project) -> String {
    Fingerprint::new()
        .text(&spec(project).to_string())
        .text(&String::from_utf8_lossy(LOGO))
        .text(LAB_DEFAULTS)
        .finish()
}

/// Writes the kernelspec, its logo, and JupyterLab's defaults.
pub fn write(project: &Project) -> Result<()> {
    let path = path(project);
    let text = format!("{:#}\n", spec(project));
    write_atomically(&path.with_file_name("logo-svg.svg"), LOGO)?;
    let defaults = project.path(".venv/share/jupyter/lab/settings/overrides.json");
    write_atomically(&defaults, LAB_DEFAULTS.as_bytes())?;
    write_atomically(&path, text.as_bytes())
}

fn spec(project: &Project) -> Value {
    json!({
        "argv": [project.kernel(), "--control_file", "{connection_file}"],
        "display_name": "Rust (Blitz)",
        "language": "rust",
        "interrupt_mode": "message",
    })
}
