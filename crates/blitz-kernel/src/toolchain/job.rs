//! Running a compiler so that it can be cancelled.

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
    #[cfg(target_os = "linux")]
    // SAFETY: a plain system call without pointers, allowed between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
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
