//! The kernelspecs, by which Jupyter finds the kernels.

use crate::files::write_atomically;
use crate::fingerprint::Fingerprint;
use crate::kernel::Kernel;
use crate::project::Project;
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// The kernel's picture in menus.
pub const LOGO: &[u8] = include_bytes!("logo.svg");

/// Where a kernelspec lies: in the environment, so that it is found by everything that runs there,
/// and nowhere else.
pub fn path(project: &Project, kernel: Kernel) -> PathBuf {
    project.venv().join("share/jupyter/kernels").join(kernel.name()).join("kernel.json")
}

/// JupyterLab's defaults in this environment: it does not ask whether it may fetch news, and shows
/// completions that come later than after one second, which is what it waits by itself: the first ones
/// in a notebook do.
const LAB_DEFAULTS: &str = r#"{
  "@jupyterlab/apputils-extension:notification": {
    "checkForUpdates": false,
    "fetchNews": "false"
  },
  "@jupyterlab/completer-extension:manager": {
    "providerTimeout": 5000
  }
}
"#;

/// The key: what is written.
pub fn key(project: &Project) -> String {
    let specs = Kernel::ALL.map(|kernel| spec(project, kernel).to_string());
    let print = specs.iter().fold(Fingerprint::new(), |print, spec| print.text(spec));
    print.text(&String::from_utf8_lossy(LOGO)).text(LAB_DEFAULTS).finish()
}

/// Writes the kernelspecs with their logo, and JupyterLab's defaults.
pub fn write(project: &Project) -> Result<()> {
    let defaults = project.venv().join("share/jupyter/lab/settings/overrides.json");
    write_atomically(&defaults, LAB_DEFAULTS.as_bytes())?;
    for kernel in Kernel::ALL {
        let path = path(project, kernel);
        write_atomically(&path.with_file_name("logo-svg.svg"), LOGO)?;
        let text = format!("{:#}\n", spec(project, kernel));
        write_atomically(&path, text.as_bytes())?;
    }
    Ok(())
}

/// Checks that a kernelspec is there as it was written.
///
/// # Errors
/// It is missing, or it was changed and may start something else.
pub fn check(project: &Project, kernel: Kernel) -> Result<String> {
    let path = path(project, kernel);
    let text = fs::read_to_string(&path).unwrap_or_default();
    if serde_json::from_str(&text).ok() == Some(spec(project, kernel)) {
        return Ok(format!("`{}`, in menus \"{}\"", kernel.name(), kernel.display_name()));
    }
    bail!(
        "{} is missing or does not start this clone's kernel. Run `cargo blitz setup`.",
        path.display()
    )
}

/// The kernelspec of a kernel. It holds all that the kernel needs: the program finds the toolchain,
/// libtorch and compiled dependencies by what set-up has recorded, whatever the environment.
pub fn spec(project: &Project, kernel: Kernel) -> Value {
    let program = project.kernel().display().to_string();
    let argv: Vec<&str> =
        std::iter::once(program.as_str()).chain(kernel.arguments().iter().copied()).collect();
    json!({
        "argv": argv,
        "display_name": kernel.display_name(),
        "language": "rust",
        "interrupt_mode": "message",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use blitz_contract::Layout;

    #[test]
    fn both_specs_are_written_and_a_changed_one_is_found() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let project = Project::new(Layout::new(dir.path()));
        write(&project).expect("writable");
        for kernel in Kernel::ALL {
            check(&project, kernel).expect("as written");
        }
        let path = path(&project, Kernel::RustStock);
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.contains("\"stock\"") && text.contains("Rust (stock evcxr)"), "{text}");
        fs::write(&path, text.replace("blitz-kernel", "another")).expect("writable");
        check(&project, Kernel::Rust).expect("the other one is untouched");
        let error = check(&project, Kernel::RustStock).expect_err("changed").to_string();
        assert!(error.contains("rust-stock") && error.contains("cargo blitz setup"), "{error}");
    }
}
