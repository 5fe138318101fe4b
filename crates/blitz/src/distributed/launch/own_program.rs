//! A program that starts itself again, as often as there are ranks: [`blitz_contract::worker`] has the
//! agreement.

use std::ffi::{OsString, c_int};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::OnceLock;

use blitz_contract::worker::{self, Pipe};

use super::super::environment::RANK;
use super::context::Place;

/// What this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The program, which may start others.
    Program,
    /// One of those that it started.
    Worker,
}

/// Whether `main` has said that this program may be started again. Without that, each of the processes
/// would do all that comes before the launch, and then launch others.
static ROLE: OnceLock<Role> = OnceLock::new();

/// Runs the launched function and ends the process, where `launch` has started it; returns otherwise.
pub(crate) fn serve() {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let is_worker = arguments.first().is_some_and(|first| first == worker::AGAIN);
    let role = if is_worker { Role::Worker } else { Role::Program };
    ROLE.get_or_init(|| role);
    if is_worker {
        let code = work(&arguments[1..]).unwrap_or_else(|error| {
            eprintln!("`{}` is for `distributed::launch` alone: {error}", worker::AGAIN);
            2
        });
        std::process::exit(code);
    }
}

/// What [`serve`] has found; `None` where it was not called.
pub(super) fn role() -> Option<Role> {
    ROLE.get().copied()
}

/// Where this program, or the library of it that holds this crate, is in memory.
pub(super) fn place() -> Option<Place> {
    Place::of(serve as fn() as *const ())
}

fn work(arguments: &[OsString]) -> io::Result<c_int> {
    end_with_parent();
    let wrong = |text: &str| io::Error::new(io::ErrorKind::InvalidInput, text.to_owned());
    let [dir, offset] = arguments else { return Err(wrong("DIRECTORY OFFSET are expected")) };
    let rank = std::env::var(RANK).ok().and_then(|rank| rank.parse().ok());
    let rank: usize = rank.ok_or_else(|| wrong("RANK is not set"))?;
    let offset = offset.to_str().and_then(|offset| offset.parse::<usize>().ok());
    let place = place().zip(offset).ok_or_else(|| wrong("no such function"))?;
    let control = take_pipes(Path::new(dir), rank)?;
    let address = place.0.start + place.1;
    // SAFETY: `launch` found the function in the same file at this distance from its start, and it is
    // a trampoline: this process runs the very file (`/proc/PID/exe`) that its parent does.
    let function: extern "C" fn(c_int) -> c_int =
        unsafe { std::mem::transmute::<*const (), _>(std::ptr::with_exposed_provenance(address)) };
    Ok(function(control.as_raw_fd()))
}

/// Makes the rank's pipes this process's streams. Returns the one for what becomes of the function.
fn take_pipes(dir: &Path, rank: usize) -> io::Result<File> {
    let open = |pipe: Pipe| -> io::Result<File> {
        // Fails, and does not wait, where nobody reads. No program inherits it.
        let mut options = File::options();
        let end = options.write(true).custom_flags(libc::O_NONBLOCK).open(pipe.path(dir, rank))?;
        // SAFETY: the descriptor is open; its flags are numbers.
        let waits = unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFL, libc::O_WRONLY) };
        if waits == -1 { Err(io::Error::last_os_error()) } else { Ok(end) }
    };
    let replace = |stream: RawFd, end: File| -> io::Result<()> {
        // SAFETY: both descriptors are open. Rust's handles of the stream are its number.
        let replaced = unsafe { libc::dup2(end.as_raw_fd(), stream) };
        if replaced == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    };
    let control = open(Pipe::Control)?;
    replace(libc::STDOUT_FILENO, open(Pipe::Stdout)?)?;
    replace(libc::STDERR_FILENO, open(Pipe::Stderr)?)?;
    Ok(control)
}

/// This process ends with the one that started it, however that ends. Makes one system call, so that it
/// may stand between fork and exec.
pub(super) fn end_with_parent() {
    #[cfg(target_os = "linux")]
    // SAFETY: a plain system call without pointers.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}
