//! `cargo blitz lab`: JupyterLab on the notebooks.

use crate::cli::LabOptions;
use crate::project::Project;
use crate::{run, setup};
use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;

/// Opens JupyterLab on `notebooks/`, on the loopback address and with a token, as is its default.
///
/// # Errors
/// Set-up fails, the port that was asked for is in use, or JupyterLab fails.
pub fn lab(project: &Project, options: &LabOptions) -> Result<()> {
    if let Some(port) = options.port
        && TcpListener::bind(("127.0.0.1", port)).is_err()
    {
        bail!(
            "port {port} is in use. Choose another with --port, or leave --port out to get the \
             next free one."
        );
    }
    let data = run::data(std::env::var("BLITZ_DATA").ok().as_deref())?;
    setup::shared::tell_where_to_save(project);
    setup::ensure(project)?;
    let mut command = project.python_command();
    command.args(["-m", "jupyterlab", "--notebook-dir"]).arg(project.notebooks_dir());
    command.arg("--ServerApp.ip=127.0.0.1");
    if options.no_browser {
        command.arg("--no-browser");
    }
    if let Some(port) = options.port {
        command.args(["--port", &port.to_string(), "--ServerApp.port_retries=0"]);
    }
    command.args(&options.more);
    if let Some(data) = data {
        command.env("BLITZ_DATA", data);
    }
    // JupyterLab takes this process's place, so that Ctrl-C and its question reach each other.
    Err(command.exec()).context("cannot start JupyterLab")
}
