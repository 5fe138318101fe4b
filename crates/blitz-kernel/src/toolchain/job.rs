//! Running a compiler so that it can be cancelled.

use crate::parent;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
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
    /// It was killed, or not started, because the cancel file was there.
    Cancelled,
}

/// Runs `command` and returns what it printed, as far as the caller has not decided otherwise.
///
/// # Errors
/// It cannot be started or waited for.
pub fn output(command: &mut Command, cancel_file: &Path) -> io::Result<Job<Output>> {
    if cancel_file.exists() {
        return Ok(Job::Cancelled);
    }
    // A group of its own takes the linker and build scripts along; and whoever kills the kernel
    // leaves no compiler behind.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    // SAFETY: the closure makes one system call, which is safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            parent::end_with_parent();
            Ok(())
        });
    }
    let child = command.spawn()?;
    let id = libc::pid_t::try_from(child.id()).ok();
    let group = Arc::new(Mutex::new(Group { id, killed: false }));
    watch(Arc::clone(&group), cancel_file.to_owned());
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

fn watch(group: Arc<Mutex<Group>>, cancel_file: PathBuf) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(CHECK);
            let mut group = group.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(id) = group.id else { return };
            if cancel_file.exists() {
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
    use std::time::Instant;

    #[test]
    fn a_program_ends_by_itself_or_with_all_that_it_started() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let cancel = dir.path().join("cancel");
        let done = dir.path().join("done");
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.arg("-c").arg(script).env("DONE", &done);
            output(&mut command, &cancel).expect("the shell runs")
        };
        assert!(matches!(shell("echo a"), Job::Ended(output) if output.stdout == b"a\n"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(100));
                std::fs::write(&cancel, "").expect("the file is written");
            });
            let start = Instant::now();
            assert!(matches!(shell("(sleep 1; echo late > \"$DONE\") & wait"), Job::Cancelled));
            assert!(start.elapsed() < Duration::from_millis(700), "{:?}", start.elapsed());
        });
        std::thread::sleep(Duration::from_millis(1100));
        assert!(!done.exists(), "what the program had started went on");
        // The request stands: nothing is started.
        assert!(matches!(shell("echo b"), Job::Cancelled));
    }
}
