//! `cargo blitz launch`: the classifier by several processes, on one machine or on many.

use crate::project::Project;
use crate::setup::{ensure, linked};
use crate::usage::Usage;
use anyhow::{Context, Result};
use blitz_contract::launcher::{MOST_PROCESSES, SCRIPT};
use clap::Args;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;

/// What `--help` says at its end.
pub const EXAMPLES: &str = "\
Two processes on this machine, which talk over its loopback interface:

    cargo blitz launch --nproc 2 -- --epochs 2 --batch-size 2

Two machines with four processes each; the first is known to the second as node0, and its port 29500
can be reached (and no port of either machine from anywhere else: nobody is asked for a password):

    node0$ cargo blitz launch --nproc 4 --nnodes 2 --node-rank 0 --rendezvous node0:29500 -- --epochs 2
    node1$ cargo blitz launch --nproc 4 --nnodes 2 --node-rank 1 --rendezvous node0:29500 -- --epochs 2

A training that goes on by itself after a process was lost, from its newest checkpoint:

    cargo blitz launch --nproc 2 --max-restarts 3 -- --checkpoints checkpoints";

/// Options of `launch`.
#[derive(Args)]
pub struct LaunchOptions {
    /// Processes on this machine
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub nproc: usize,
    /// Machines
    #[arg(long, value_name = "M", default_value_t = 1)]
    pub nnodes: usize,
    /// Number of this machine, from 0
    #[arg(long, value_name = "R", default_value_t = 0)]
    pub node_rank: usize,
    /// Where the machines meet: a port of machine 0, by an address that all reach
    #[arg(long, value_name = "HOST:PORT")]
    pub rendezvous: Option<String>,
    /// How often all processes are started again where one has ended
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub max_restarts: usize,
    /// The example's options, which follow `--` (`cargo blitz train --help` lists them)
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<OsString>,
}

/// Compiles `crates/blitz/examples/cifar10.rs` with what the notebooks use, and becomes PyTorch's
/// launcher, which starts it.
///
/// # Errors
/// Options that make no sense; set-up fails, or the example does not compile or start.
pub fn launch(project: &Project, options: &LaunchOptions) -> Result<()> {
    let launcher = launcher_options(options)?;
    ensure(project)?;
    let example = linked::example(project)?;
    let mut command = project.python_command();
    command.args(["-c", SCRIPT]).args(launcher).arg("--no-python").arg(example);
    Err(command.args(&options.arguments).exec()).context("cannot start the environment's Python")
}

/// torchrun's words for the options.
fn launcher_options(options: &LaunchOptions) -> Result<Vec<String>> {
    let LaunchOptions { nproc, nnodes, node_rank, rendezvous, max_restarts, .. } = options;
    let usage = |message: String| Err(Usage(message).into());
    if !(1..=MOST_PROCESSES).contains(nproc) {
        return usage(format!("--nproc must be from 1 to {MOST_PROCESSES}, got {nproc}"));
    }
    if *nnodes == 0 {
        return usage("--nnodes must be at least 1, got 0".to_owned());
    }
    if node_rank >= nnodes {
        return usage(format!("--node-rank must be below --nnodes, {nnodes}, got {node_rank}"));
    }
    let mut words =
        vec![format!("--nproc-per-node={nproc}"), format!("--max-restarts={max_restarts}")];
    match rendezvous {
        None if *nnodes > 1 => {
            return usage(
                "several machines need --rendezvous HOST:PORT, a port of machine 0 that all reach"
                    .to_owned(),
            );
        }
        None => {}
        Some(place) => {
            let Some((host, port)) = split(place) else {
                return usage(format!("--rendezvous must be HOST:PORT, got {place:?}"));
            };
            words.push(format!("--nnodes={nnodes}"));
            words.push(format!("--node-rank={node_rank}"));
            words.push(format!("--master-addr={host}"));
            words.push(format!("--master-port={port}"));
        }
    }
    Ok(words)
}

/// The host, without the brackets of an IPv6 address, and the port.
fn split(place: &str) -> Option<(&str, u16)> {
    let (host, port) = place.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: LaunchOptions,
    }

    fn words(line: &str) -> Result<Vec<String>> {
        let words = std::iter::once("launch").chain(line.split_whitespace());
        launcher_options(&Line::try_parse_from(words).expect("clap accepts it").options)
    }

    #[test]
    fn options_are_torchruns() {
        let alone = words("--nproc 3 --max-restarts 1 -- --epochs 2").expect("it makes sense");
        assert_eq!(alone, ["--nproc-per-node=3", "--max-restarts=1"]);
        let many = words("--nnodes 2 --node-rank 1 --rendezvous [fe80::1]:29500");
        let many = many.expect("it makes sense");
        assert_eq!(
            many[2..],
            ["--nnodes=2", "--node-rank=1", "--master-addr=fe80::1", "--master-port=29500"]
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_is_made() {
        for (line, expected) in [
            ("--nproc 0", "--nproc must be from 1 to 64, got 0"),
            ("--nproc 65", "--nproc must be from 1 to 64, got 65"),
            ("--nnodes 0", "--nnodes must be at least 1"),
            ("--nnodes 2 --node-rank 2 --rendezvous a:1", "--node-rank must be below --nnodes, 2"),
            ("--nnodes 2", "several machines need --rendezvous"),
            ("--rendezvous node0", "--rendezvous must be HOST:PORT, got \"node0\""),
            ("--rendezvous node0:0", "--rendezvous must be HOST:PORT"),
            ("--rendezvous :29500", "--rendezvous must be HOST:PORT"),
        ] {
            let error = words(line).expect_err(line);
            assert!(error.is::<Usage>() && error.to_string().contains(expected), "{line}: {error}");
        }
    }
}
