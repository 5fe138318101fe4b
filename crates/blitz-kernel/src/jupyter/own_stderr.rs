//! The kernel's own standard error. What cargo says there while a cell's dependencies compile is
//! for the person who waits; all of it is for Jupyter's log.

use crate::output::publisher::Publisher;
use crate::session::record::SharedRecord;
use anyhow::{Context, Result};
use jupyter_protocol::Stdio;
use rustix::fd::OwnedFd;
use rustix::io::fcntl_dupfd_cloexec;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::stdio::{dup2_stderr, stderr};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::sync::Arc;

/// How cargo's lines about its progress begin.
const PROGRESS: [&str; 4] = ["Compiling ", "Downloading ", "Downloaded ", "Updating "];

/// Standard error as it was, put back on drop so that the last words of this process reach the log.
pub struct OwnStderr {
    log: OwnedFd,
}

impl OwnStderr {
    /// From now on cargo's progress is shown in the cell that causes it.
    ///
    /// # Errors
    /// The system has no descriptors or threads left.
    pub fn watch(publisher: Arc<Publisher>, record: SharedRecord) -> Result<Self> {
        let log = fcntl_dupfd_cloexec(stderr(), 3).context("cannot keep standard error")?;
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).context("cannot make a pipe")?;
        let mut copy = File::from(log.try_clone().context("cannot keep standard error")?);
        let pass_on = move || {
            let mut lines = BufReader::new(File::from(read));
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let _ = copy.write_all(&line);
                let text = String::from_utf8_lossy(&line);
                let progress = text.trim_start();
                if record.is_active() && PROGRESS.iter().any(|start| progress.starts_with(start)) {
                    publisher.stream(Stdio::Stderr, text.into_owned());
                }
                line.clear();
            }
        };
        let thread = std::thread::Builder::new().name("standard error".to_owned());
        thread.spawn(pass_on).context("cannot start a thread")?;
        dup2_stderr(&write).context("cannot replace standard error")?;
        Ok(OwnStderr { log })
    }
}

impl Drop for OwnStderr {
    fn drop(&mut self) {
        let _ = dup2_stderr(&self.log);
    }
}
