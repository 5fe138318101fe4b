//! A process that runs a function of a cell as one of several: what
//! `blitz::distributed::launch` starts ([`blitz_contract::worker`] has the agreement).

use crate::cells::libtorch;
use crate::cells::process::{Callbacks, Runtime};
use anyhow::{Context, Result, bail};
use blitz_contract::worker::Pipe;
use blitz_contract::{Layout, variables};
use blitz_toolchain::end_with_parent;
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use std::ffi::{OsString, c_char, c_int, c_void};
use std::path::Path;
use std::process::ExitCode;

/// Runs the function that `arguments` name and returns the exit code that it asks for.
///
/// # Errors
/// Whoever started this is gone, or a library cannot be loaded.
///
/// # Safety
/// This process has no other thread, and `arguments` come from `blitz::distributed::launch`.
pub unsafe fn run(layout: &Layout, arguments: &[OsString]) -> Result<ExitCode> {
    end_with_parent();
    let [dir, library, offset, statics @ ..] = arguments else {
        bail!("`work` is for `distributed::launch` alone: DIRECTORY LIBRARY OFFSET [STATICS]…");
    };
    let rank = std::env::var("RANK").ok().and_then(|rank| rank.parse().ok());
    let rank: usize = rank.context("RANK is not set")?;
    let offset: usize = offset.to_str().and_then(|it| it.parse().ok()).context("which offset?")?;
    let control = take_pipes(Path::new(dir), rank).context("who started this process is gone")?;
    if rank == 0 {
        // SAFETY: the caller's promise. What this rank displays, the notebook shows.
        unsafe { std::env::set_var(variables::KERNEL, "1") };
    }
    libtorch::preload(&layout.libtorch_lib());
    let runtime = Runtime::load(layout)?;
    runtime.start(Callbacks { panicked: on_panic, reacted: on_reaction, launch_context: nothing });
    for library in statics {
        // SAFETY: statics have constant initialisers. Globally and for good: functions refer to them.
        let loaded = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_GLOBAL) };
        std::mem::forget(loaded.context("cannot load the notebook's statics")?);
    }
    // SAFETY: the caller's promise about the library and what lies at the offset.
    let code = unsafe { load_and_call(Path::new(library), offset, control.as_raw_fd()) }?;
    runtime.flush();
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Makes the rank's pipes this process's streams. Returns the one for what becomes of the function,
/// which no program inherits that the function starts.
fn take_pipes(dir: &Path, rank: usize) -> rustix::io::Result<OwnedFd> {
    let open = |pipe: Pipe| {
        // Fails, and does not wait, where nobody reads.
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let end = rustix::fs::open(pipe.path(dir, rank), flags, Mode::empty())?;
        rustix::io::ioctl_fionbio(&end, false)?;
        Ok::<_, rustix::io::Errno>(end)
    };
    let control = open(Pipe::Control)?;
    rustix::stdio::dup2_stdout(open(Pipe::Stdout)?)?;
    rustix::stdio::dup2_stderr(open(Pipe::Stderr)?)?;
    Ok(control)
}

unsafe fn load_and_call(library: &Path, offset: usize, control: c_int) -> Result<c_int> {
    // SAFETY: loading runs the initialisers of a library that was compiled for it.
    let loaded = unsafe { Library::open(Some(library), RTLD_NOW) };
    let handle = loaded.context("cannot load the cell")?.into_raw();
    let start = start(handle).with_context(|| format!("where is {}?", library.display()))?;
    // SAFETY: the caller's promise about the function's type.
    unsafe {
        let function = start.add(offset);
        Ok(std::mem::transmute::<*mut c_void, extern "C" fn(c_int) -> c_int>(function)(control))
    }
}

/// Where a loaded library begins.
fn start(handle: *mut c_void) -> Option<*mut c_void> {
    /// The beginning of what the dynamic linker knows of a library: `link_map` in `link.h`.
    #[repr(C)]
    struct LinkMap {
        start: *mut c_void,
    }
    let mut map: *mut LinkMap = std::ptr::null_mut();
    // SAFETY: the handle is open and stays so; the linker writes the address of its record.
    unsafe {
        let asked = libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast());
        (asked == 0 && !map.is_null()).then(|| (*map).start)
    }
}

extern "C" fn on_panic(_: *const u8, _: usize, _: *const u8, _: usize, _: u32) {}

extern "C" fn on_reaction() {}

/// A worker starts no workers.
extern "C" fn nothing() -> *const c_char {
    std::ptr::null()
}
