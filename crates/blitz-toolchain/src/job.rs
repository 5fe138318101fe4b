//! Running a compiler so that it can be cancelled.

use crate::control::Requests;
use crate::parent::end_with_parent;
use crate::session::Session;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often a running compiler looks for the request to cancel.
const CHECK: Duration = Duration::from_millis(20);

/// How a job ended.
#[derive(Debug)]
pub enum Job<T> {
    /// The program ended by itself.
    Ended(T),
    /// It was killed, or not started, because that was requested.
    Cancelled,
}

/// What rustc said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosed {
    /// Its diagnostics, one a line.
    pub lines: String,
    /// Whether what it was to make is made.
    pub is_success: bool,
}

/// Runs `rustc`, which belongs to a kernel's `session`.
///
/// # Errors
/// It cannot be run.
pub fn diagnosed(rustc: &mut Command, session: &Session) -> Result<Job<Diagnosed>> {
    rustc.stderr(Stdio::piped());
    let output = output(rustc, &Requests::new(&session.build_dir)).with_context(|| {
        format!("cannot run {}; try `cargo blitz setup`", session.toolchain.rustc.path.display())
    })?;
    let Job::Ended(Output { status, stderr, .. }) = output else { return Ok(Job::Cancelled) };
    let lines = String::from_utf8_lossy(&stderr).into_owned();
    Ok(Job::Ended(Diagnosed { lines, is_success: status.success() }))
}

/// Runs `command` and returns what it printed, as far as the caller has not decided otherwise.
///
/// # Errors
/// It cannot be started or waited for.
pub fn output(command: &mut Command, requests: &Requests) -> io::Result<Job<Output>> {
    if requests.is_cancelled() {
        return Ok(Job::Cancelled);
    }
    // A group of its own takes the linker and build scripts along; and whoever kills the kernel
    // leaves no compiler behind.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    // SAFETY: the closure makes one system call, which is safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            end_with_parent();
            Ok(())
        });
    }
    let child = command.spawn()?;
    let id = libc::pid_t::try_from(child.id()).ok();
    let group = Arc::new(Mutex::new(Group { id, killed: false }));
    watch(Arc::clone(&group), requests.clone());
    let result = child.wait_with_output();
    let mut group = group.lock().unwrap_or_else(PoisonError::into_inner);
    group.id = None;
    if group.killed { Ok(Job::Cancelled) } else { result.map(Job::Ended) }
}

/// A process group that may be killed as long as it has a number.
struct Group {
    id: Option<libc::pid_t>,
    killed: bool,
}

fn watch(group: Arc<Mutex<Group>>, requests: Requests) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(CHECK);
            let mut group = group.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(id) = group.id else { return };
            if requests.is_cancelled() {
                // SAFETY: a plain system call without pointers.
                unsafe { libc::killpg(id, libc::SIGKILL) };
                (group.id, group.killed) = (None, true);
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Control;
    use std::fs::File;
    use std::io::Read;
    use std::path::Path;

    fn shell(script: &str, dir: &Path) -> Job<Output> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).current_dir(dir);
        output(&mut command, &Requests::new(dir)).expect("the shell runs")
    }

    #[test]
    fn a_program_ends_by_itself_or_with_all_that_it_started() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let dir = dir.path();
        let control = Control::new(dir);
        assert!(matches!(shell("echo a", dir), Job::Ended(output) if output.stdout == b"a\n"));
        assert!(matches!(shell("mkfifo pipe", dir), Job::Ended(output) if output.status.success()));
        let all_ended = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                // Both ends of the pipe are open now: the program has started what never ends.
                let mut pipe = File::open(dir.join("pipe")).expect("the pipe opens");
                control.cancel().expect("the request is written");
                // Its end comes when the last process that could write to it is gone.
                let mut text = String::new();
                pipe.read_to_string(&mut text).map(|_| text)
            });
            let script = "(while :; do sleep 1; done) > pipe & wait";
            assert!(matches!(shell(script, dir), Job::Cancelled));
            reader.join().expect("the reader ends").expect("the pipe is read")
        });
        assert_eq!(all_ended, "");
        // The request stands: nothing is started.
        assert!(matches!(shell("echo b > started", dir), Job::Cancelled));
        assert!(!dir.join("started").exists());
    }
}
