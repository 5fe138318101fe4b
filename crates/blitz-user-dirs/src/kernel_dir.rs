//! A kernel's build directory: whether its kernel lives.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// The file that a running kernel holds locked in its build directory.
const LOCK: &str = "in-use.lock";

/// How long a kernel that starts may take to lock its build directory: one that is younger is nobody's
/// to remove.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Takes the build directory `dir` into use, for as long as the returned file is open: the system
/// lets go of it however the process ends.
///
/// # Errors
/// The file cannot be made or locked.
pub fn take_kernel_dir(dir: &Path) -> io::Result<File> {
    let lock = File::create(dir.join(LOCK))?;
    lock.lock()?;
    Ok(lock)
}

/// Whether the build directory `dir` is a kernel's that runs, or is about to.
pub fn is_kernel_dir_in_use(dir: &Path) -> bool {
    let locked = File::open(dir.join(LOCK))
        .is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    // A young one may belong to a kernel that is about to take its lock.
    locked || is_young(dir)
}

fn is_young(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age < STARTS_WITHIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn a_directory_is_in_use_while_it_is_young_or_locked() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let dir = dir.path();
        assert!(is_kernel_dir_in_use(dir));
        let lock = take_kernel_dir(dir).expect("writable");
        let old = SystemTime::now() - 2 * STARTS_WITHIN;
        File::open(dir).and_then(|dir| dir.set_modified(old)).expect("its owner may");
        assert!(is_kernel_dir_in_use(dir));
        drop(lock);
        assert!(!is_kernel_dir_in_use(dir));
        assert!(!is_kernel_dir_in_use(&dir.join("missing")));
    }
}
