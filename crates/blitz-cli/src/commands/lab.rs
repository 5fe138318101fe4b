//! `cargo blitz lab`: JupyterLab on the notebooks.

use super::{exercises, translate};
use crate::notebook::data;
use crate::project::Project;
use crate::setup;
use anyhow::{Context, Result, bail};
use blitz_contract::variables;
use clap::Args;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;

/// Options of `lab`.
#[derive(Args)]
pub struct LabOptions {
    /// Do not open a browser; the address is printed. So it is where there is no screen
    #[arg(long)]
    pub no_browser: bool,
    /// The port to listen on (default: 8888, or the next free one)
    #[arg(long)]
    pub port: Option<u16>,
    /// The language of messages: a folder in po/, such as `zh`, or `en` (default: that of the notebook,
    /// else of the environment)
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<String>,
    /// More arguments for `jupyter lab`, after `--`
    #[arg(last = true, value_name = "ARGUMENTS")]
    pub more: Vec<String>,
}

const SCRIPT: &str = include_str!("../../python/lab.py");

/// Opens JupyterLab on `notebooks/`, on the loopback address and with a token, as is its default.
/// So it also runs as root, which Jupyter by itself refuses; a line says so, and what is open where
/// the person's own arguments open more.
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
    if let Some(language) = &options.language {
        translate::check_known(project, language)?;
    }
    let data = data::resolve(std::env::var(variables::DATA).ok().as_deref())?;
    setup::shared::tell_where_to_save(project);
    setup::ensure(project)?;
    let mut command = project.python_command();
    command.args(["-c", SCRIPT]);
    let is_named = |names: &[&str]| options.more.iter().any(|argument| sets(argument, names));
    // Jupyter takes each of these once, and the person's own is the one that counts.
    if !is_named(&["--notebook-dir", "--ServerApp.root_dir", "--ServerApp.notebook_dir"]) {
        exercises::make_quietly(project);
        translate::write_quietly(project);
        command.arg("--notebook-dir").arg(project.notebooks_dir());
    }
    if !is_named(&["--ip", "--ServerApp.ip"]) {
        command.arg("--ServerApp.ip=127.0.0.1");
    }
    let opens_by_default = !is_named(&["--ServerApp.open_browser", "--browser"]);
    if options.no_browser || (opens_by_default && is_headless()) {
        command.arg("--no-browser");
    }
    if let Some(port) = options.port {
        command.args(["--port", &port.to_string(), "--ServerApp.port_retries=0"]);
    }
    command.args(&options.more);
    if let Some(data) = data {
        command.env(variables::DATA, data);
    }
    if let Some(language) = &options.language {
        command.env(variables::LANGUAGE, language);
    }
    // JupyterLab takes this process's place, so that Ctrl-C and its question reach each other.
    Err(command.exec()).context("cannot start JupyterLab")
}

/// Whether an argument for Jupyter sets one of the options `names`.
fn sets(argument: &str, names: &[&str]) -> bool {
    let name = argument.split_once('=').map_or(argument, |(name, _)| name);
    names.contains(&name)
}

/// Whether no browser could open: without a screen, Jupyter would start one for the terminal, such
/// as `w3m`, which cannot show JupyterLab.
fn is_headless() -> bool {
    cfg!(target_os = "linux")
        && ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"]
            .iter()
            .all(|name| std::env::var_os(name).is_none_or(|value| value.is_empty()))
}

/// What a person who gave `lab` an argument that only Jupyter knows would have to write: everything
/// from there on behind `--`. `None` where `arguments`, which begin with the subcommand, are not for
/// `lab`.
pub fn corrected(arguments: &[String], unknown: &str) -> Option<String> {
    let (lab, rest) = arguments.split_first()?;
    // clap names the option alone where it was written with its value.
    let is_unknown = |argument: &String| {
        argument == unknown || argument.strip_prefix(unknown).is_some_and(|r| r.starts_with('='))
    };
    let place = rest.iter().position(is_unknown)?;
    let ours = rest[..place].iter().map(String::as_str);
    let theirs = rest[place..].iter().map(String::as_str).filter(|argument| *argument != "--");
    let words: Vec<&str> = ours.chain(["--"]).chain(theirs).collect();
    (lab == "lab").then(|| format!("cargo blitz lab {}", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::corrected;

    #[test]
    fn what_only_jupyter_knows_moves_behind_the_two_dashes() {
        let corrected = |line: &str, unknown: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            corrected(&words, unknown)
        };
        let is = |line: &str| Some(format!("cargo blitz {line}"));
        assert_eq!(corrected("lab --allow-root", "--allow-root"), is("lab -- --allow-root"));
        assert_eq!(
            corrected("lab --port 8889 --ServerApp.ip=0.0.0.0 -- --debug", "--ServerApp.ip"),
            is("lab --port 8889 -- --ServerApp.ip=0.0.0.0 --debug")
        );
        assert_eq!(corrected("run --allow-root", "--allow-root"), None);
    }
}
