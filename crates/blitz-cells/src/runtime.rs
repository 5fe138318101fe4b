//! The cells' runtime: it flushes their standard output, empties their standard input, hears of
//! their panics and passes interrupts on.
//!
//! `blitz-kernel warm` compiles it with rustc alone, so it uses nothing but std, and the process that
//! runs cells loads it before the first cell. Its exported names are those of
//! `blitz_contract::symbols`.

use std::ffi::c_char;
use std::io::{BufRead, Write};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::Thread;
use std::time::Duration;

/// How often text without a line break is passed on while a cell runs.
const FLUSH_INTERVAL: Duration = Duration::from_millis(25);

/// The same while none does: what threads write that a cell left behind.
const IDLE_FLUSH_INTERVAL: Duration = Duration::from_millis(500);

/// How long a thread may go on holding the standard input before its buffer is left as it is.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// What the kernel's binary wants to be told.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Callbacks {
    /// A panic: its message (start and length in bytes), its source file (the same), and its line.
    pub panicked: extern "C" fn(*const u8, usize, *const u8, usize, u32),
    /// The running cell noticed that it was interrupted.
    pub reacted: extern "C" fn(),
    /// What a process needs that runs a function of a cell: a text that ends with a zero, or null.
    pub launch_context: extern "C" fn() -> *const c_char,
}

static CALLBACKS: OnceLock<Callbacks> = OnceLock::new();
/// The thread that passes text on.
static FLUSHER: OnceLock<Thread> = OnceLock::new();
/// Whether no cell runs. The processes of a training run a function and never a cell.
static IS_IDLE: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// A thread waits for the lock of the standard input, to empty its buffer.
static WAITS_FOR_INPUT: AtomicBool = AtomicBool::new(false);

/// Prepares the process, in the thread that will run cells.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_runtime_start(callbacks: Callbacks) {
    let _ = CALLBACKS.set(callbacks);
    let cells = std::thread::current().id();
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // A panic of another thread ends that thread and not the cell.
        if std::thread::current().id() == cells {
            report_panic(info, callbacks);
        } else {
            default_hook(info);
        }
    }));
    let flusher = std::thread::spawn(|| {
        loop {
            let is_idle = IS_IDLE.load(Ordering::Relaxed);
            std::thread::park_timeout(if is_idle { IDLE_FLUSH_INTERVAL } else { FLUSH_INTERVAL });
            blitz_runtime_flush();
        }
    });
    let _ = FLUSHER.set(flusher.thread().clone());
}

/// A cell begins: somebody waits for what it writes.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_cell_begins() {
    IS_IDLE.store(false, Ordering::Relaxed);
    FLUSHER.get().into_iter().for_each(Thread::unpark);
}

/// The cell has ended.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_cell_ended() {
    blitz_runtime_flush();
    IS_IDLE.store(true, Ordering::Relaxed);
}

/// Passes on what cells wrote without a line break.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_runtime_flush() {
    let _ = std::io::stdout().flush();
}

/// Forgets what a cell was given to read and left in the buffer of its standard input, so that the
/// next cell does not read it. The kernel lets no read succeed meanwhile. Returns whether that is
/// done.
///
/// A cell may keep the lock of the standard input in a variable, and a thread that it left behind
/// may hold it: so this waits in a thread of its own, and gives up.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_forget_input() -> bool {
    if WAITS_FOR_INPUT.swap(true, Ordering::SeqCst) {
        return false;
    }
    let decided = Arc::new(AtomicBool::new(false));
    let (emptied, is_emptied) = mpsc::channel();
    let decided_there = Arc::clone(&decided);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        // Later, this would take away what another cell reads.
        let is_in_time = !decided_there.swap(true, Ordering::SeqCst);
        while is_in_time
            && let Ok(left) = stdin.fill_buf().map(<[u8]>::len)
            && left > 0
        {
            stdin.consume(left);
        }
        drop(stdin);
        WAITS_FOR_INPUT.store(false, Ordering::SeqCst);
        let _ = emptied.send(());
    });
    let in_time = is_emptied.recv_timeout(LOCK_PATIENCE).is_ok();
    // Where the thread has begun by now, it waits for nothing.
    in_time || (decided.swap(true, Ordering::SeqCst) && is_emptied.recv().is_ok())
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
    if requested && let Some(callbacks) = CALLBACKS.get() {
        (callbacks.reacted)();
    }
    requested
}

/// What a process needs that runs a function of a cell; null where none may be started.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_launch_context() -> *const c_char {
    CALLBACKS.get().map_or(std::ptr::null(), |callbacks| (callbacks.launch_context)())
}

fn report_panic(info: &PanicHookInfo, callbacks: Callbacks) {
    let message = info.payload_as_str().unwrap_or("(a value that is not a text)");
    let (file, line) = info.location().map_or(("", 0), |place| (place.file(), place.line()));
    (callbacks.panicked)(message.as_ptr(), message.len(), file.as_ptr(), file.len(), line);
}
