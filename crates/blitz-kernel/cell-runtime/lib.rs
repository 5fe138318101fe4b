//! What must share the standard library with the cells.
//!
//! A cell is a shared object that links the standard library dynamically; the kernel's binary has
//! a copy of its own. Flushing the cells' standard output and hearing of their panics is therefore
//! the task of this small library. `blitz-kernel warm` compiles it with rustc alone, so it uses
//! nothing but std, and the process that runs cells loads it before the first cell.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::panic::PanicHookInfo;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often text without a line break is passed on.
const FLUSH_INTERVAL: Duration = Duration::from_millis(25);

static CONTROL: Mutex<Option<ManuallyDrop<File>>> = Mutex::new(None);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Prepares the process. `control` is the descriptor that [`send`] writes to; with
/// `full_backtrace` panics print one.
///
/// # Safety
/// `control` is an open descriptor that stays open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn blitz_runtime_start(control: i32, full_backtrace: bool) {
    // SAFETY: the caller's promise; `ManuallyDrop` leaves the descriptor to its owner.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(control) });
    *CONTROL.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(file);
    let cells = std::thread::current().id();
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == cells {
            report_panic(info, full_backtrace);
        } else {
            default_hook(info);
        }
    }));
    std::thread::spawn(|| loop {
        std::thread::sleep(FLUSH_INTERVAL);
        blitz_runtime_flush();
    });
}

/// Passes on what cells wrote without a line break.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_runtime_flush() {
    let _ = std::io::stdout().flush();
}

/// Asks the running cell to stop. May be called from a signal handler.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_request_interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Forgets a request that no cell took.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_forget_interrupt() {
    INTERRUPTED.store(false, Ordering::Relaxed);
}

/// Whether the running cell is asked to stop. Answers `true` once for each request, and tells the
/// kernel that the cell reacts.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_interrupt_requested() -> bool {
    // The plain load keeps the question cheap for loops that ask it all the time.
    let requested =
        INTERRUPTED.load(Ordering::Relaxed) && INTERRUPTED.swap(false, Ordering::Relaxed);
    if requested {
        send("{\"event\":\"reacted\"}");
    }
    requested
}

/// Tells the kernel of a panic: its message, its place, and the way there where the place is in a
/// library, so that the kernel can name the cell's line.
fn report_panic(info: &PanicHookInfo, full_backtrace: bool) {
    let message = info.payload_as_str().unwrap_or("(a value that is not a text)");
    let (file, line) = info.location().map_or(("", 0), |place| (place.file(), place.line()));
    let backtrace = Backtrace::force_capture().to_string();
    send(&format!(
        "{{\"event\":\"panic\",\"message\":{},\"file\":{},\"line\":{line},\"backtrace\":{}}}",
        json(message),
        json(file),
        json(&backtrace)
    ));
    if full_backtrace {
        eprintln!("{backtrace}");
    }
}

/// Sends one line of JSON to the kernel.
fn send(line: &str) {
    let mut control = CONTROL.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(file) = control.as_mut() {
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

/// `text` as a JSON string.
fn json(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            character if character.is_control() => {
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            character => json.push(character),
        }
    }
    json.push('"');
    json
}
