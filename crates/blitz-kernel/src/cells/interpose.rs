//! The functions of libc that this program stands in for, so that cells can read from the person
//! ([`crate::cells::stdin`] says why and how).
//!
//! The dynamic linker finds them here before libc's, for every library of the process. In a process
//! that runs no cells, and for all other descriptors, they do what libc's do.

use crate::cells::input::NoInput;
use crate::cells::stdin::served;
use libc::{c_char, c_int, c_void, iovec, size_t, ssize_t};

/// Stands in for `read(2)`.
///
/// # Safety
/// As for `read(2)`: `buffer` has `length` bytes to write to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn read(fd: c_int, buffer: *mut c_void, length: size_t) -> ssize_t {
    if fd == libc::STDIN_FILENO
        && let Some(stdin) = served()
    {
        return match stdin.read(length) {
            Ok(bytes) => {
                // SAFETY: there are at most `length` bytes, which the caller has room for.
                unsafe { buffer.cast::<u8>().copy_from(bytes.as_ptr(), bytes.len()) };
                bytes.len().cast_signed()
            }
            Err(reason) => fail(reason),
        };
    }
    // SAFETY: the caller's promise.
    result(unsafe { libc::syscall(libc::SYS_read, fd, buffer, length) })
}

/// Stands in for `readv(2)`.
///
/// # Safety
/// As for `readv(2)`: there are `count` buffers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn readv(fd: c_int, buffers: *const iovec, count: c_int) -> ssize_t {
    if fd == libc::STDIN_FILENO && served().is_some() {
        // SAFETY: the caller's promise.
        let all =
            unsafe { std::slice::from_raw_parts(buffers, usize::try_from(count).unwrap_or(0)) };
        return match all.iter().find(|buffer| buffer.iov_len > 0) {
            // A short read is one that `readv` may make.
            // SAFETY: the caller's promise.
            Some(buffer) => unsafe { read(fd, buffer.iov_base, buffer.iov_len) },
            None => 0,
        };
    }
    // SAFETY: the caller's promise.
    result(unsafe { libc::syscall(libc::SYS_readv, fd, buffers, count) })
}

/// Stands in for `write(2)`.
///
/// # Safety
/// As for `write(2)`: `buffer` has `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, buffer: *const c_void, length: size_t) -> ssize_t {
    // SAFETY: the caller's promise, here and below.
    let plainly = |bytes: *const c_void, length: size_t| unsafe {
        result(libc::syscall(libc::SYS_write, fd, bytes, length))
    };
    if fd == libc::STDOUT_FILENO
        && length > 0
        && let Some(stdin) = served()
    {
        // SAFETY: as above.
        let output = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), length) };
        if let Some(rest) = stdin.without_refused(output) {
            // A pipe takes this little as a whole, or the reader is gone.
            if !rest.is_empty() && plainly(rest.as_ptr().cast(), rest.len()) < 0 {
                return -1;
            }
            return length.cast_signed();
        }
        if let Some(reason) = stdin.refusal(output) {
            return fail(reason);
        }
    }
    plainly(buffer, length)
}

/// Stands in for POSIX's `strerror_r(3)`, by the name that glibc gives it.
///
/// # Safety
/// As for `strerror_r(3)`: `buffer` has `length` bytes to write to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __xpg_strerror_r(
    errno: c_int,
    buffer: *mut c_char,
    length: size_t,
) -> c_int {
    if let Some(reason) = NoInput::of_errno(errno) {
        let text = reason.text();
        if text.len() >= length {
            return libc::ERANGE;
        }
        // SAFETY: the buffer has room for the text and the byte that ends it.
        unsafe {
            buffer.copy_from(text.as_ptr().cast(), text.len());
            buffer.add(text.len()).write(0);
        }
        return 0;
    }
    // SAFETY: the next definition after this one is libc's, which has this type.
    unsafe {
        let next = libc::dlsym(libc::RTLD_NEXT, c"__xpg_strerror_r".as_ptr());
        if next.is_null() {
            return libc::EINVAL;
        }
        type Strerror = unsafe extern "C" fn(c_int, *mut c_char, size_t) -> c_int;
        std::mem::transmute::<*mut c_void, Strerror>(next)(errno, buffer, length)
    }
}

fn fail(reason: NoInput) -> ssize_t {
    // SAFETY: the place of this thread's error number.
    unsafe { *libc::__errno_location() = reason.errno() };
    -1
}

/// The result of a system call that fits a size.
fn result(value: libc::c_long) -> ssize_t {
    value as ssize_t
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    /// Where a library that is loaded later finds this function.
    fn found(name: &CStr) -> usize {
        // SAFETY: a look-up by name.
        unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) as usize }
    }

    #[test]
    fn libraries_find_these_functions_before_libcs() {
        assert_eq!(found(c"read"), read as *const () as usize);
        assert_eq!(found(c"readv"), readv as *const () as usize);
        assert_eq!(found(c"write"), write as *const () as usize);
        assert_eq!(found(c"__xpg_strerror_r"), __xpg_strerror_r as *const () as usize);
    }

    #[test]
    fn errors_have_their_texts() {
        for reason in [NoInput::Refused, NoInput::Interrupted, NoInput::NoCell] {
            let error = std::io::Error::from_raw_os_error(reason.errno());
            assert!(error.to_string().starts_with(reason.text()), "{error}");
        }
        let error = std::io::Error::from_raw_os_error(libc::ENOENT);
        assert!(error.to_string().starts_with("No such file"), "{error}");
    }
}
