//! The process between evcxr and the cells.
//!
//! evcxr starts a subprocess to run cells and reads its stdout and stderr. That subprocess is this
//! supervisor: it starts the real one with pipes of its own, passes every byte on, and so
//! - adds an output to a cell that panicked or returned an error (see [`crate::failure`]);
//! - holds the "cell complete" line back until the cell's other output has been delivered (stock
//!   evcxr_jupyter loses lines that arrive after its reply);
//! - still delivers what the cells wrote when they crash.

use crate::failure::{self, Failure};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// evcxr's marker for "run cells".
pub const EVCXR_RUNTIME_VAR: &str = "EVCXR_IS_RUNTIME";
/// Our marker for the supervised process.
pub const CELLS_VAR: &str = "BLITZ_CELLS";

/// Set to `full` by a person who wants backtraces of panics; evcxr overwrites `RUST_BACKTRACE`.
pub const BACKTRACE_VAR: &str = "BLITZ_BACKTRACE";

const COMPLETE: &[u8] = b"EVCXR_EXECUTION_COMPLETE";
/// How long stderr must be silent before a cell counts as complete.
const STDERR_SILENCE: Duration = Duration::from_millis(10);
/// How long evcxr_jupyter may take to publish the last lines it was passed.
const DELIVERY: Duration = Duration::from_millis(15);
/// The longest wait for that silence: a background thread of a cell may write all the time.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How often the supervisor looks whether its kernel still runs.
const PARENT_CHECK: Duration = Duration::from_millis(500);
/// What is kept of a cell's stderr, to find the message of a failure in.
const STDERR_KEPT: usize = 64 * 1024;

/// Runs the cell process until it ends, and ends the same way.
pub fn run() -> ExitCode {
    match supervise() {
        Ok(status) => end_like(status),
        Err(error) => {
            eprintln!("blitz-kernel: cannot run cells: {error}");
            ExitCode::from(1)
        }
    }
}

/// Asks the system to end this process when its parent ends, so that interrupting or killing a
/// kernel leaves no training run behind.
pub fn die_with_parent() {
    #[cfg(target_os = "linux")]
    // SAFETY: a plain system call without pointers.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

/// What the cell running now has written to stderr.
struct CellStderr {
    text: Vec<u8>,
    last: Instant,
}

fn supervise() -> io::Result<ExitStatus> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(CELLS_VAR, "1")
        // A backtrace of the kernel's own frames tells a learner nothing.
        .env("RUST_BACKTRACE", std::env::var_os(BACKTRACE_VAR).unwrap_or_else(|| "0".into()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let cell_stderr = Arc::new(Mutex::new(CellStderr { text: Vec::new(), last: Instant::now() }));
    let stderr_thread = child.stderr.take().map(|stderr| {
        let cell_stderr = Arc::clone(&cell_stderr);
        std::thread::spawn(move || pass_stderr(stderr, &cell_stderr))
    });
    end_with_kernel(child.id());
    if pass_stdout(&mut child, &cell_stderr).is_err() {
        // evcxr has closed its end: nobody waits for this process any more.
        let _ = child.kill();
    }
    if let Some(thread) = stderr_thread {
        let _ = thread.join();
    }
    child.wait()
}

/// Ends the cell process and this one when the kernel is gone. It may have been killed, and a cell
/// that prints nothing would not notice. (The system's own signal for this follows the thread that
/// started the process, and evcxr restarts it from threads that come and go.)
fn end_with_kernel(cells: u32) {
    let parent = || {
        // SAFETY: a plain system call without pointers.
        unsafe { libc::getppid() }
    };
    let kernel = parent();
    std::thread::spawn(move || {
        while parent() == kernel {
            std::thread::sleep(PARENT_CHECK);
        }
        if let Ok(cells) = libc::pid_t::try_from(cells) {
            // SAFETY: as above; the child has not been waited for, so the number is still its own.
            unsafe { libc::kill(cells, libc::SIGKILL) };
        }
        std::process::exit(1);
    });
}

fn pass_stderr(mut from: impl Read, cell_stderr: &Mutex<CellStderr>) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..count];
        let mut cell = cell_stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = io::stderr().write_all(bytes);
        cell.text.extend_from_slice(bytes);
        let excess = cell.text.len().saturating_sub(STDERR_KEPT);
        cell.text.drain(..excess);
        cell.last = Instant::now();
    }
}

/// Passes stdout on line by line until it is closed.
fn pass_stdout(child: &mut Child, cell_stderr: &Mutex<CellStderr>) -> io::Result<()> {
    let Some(from) = child.stdout.take() else {
        return Ok(());
    };
    let mut from = BufReader::new(from);
    let mut to = io::stdout().lock();
    let mut line = Vec::new();
    let mut wrote_to_stdout = false;
    while from.read_until(b'\n', &mut line)? > 0 {
        // A cell that printed without a line break leaves its text in front of evcxr's marker,
        // which evcxr knows only as a line of its own.
        if let Some(start) = marker_start(&line) {
            to.write_all(&line[..start])?;
            to.write_all(b"\n")?;
            line.drain(..start);
            wrote_to_stdout = true;
        }
        if line.trim_ascii_end() == COMPLETE {
            let wrote_to_stderr = wait_for_silence(cell_stderr, true);
            if wrote_to_stdout || wrote_to_stderr {
                std::thread::sleep(DELIVERY);
            }
            wrote_to_stdout = false;
        } else {
            wrote_to_stdout = true;
        }
        to.write_all(&line)?;
        if let Some(failure) = Failure::announced_by(&line) {
            wait_for_silence(cell_stderr, false);
            let cell = cell_stderr.lock().unwrap_or_else(PoisonError::into_inner);
            to.write_all(failure.content(&String::from_utf8_lossy(&cell.text)).as_bytes())?;
        }
        to.flush()?;
        line.clear();
    }
    Ok(())
}

/// Where in `line` one of evcxr's markers begins that is not the whole line.
fn marker_start(line: &[u8]) -> Option<usize> {
    let text = line.trim_ascii_end();
    let markers = [COMPLETE, failure::PANIC, failure::ERROR];
    let marker = markers.into_iter().find(|marker| text.ends_with(marker))?;
    Some(text.len() - marker.len()).filter(|start| *start > 0)
}

/// Waits until the cell's stderr has been silent for a moment and returns whether it wrote any.
/// The text is forgotten where `complete`: the next byte is another cell's.
fn wait_for_silence(cell_stderr: &Mutex<CellStderr>, complete: bool) -> bool {
    let start = Instant::now();
    loop {
        {
            let mut cell = cell_stderr.lock().unwrap_or_else(PoisonError::into_inner);
            let quiet = cell.last.max(start).elapsed() >= STDERR_SILENCE;
            if quiet || start.elapsed() >= LONGEST_WAIT {
                let wrote = !cell.text.is_empty();
                if complete {
                    cell.text.clear();
                }
                return wrote;
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Ends this process as the cell process ended: by the same signal or with the same code.
fn end_like(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        // SAFETY: plain system calls without pointers, the default action for the signal.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }
    ExitCode::from(status.code().and_then(|code| u8::try_from(code & 0xff).ok()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_behind_text_without_a_line_break() {
        assert_eq!(marker_start(b"working... EVCXR_PANIC_NOTIFICATION\n"), Some(11));
        assert_eq!(marker_start(b"50 %EVCXR_EXECUTION_COMPLETE\n"), Some(4));
        assert_eq!(marker_start(b"EVCXR_EXECUTION_COMPLETE\n"), None);
        assert_eq!(marker_start(b"EVCXR_ERROR_OCCURRED is a marker\n"), None);
    }
}
