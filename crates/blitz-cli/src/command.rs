//! Running other programs: with progress, a log file, and an error that shows the log's end.

use crate::progress::Step;
use anstream::adapter::strip_str;
use anyhow::{Context, Result, anyhow};
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How many of a failed program's last lines an error shows.
const LINES_SHOWN: usize = 15;

/// How often a waiting step looks whether another one has failed.
const CHECK: Duration = Duration::from_millis(50);

/// What in a program's output means that there is no network.
const NO_NETWORK: [&str; 6] = [
    "name resolution",
    "Could not resolve host",
    "NewConnectionError",
    "Network is unreachable",
    "failed to download",
    "download of config.json failed",
];

/// Ends what goes on side by side as soon as one part has failed, so that nobody waits for the rest.
#[derive(Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends the programs that were started with this.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits for `child`, and ends it when that is wanted.
    fn wait(&self, child: &mut Child) -> std::io::Result<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if self.is_wanted() {
                child.kill()?;
                return child.wait();
            }
            std::thread::sleep(CHECK);
        }
    }
}

/// A program was ended because another step failed.
#[derive(Debug)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ended, as another step failed")
    }
}

impl std::error::Error for Cancelled {}

/// Runs `command` as part of `step`. Its output goes to `log`, and the last line to the step.
///
/// # Errors
/// It cannot be started, `cancel` ended it, or it fails: the error holds the end of its output,
/// names `log`, and says so where the cause is the network.
pub fn run_logged(step: &Step, mut command: Command, log: &Path, cancel: &Cancel) -> Result<()> {
    if let Some(parent) = log.parent() {
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot create {}", parent.display()))?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{program}`"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let file = Mutex::new(file);
    let status = std::thread::scope(|scope| {
        scope.spawn(|| pass_on(stdout, step, &file));
        scope.spawn(|| pass_on(stderr, step, &file));
        cancel.wait(&mut child)
    });
    let status = status.with_context(|| format!("cannot wait for `{program}`"))?;
    match status.success() {
        true => Ok(()),
        false if cancel.is_wanted() => Err(Cancelled.into()),
        false => Err(failure(&program, &status.to_string(), log)),
    }
}

fn pass_on(output: Option<impl Read>, step: &Step, log: &Mutex<File>) {
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

/// The last lines of a log that are not empty, for an error.
pub fn last_lines(log: &Path) -> Vec<String> {
    end_of(&read_log(log))
}

/// The last lines of an output that are not empty, without colours.
pub fn end_of(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.len().saturating_sub(LINES_SHOWN);
    lines[last..].iter().map(|line| strip_str(line).to_string()).collect()
}

fn read_log(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn failure(program: &str, status: &str, log: &Path) -> anyhow::Error {
    let text = read_log(log);
    let end = last_lines(log).join("\n  ");
    let advice = if NO_NETWORK.iter().any(|sign| text.contains(sign)) {
        "\nThere seems to be no network, and this step downloads packages. Connect (behind a proxy, \
         set HTTPS_PROXY) and run the command again: it goes on where it stopped."
    } else if text.contains("No space left on device") {
        "\nThe disk is full. Make room and run the command again: it goes on where it stopped."
    } else {
        ""
    };
    anyhow!(
        "`{program}` failed ({status}):\n  {end}\nAll of its output is in {}.{advice}",
        log.display()
    )
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
