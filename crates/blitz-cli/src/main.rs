//! `cargo blitz`: sets up, runs, tests and exports the Rust Blitz notebooks.
//!
//! Everything it makes lies below the repository: Python packages in `.venv`, everything else in
//! `.blitz`, executed notebooks and pages in `site`.

mod bench;
mod clean;
mod cli;
mod command;
mod disk;
mod doctor;
mod execute;
mod fingerprint;
mod html;
mod judge;
mod kernelspec;
mod lab;
mod math;
mod notebook;
mod prerequisites;
mod progress;
mod project;
mod readable;
mod run;
mod setup;
mod test;
mod torch;
mod train;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use cli::{Bench, Cli, Command};
use project::{Project, Usage};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| with_advice(error).exit());
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            // As clap does for arguments that it can judge itself.
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

/// Says where Jupyter's own options go, where one was given to `lab`.
fn with_advice(mut error: clap::Error) -> clap::Error {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg)
        && let Some(line) = lab::corrected(&arguments, unknown)
    {
        let tip = format!("options and arguments for Jupyter go behind `--`: {line}");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn dispatch(cli: Cli) -> anyhow::Result<()> {
    let project = Project::new(cli.root);
    match cli.command {
        Command::Setup(options) => setup::setup(&project, &options),
        Command::Run(options) => run::run(&project, &options),
        Command::Lab(options) => lab::lab(&project, &options),
        Command::Test(options) => test::test(&project, &options),
        Command::Train { options } => train::train(&project, &options),
        Command::Bench { what: Bench::Kernel(options) } => bench::kernel(&project, &options),
        Command::Bench { what: Bench::Train(options) } => bench::train(&project, &options),
        Command::Html(options) => html::html(&project, &options),
        Command::Kernelspec { what } => kernelspec::kernelspec(&project, &what),
        Command::Doctor => doctor::doctor(&project),
        Command::Clean(options) => clean::clean(&project, &options),
    }
}
