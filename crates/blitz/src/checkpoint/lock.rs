//! One run at a time may write a directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::{Error, Result};

const NAME: &str = ".lock";

/// The right to write a directory, until it is dropped or the process ends, however it ends: the
/// system itself gives up the lock of a process that is gone. The file names the process, for the
/// message that a second run gets.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(dir: &Path) -> Result<Lock> {
        let path = dir.join(NAME);
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(Error::io("write", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(&mut file, dir)),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        let named = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        named.map_err(Error::io("write", &path))?;
        Ok(Lock { _file: file })
    }
}

fn held(file: &mut File, dir: &Path) -> Error {
    let mut holder = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut holder));
    let holder = match read.map(|_| holder.trim().parse::<u32>()) {
        Ok(Ok(process)) if process == std::process::id() => "another fit of this program".into(),
        Ok(Ok(process)) => format!("process {process}"),
        _ => "another process".to_owned(),
    };
    Error::CheckpointInUse { path: fs::canonicalize(dir).unwrap_or(dir.to_owned()), holder }
}
