//! Running the scripts that tell how far they are: a JSON object a line.

use super::logs;
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Runs `command` with `input` as its standard input, hands each line of its output to `event`, and
/// writes what it says on standard error to `log`. A line that is no JSON is passed on as null.
///
/// # Errors
/// It cannot be started, its output cannot be read, or `log` cannot be written. How it ended is for
/// the caller to judge.
pub fn run(
    mut command: Command,
    input: &[u8],
    log: &Path,
    mut event: impl FnMut(Value),
) -> Result<ExitStatus> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(logs::create(log)?);
    let mut child = command.spawn().context("cannot start the environment's Python")?;
    give(&mut child, input).context("cannot write to the environment's Python")?;
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        event(serde_json::from_str(&line?).unwrap_or_default());
    }
    child.wait().context("cannot wait for the environment's Python")
}

/// Writes all of `input` before anything is read: the scripts read it before they say anything.
fn give(child: &mut Child, input: &[u8]) -> io::Result<()> {
    match child.stdin.take().map(|mut stdin| stdin.write_all(input)) {
        // One that ended before says why by its status and in the log.
        Some(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
