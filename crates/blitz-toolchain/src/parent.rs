//! Processes that end with the one that started them.

/// Asks the system to end this process when its parent ends, however that ends. It makes one
/// system call, so it may stand between fork and exec.
pub fn end_with_parent() {
    #[cfg(target_os = "linux")]
    // SAFETY: a plain system call without pointers.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}
