//! Running other programs: with progress, a log file, and an error that shows the log's end.

use super::cancel::{Cancel, Cancelled};
use super::logs;
use super::progress::Step;
use anyhow::{Context, Result, anyhow};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Runs `command` as part of `step`. Its output goes to `log`, and the last line to the step.
///
/// # Errors
/// It cannot be started, `cancel` ended it, or it fails: the error holds the end of its output,
/// names `log`, and says so where the cause is the network.
pub fn run_logged(step: &Step, mut command: Command, log: &Path, cancel: &Cancel) -> Result<()> {
    let file = logs::create(log)?;
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{program}`"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let writer = Mutex::new(&file);
    let status = std::thread::scope(|scope| {
        scope.spawn(|| pass_on(stdout, step, &writer));
        scope.spawn(|| pass_on(stderr, step, &writer));
        cancel.wait(&mut child)
    });
    let status = status.with_context(|| format!("cannot wait for `{program}`"))?;
    match status.success() {
        true => Ok(()),
        false if cancel.is_wanted() => Err(Cancelled.into()),
        false => Err(logs::failure(&program, status, file, log)),
    }
}

fn pass_on(output: Option<impl Read>, step: &Step, log: &Mutex<&File>) {
    let Some(output) = output else { return };
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while let Ok(1..) = output.read_until(b'\n', &mut line) {
        step.detail(&String::from_utf8_lossy(&line));
        if let Ok(mut log) = log.lock() {
            // A log that cannot be written must not end the work itself.
            let _ = log.write_all(&line);
        }
        line.clear();
    }
}

/// Runs `command` with its output going straight to the person.
///
/// # Errors
/// It cannot be started or it fails.
pub fn run_visibly(mut command: Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot start `{program}`"))?;
    if status.success() { Ok(()) } else { Err(anyhow!("`{program}` failed ({status})")) }
}

/// The trimmed standard output of a short command, if it succeeds.
pub fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
