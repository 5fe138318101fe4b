//! One of the processes, as seen from the cell.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use blitz_contract::worker::Pipe;

use super::messages::{Kind, Message};

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// A rank's pipes, and what it told.
pub(super) struct Rank {
    control: Source,
    pub(super) stdout: Source,
    pub(super) stderr: Source,
    told: Vec<u8>,
    /// The process's number, from when it runs until it ends.
    pub(super) process: Option<libc::pid_t>,
    /// The last word of the function.
    pub(super) end: Option<Message>,
    /// The process has run and ended.
    pub(super) has_ended: bool,
}

/// The reading end of a pipe.
pub(super) struct Source {
    file: File,
    /// Without it the pipe would be at its end before a process writes to it.
    writer: Option<File>,
    is_open: bool,
}

impl Source {
    fn make(path: &Path) -> io::Result<Source> {
        let name = CString::new(path.as_os_str().as_bytes())?;
        // SAFETY: the name is a text that ends with a zero.
        if unsafe { libc::mkfifo(name.as_ptr(), 0o600) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let mut options = File::options();
        let file = options.read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let writer = Some(File::options().write(true).open(path)?);
        Ok(Source { file, writer, is_open: true })
    }

    /// The descriptor to wait for; `None` where nothing more can come.
    pub(super) fn waits(&self) -> Option<RawFd> {
        self.is_open.then(|| self.file.as_raw_fd())
    }

    /// What is there, at most [`CHUNK`] bytes.
    pub(super) fn read(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; CHUNK];
        match self.file.read(&mut buffer) {
            Ok(0) => self.is_open = false,
            Ok(length) => {
                buffer.truncate(length);
                return buffer;
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.is_open = false,
        }
        Vec::new()
    }
}

impl Rank {
    /// Makes the pipes of `rank` in `dir`.
    pub(super) fn new(dir: &Path, rank: usize) -> io::Result<Rank> {
        let make = |pipe: Pipe| Source::make(&pipe.path(dir, rank));
        Ok(Rank {
            control: make(Pipe::Control)?,
            stdout: make(Pipe::Stdout)?,
            stderr: make(Pipe::Stderr)?,
            told: Vec::new(),
            process: None,
            end: None,
            has_ended: false,
        })
    }

    /// The descriptors to wait for.
    pub(super) fn waits(&self) -> [Option<RawFd>; 3] {
        [self.control.waits(), self.stdout.waits(), self.stderr.waits()]
    }

    /// Reads what the process tells.
    pub(super) fn listen(&mut self) {
        let bytes = self.control.read();
        self.told.extend_from_slice(&bytes);
        while let Some(message) = Message::take(&mut self.told) {
            match message.kind {
                Kind::Started => {
                    let number = message.payload.as_slice().try_into().map(u32::from_le_bytes);
                    self.process = number.ok().and_then(|number| number.try_into().ok());
                    // From now on the pipe ends when the process does.
                    self.control.writer = None;
                }
                Kind::Returned | Kind::Failed | Kind::Panicked => self.end = Some(message),
            }
        }
        if self.control.waits().is_none() {
            self.has_ended = true;
        }
    }

    /// Whether the process ended without a word.
    pub(super) fn ended_silently(&self) -> bool {
        self.has_ended && self.end.is_none()
    }

    /// What the function's error or panic said.
    pub(super) fn failure(&self) -> Option<&Message> {
        self.end.as_ref().filter(|end| end.kind != Kind::Returned)
    }

    /// Asks the running function to stop.
    pub(super) fn interrupt(&self) {
        self.signal(libc::SIGINT, |process| process);
    }

    /// Ends the process, and those that it started and that stayed in its session.
    pub(super) fn kill(&self) {
        self.signal(libc::SIGKILL, |process| -process);
    }

    fn signal(&self, signal: i32, target: impl Fn(libc::pid_t) -> libc::pid_t) {
        if let Some(process) = self.process.filter(|_| !self.has_ended) {
            // SAFETY: a plain system call. The process has not been waited for long, if at all, so the
            // number is its own.
            unsafe { libc::kill(target(process), signal) };
        }
    }
}
