//! What programs that failed have said.

use anstream::adapter::strip_str;
use anyhow::{Context, Result, anyhow};
use std::fs::{self, File};
use std::io::{Read, Seek};
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

/// Begins a log. One of another process that writes the same log at this time is left alone: it goes on in a
/// file that has no name any more.
///
/// # Errors
/// It cannot be written.
pub fn create(log: &Path) -> Result<File> {
    let create = || {
        if let Some(parent) = log.parent() {
            fs::create_dir_all(parent)?;
        }
        let _ = fs::remove_file(log);
        File::options().read(true).write(true).create(true).truncate(true).open(log)
    };
    create().with_context(|| format!("cannot write {}", log.display()))
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

/// The error for a program that failed: the end of its output, which is in `file`, at `log`, and what helps
/// where the cause is the network or the disk.
pub fn failure(program: &str, status: ExitStatus, mut file: File, log: &Path) -> anyhow::Error {
    let mut bytes = Vec::new();
    // What cannot be read is not shown.
    let _ = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let end = end_of(&text).join("\n  ");
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::Command;

    #[test]
    fn a_failure_tells_its_own_output_where_another_process_writes_the_same_log() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = dir.path().join("logs/a.log");
        let mut file = create(&log).expect("writable");
        file.write_all(b"error: mine\n").expect("writable");
        let mut other = create(&log).expect("writable");
        other.write_all(b"of the other\n").expect("writable");
        let status = Command::new("false").status().expect("it runs");
        let text = failure("false", status, file, &log).to_string();
        assert!(text.contains("  error: mine\nAll of"), "{text}");
        assert_eq!(read_log(&log), "of the other\n");
    }
}
