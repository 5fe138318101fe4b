//! One process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::display::interrupt::Watch;
use crate::error::{Error, Result};
use crate::language::say;

/// The lock on the file `path`, which is created and stays; another's lock is waited for. Closing
/// the file, or the end of the process, whatever its kind, gives the lock back.
pub(super) fn wait_for(path: &Path, watch: &Watch) -> Result<File> {
    let mut options = OpenOptions::new();
    let options = options.create(true).write(true).truncate(false);
    let file = options.open(path).map_err(Error::io("open", path))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
        }
        if !told {
            say("Another process is downloading the same; waiting for it ...");
            told = true;
        }
        watch.check_during("the wait for another process's download", || {
            "that one goes on; load the data again to wait again".to_owned()
        })?;
        sleep(Duration::from_millis(50));
    }
}
