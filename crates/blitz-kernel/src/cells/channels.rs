//! How the kernel gets hold of a cell process's output and input.
//!
//! The kernel makes a pair of connected sockets and lets the process that evcxr starts inherit one
//! end. That process makes a pipe for its standard output, one for its standard error and one for
//! control messages, and sends the reading ends through the socket, together with the pipe that
//! evcxr reads: evcxr gets its marks from the kernel, when all output has been passed on. Bytes in
//! a pipe outlive the process that wrote them, so a crash loses none.
//!
//! evcxr's commands come in by the standard input. The process takes them by another descriptor, so
//! that no cell reads them, and makes a pipe by which the kernel answers what cells read
//! ([`crate::cells::stdin`]).

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::Value;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Tells the cell process the number of its end of the socket.
pub const SOCKET_VAR: &str = "BLITZ_CELLS_SOCKET";

/// How many descriptors a cell process hands over.
const HANDED_OVER: usize = 5;

/// The kernel's ends of one cell process's pipes.
pub struct Channels {
    /// Reads the standard output.
    pub stdout: OwnedFd,
    /// Reads the standard error.
    pub stderr: OwnedFd,
    /// Reads control messages, lines of JSON. It ends when the process ends.
    pub control: OwnedFd,
    /// Writes what evcxr reads.
    pub evcxr: File,
    /// Writes the answers to a cell that reads, lines of JSON.
    pub answers: File,
}

/// A cell process's ends of its pipes.
pub struct CellEnds {
    /// Writes control messages.
    pub control: Control,
    /// Reads evcxr's commands.
    pub commands: File,
    /// Reads the answers to what a cell reads.
    pub answers: File,
}

/// A cell process's end of the control pipe.
pub struct Control {
    pipe: File,
}

impl Control {
    /// Sends one message.
    ///
    /// # Errors
    /// The kernel is gone.
    pub fn send(&mut self, message: &Value) -> io::Result<()> {
        self.pipe.write_all(format!("{message}\n").as_bytes())
    }
}

/// Makes the socket pair and lets the processes that `command` starts inherit one end. Returns the
/// other, on which [`receive`] waits for each process's channels.
///
/// # Errors
/// The system has no descriptors left.
pub fn inherit(command: &mut Command) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let (kernel, cells) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    command.env(SOCKET_VAR, cells.as_raw_fd().to_string());
    // SAFETY: the closure makes one system call, which is safe between fork and exec.
    unsafe {
        command.pre_exec(move || Ok(fcntl_setfd(&cells, FdFlags::empty())?));
    }
    Ok(kernel)
}

/// Takes the channels that a cell process sent. `None` where evcxr is gone and no process can come.
///
/// # Errors
/// The message is not one that [`hand_over`] sends.
pub fn receive(socket: BorrowedFd) -> io::Result<Option<Channels>> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HANDED_OVER))];
    let mut buffer = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut buffer, flags)?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let mut descriptors = Vec::new();
    for message in buffer.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    let [stdout, stderr, control, evcxr, answers]: [OwnedFd; HANDED_OVER] = descriptors
        .try_into()
        .map_err(|_| io::Error::other("a cell process sent no descriptors"))?;
    let (evcxr, answers) = (evcxr.into(), answers.into());
    Ok(Some(Channels { stdout, stderr, control, evcxr, answers }))
}

/// Replaces this process's standard output and error by pipes and sends their reading ends to the
/// kernel. Its standard input is empty from now on, for whatever reads it in a way that
/// [`crate::cells::stdin`] does not serve: another program, or C's `stdio`.
///
/// # Errors
/// This process was not started by a kernel, or the system has no descriptors left.
pub fn hand_over() -> io::Result<CellEnds> {
    let number = std::env::var(SOCKET_VAR).ok().and_then(|value| value.parse::<RawFd>().ok());
    let number = number.ok_or_else(|| io::Error::other("no kernel started this process"))?;
    // SAFETY: the kernel opened this descriptor for this process, and nothing else uses it.
    let socket = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    let evcxr = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    let commands = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let (stdout, stdout_write) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stderr, stderr_write) = pipe_with(PipeFlags::CLOEXEC)?;
    let (control, control_write) = pipe_with(PipeFlags::CLOEXEC)?;
    let (answers_read, answers) = pipe_with(PipeFlags::CLOEXEC)?;
    let rights = [&stdout, &stderr, &control, &evcxr, &answers].map(AsFd::as_fd);
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HANDED_OVER))];
    let mut buffer = SendAncillaryBuffer::new(&mut space);
    buffer.push(SendAncillaryMessage::ScmRights(&rights));
    sendmsg(&socket, &[IoSlice::new(&[0])], &mut buffer, SendFlags::empty())?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(&stdout_write)?;
    rustix::stdio::dup2_stderr(&stderr_write)?;
    let control = Control { pipe: control_write.into() };
    Ok(CellEnds { control, commands: commands.into(), answers: answers_read.into() })
}
