//! What programs that failed have said.

use anstream::adapter::strip_str;
use anyhow::anyhow;
use std::fs;
use std::path::Path;
use std::process::ExitStatus;

/// How many of a failed program's last lines an error shows.
const LINES_SHOWN: usize = 15;

/// What in a program's output means that there is no network.
const NO_NETWORK: [&str; 6] = [
    "name resolution",
    "Could not resolve host",
    "NewConnectionError",
    "Network is unreachable",
    "failed to download",
    "download of config.json failed",
];

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

/// The error for a program that failed: the end of its output, where all of it is, and what helps
/// where the cause is the network or the disk.
pub fn failure(program: &str, status: ExitStatus, log: &Path) -> anyhow::Error {
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
