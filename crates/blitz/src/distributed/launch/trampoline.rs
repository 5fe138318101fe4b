//! What runs in each of the new processes.

use std::ffi::c_int;
use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::os::fd::FromRawFd;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use tch::{Cuda, Device};

use super::super::environment::Environment;
use super::super::process_group::{InitOptions, ProcessGroup, init};
use super::messages::{Kind, Message};
use super::returned::Returned;
use crate::device::load_cuda_backend;
use crate::error::{Result, torch_text};

/// Joins the group, runs the function whose type is `F`, and tells through the descriptor `control`
/// what became of it. Returns the exit code.
///
/// The compiler makes one of these for each function that a cell launches; the address of that one is
/// all that the new processes have to know.
pub(super) extern "C" fn trampoline<T, E, F>(control: c_int) -> c_int
where
    T: Returned,
    E: Display,
    F: Fn(&ProcessGroup) -> std::result::Result<T, E>,
{
    // SAFETY: the worker passes the descriptor on and keeps it open until the process ends.
    let mut control = std::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(control) });
    let mut tell = |kind, payload| {
        // Nobody there any more: then this process is about to be ended.
        let _ = control.write_all(&Message::new(kind, payload).to_bytes());
    };
    tell(Kind::Started, std::process::id().to_le_bytes().to_vec());
    let said = panics_are_kept();
    // SAFETY: `launch` checked that the type has no bytes, and had a value of it, which it left to be
    // used here.
    let function: &F = unsafe { NonNull::dangling().as_ref() };
    // Kept until it is told what became of the function: the others notice its end, and what they then
    // tell must not be the first.
    let mut joined = None;
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let group = &*joined.insert(join().map_err(|error| error.to_string())?);
        let returned = function(group).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        if group.is_main() {
            returned.write(&mut bytes);
        }
        Ok::<_, String>(bytes)
    }));
    let (kind, payload) = match caught {
        Ok(Ok(bytes)) => (Kind::Returned, bytes),
        Ok(Err(text)) => (Kind::Failed, text.into_bytes()),
        Err(payload) => {
            let kept = said.lock().unwrap_or_else(PoisonError::into_inner).take();
            // An interrupt unwinds without a panic.
            let text = torch_text::of_panic(&*payload).unwrap_or("no reason given");
            let place = kept.map(|place| format!(" ({place})")).unwrap_or_default();
            (Kind::Panicked, format!("{text}{place}").into_bytes())
        }
    };
    let code = c_int::from(kind != Kind::Returned);
    let _ = std::io::stdout().flush();
    tell(kind, payload);
    drop(joined);
    code
}

/// The group of the processes that torchrun started. Two GPUs serve no four processes.
fn join() -> Result<ProcessGroup> {
    load_cuda_backend();
    let gpus = usize::try_from(Cuda::device_count()).unwrap_or(0);
    let local = Environment::read()?.map_or(1, |environment| environment.local_world_size);
    let device = (gpus < local).then_some(Device::Cpu);
    init(&InitOptions { device, ..InitOptions::default() })
}

/// From now on panics of this thread print nothing. What is kept is the place of the last, where that
/// says something to a reader: a cell's generated source has other lines than the cell.
fn panics_are_kept() -> Arc<Mutex<Option<String>>> {
    let kept = Arc::new(Mutex::new(None));
    let (keep, here) = (Arc::clone(&kept), std::thread::current().id());
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info: &PanicHookInfo| {
        if std::thread::current().id() != here {
            return previous(info);
        }
        let place = info.location().filter(|place| place.file() != "src/lib.rs");
        let place = place.map(|place| format!("at {}:{}", place.file(), place.line()));
        *keep.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    kept
}
