//! The layout of Rust, by the toolchain's own formatter.

use std::io::Write;
use std::process::{Command, Stdio};

/// `program` as rustfmt lays it out with this project's settings, or as it is where there is none.
pub fn formatted(program: &str) -> String {
    rustfmt(program).unwrap_or_else(|| program.to_owned())
}

fn rustfmt(program: &str) -> Option<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .args(["--config", "use_small_heuristics=Max"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = rustfmt.stdin.take()?;
    let output = std::thread::scope(|scope| {
        // Both pipes may be full.
        scope.spawn(move || stdin.write_all(program.as_bytes()));
        rustfmt.wait_with_output()
    });
    let output = output.ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}
