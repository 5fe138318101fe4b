//! The process that loads and runs cells.
//!
//! evcxr starts it and talks to it in lines: `LOAD_AND_RUN LIBRARY FUNCTION` on what was its standard
//! input. It gives its standard streams to the kernel ([`crate::cells::channels`]), and does what
//! evcxr's own runtime does, so that text without a line break is flushed, a crash loses no output,
//! and a library that cannot be loaded is an error and not the end.

use crate::cells::channels::{self, Control};
use crate::cells::frames;
use crate::cells::grad_mode::GradMode;
use crate::cells::launch_context;
use crate::cells::libtorch;
use crate::cells::stdin::{self, Stdin};
use anyhow::{Context, Result, bail};
use backtrace::Backtrace;
use blitz_contract::{Layout, symbols};
use blitz_toolchain::end_with_parent;
use blitz_toolchain::notebook::Step;
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW, Symbol};
use serde_json::{Value, json};
use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Set to `full` for the process by a person who wants backtraces; evcxr overwrites
/// `RUST_BACKTRACE`.
pub const BACKTRACE_VAR: &str = "BLITZ_BACKTRACE";

/// The name of a cell's generated source in its own messages.
pub const CELL_SOURCE: &str = "src/lib.rs";

/// Signals by which a process ends without flushing what it wrote.
const CRASHES: [c_int; 5] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT];

/// Runs cells until evcxr closes its end.
///
/// # Errors
/// The process cannot be prepared; then no cell can run.
pub fn run(layout: &Layout) -> Result<()> {
    // The kernel may be killed, and a cell that prints nothing would not notice.
    end_with_parent();
    leave_no_core_file();
    let ends = channels::hand_over().context("cannot reach the kernel")?;
    let full_backtrace = is_full_backtrace();
    // SAFETY: this process has one thread so far.
    unsafe { std::env::set_var("RUST_BACKTRACE", if full_backtrace { "full" } else { "0" }) };
    libtorch::preload(&layout.libtorch_lib());
    let runtime = Runtime::load(layout)?;
    launch_context::add(layout.root());
    let control = CONTROL.get_or_init(|| Mutex::new(ends.control));
    runtime.start(Callbacks {
        panicked: on_panic,
        reacted: on_reaction,
        launch_context: launch_context::text,
    });
    let stdin = stdin::serve(ends.answers, tell, *runtime.flush);
    serve(&runtime, ends.commands, control, stdin)
}

/// A cell that crashes would leave gigabytes beside the notebook, for nobody: what libtorch holds.
fn leave_no_core_file() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls read and write no more than the struct. Where they fail, such a file is all
    // that comes of it.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) == 0 {
            limit.rlim_cur = 0;
            libc::setrlimit(libc::RLIMIT_CORE, &raw const limit);
        }
    }
}

/// Loads and calls one cell after the other.
fn serve(runtime: &Runtime, commands: File, control: &Mutex<Control>, stdin: &Stdin) -> Result<()> {
    let send = |message| control.lock().unwrap_or_else(PoisonError::into_inner).send(&message);
    let mut variables: *mut c_void = std::ptr::null_mut();
    let mut last_step = 0;
    let grad_mode = GradMode::find();
    for line in BufReader::new(commands).lines() {
        let line = line.context("cannot read what to run")?;
        let Some((library, function)) =
            line.strip_prefix("LOAD_AND_RUN ").and_then(|rest| rest.rsplit_once(' '))
        else {
            bail!("expected LOAD_AND_RUN, got `{line}`");
        };
        if let Some(step) = Step::read(Path::new(library)) {
            // evcxr sends a step again whose variables it has taken for lost.
            if step.number > last_step {
                last_step = step.number;
                take(&step, &send)?;
            }
            send(json!({"event": "complete"}))?;
            continue;
        }
        (runtime.forget_interrupt)();
        (runtime.cell_begins)();
        stdin.begin_cell(|| (runtime.forget_input)());
        send(json!({"event": "start", "process": std::process::id()}))?;
        let was_recording = grad_mode.as_ref().map(GradMode::is_enabled);
        PANICKED.store(false, Ordering::Relaxed);
        // SAFETY: evcxr compiled the library for this very call: the function takes the variables
        // that the previous cell left and returns those for the next.
        match unsafe { load_and_call(library, function, variables) } {
            Ok(left) => variables = left,
            Err(error) => {
                let message = format!("{error:#}");
                send(json!({"event": "not loaded", "message": message}))?;
            }
        }
        if PANICKED.load(Ordering::Relaxed)
            && let (Some(mode), Some(was_recording)) = (&grad_mode, was_recording)
        {
            mode.set_enabled(was_recording);
        }
        stdin.end_cell();
        (runtime.cell_ended)();
        send(json!({"event": "complete"}))?;
    }
    Ok(())
}

/// Does what stands in the place of a cell.
fn take(step: &Step, send: &impl Fn(Value) -> std::io::Result<()>) -> Result<()> {
    if let Some(library) = &step.load {
        // SAFETY: statics have constant initialisers. Globally and for good: cells refer to them.
        match unsafe { Library::open(Some(library), RTLD_NOW | RTLD_GLOBAL) } {
            Ok(opened) => {
                std::mem::forget(opened);
                launch_context::add(library);
            }
            Err(error) => send(json!({"event": "not loaded", "message": error.to_string()}))?,
        }
    }
    for name in &step.lost {
        send(json!({"event": "lost", "name": name}))?;
    }
    Ok(())
}

type Cell = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

unsafe fn load_and_call(
    library: &str,
    function: &str,
    variables: *mut c_void,
) -> Result<*mut c_void> {
    // SAFETY: loading runs the initialisers of a library that was compiled for it.
    let library = unsafe { libloading::Library::new(library) }?;
    // SAFETY: the caller's promise about the function's type.
    let cell = unsafe { library.get::<Cell>(function.as_bytes()) }.map(|symbol| *symbol)?;
    // Variables point into the library's code, so it is never unloaded.
    std::mem::forget(library);
    // SAFETY: as above.
    Ok(unsafe { cell(variables) })
}

/// The library that shares the standard library with the cells (`crates/blitz-cells`).
pub struct Runtime {
    start: Symbol<extern "C" fn(Callbacks)>,
    flush: Symbol<extern "C" fn()>,
    request_interrupt: Symbol<extern "C" fn()>,
    forget_interrupt: Symbol<extern "C" fn()>,
    forget_input: Symbol<extern "C" fn() -> bool>,
    cell_begins: Symbol<extern "C" fn()>,
    cell_ended: Symbol<extern "C" fn()>,
}

impl Runtime {
    /// Loads it.
    ///
    /// # Errors
    /// Set-up has not made it.
    pub fn load(layout: &Layout) -> Result<Self> {
        let path = layout.cell_runtime();
        let load = || {
            // SAFETY: the library is the project's own and its functions have these types.
            // Globally, because the helper crate looks the interrupt up by name.
            unsafe {
                let library = Library::open(Some(&path), RTLD_NOW | RTLD_GLOBAL)?;
                let runtime = Runtime {
                    start: library.get(symbols::RUNTIME_START.as_bytes())?,
                    flush: library.get(symbols::RUNTIME_FLUSH.as_bytes())?,
                    request_interrupt: library.get(symbols::REQUEST_INTERRUPT.as_bytes())?,
                    forget_interrupt: library.get(symbols::FORGET_INTERRUPT.as_bytes())?,
                    forget_input: library.get(symbols::FORGET_INPUT.as_bytes())?,
                    cell_begins: library.get(symbols::CELL_BEGINS.as_bytes())?,
                    cell_ended: library.get(symbols::CELL_ENDED.as_bytes())?,
                };
                std::mem::forget(library);
                Ok::<_, libloading::Error>(runtime)
            }
        };
        load().with_context(|| format!("cannot load {} (run `cargo blitz setup`)", path.display()))
    }

    /// Passes on what was written without a line break.
    pub fn flush(&self) {
        (self.flush)();
    }

    /// Prepares the process, in the thread that will run cells.
    pub fn start(&self, callbacks: Callbacks) {
        (self.start)(callbacks);
        FLUSH.store(*self.flush as *mut c_void, Ordering::Relaxed);
        REQUEST_INTERRUPT.store(*self.request_interrupt as *mut c_void, Ordering::Relaxed);
        install_handlers();
    }
}

/// What the library tells: `Callbacks` in `crates/blitz-cells`.
#[repr(C)]
pub struct Callbacks {
    /// A panic: its message, its source file and its line.
    pub panicked: extern "C" fn(*const u8, usize, *const u8, usize, u32),
    /// The cell noticed that it was interrupted.
    pub reacted: extern "C" fn(),
    /// What a process needs that runs a function of a cell.
    pub launch_context: extern "C" fn() -> *const c_char,
}

// The library calls these without arguments of ours.
static CONTROL: OnceLock<Mutex<Control>> = OnceLock::new();
/// Whether the running cell has panicked.
static PANICKED: AtomicBool = AtomicBool::new(false);

fn tell(message: &Value) {
    if let Some(control) = CONTROL.get() {
        // The kernel gone, this process is about to end as well.
        let _ = control.lock().unwrap_or_else(PoisonError::into_inner).send(message);
    }
}

extern "C" fn on_reaction() {
    tell(&json!({"event": "reacted"}));
}

/// Tells of a panic: its message, its place, and the way there where the place is in a library, so
/// that the kernel can name the cell's line.
extern "C" fn on_panic(
    message: *const u8,
    message_length: usize,
    file: *const u8,
    file_length: usize,
    line: u32,
) {
    PANICKED.store(true, Ordering::Relaxed);
    // SAFETY: the library passes parts of texts that live until this function returns.
    let (message, file) = unsafe {
        let message = std::slice::from_raw_parts(message, message_length);
        (message, std::slice::from_raw_parts(file, file_length))
    };
    let (message, file) = (String::from_utf8_lossy(message), String::from_utf8_lossy(file));
    let way = if is_full_backtrace() { format!("{:?}", Backtrace::new()) } else { String::new() };
    tell(&json!({
        "event": "panic", "message": message, "file": file, "line": line, "backtrace": way,
        "frames": if file == CELL_SOURCE { Vec::new() } else { frames::current() },
    }));
}

fn is_full_backtrace() -> bool {
    std::env::var_os(BACKTRACE_VAR).is_some_and(|value| value == "full")
}

// Signal handlers have no arguments of their own.
static FLUSH: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static REQUEST_INTERRUPT: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

fn call(function: &AtomicPtr<c_void>) {
    let function = function.load(Ordering::Relaxed);
    if !function.is_null() {
        // SAFETY: only functions of this type are stored.
        unsafe { std::mem::transmute::<*mut c_void, extern "C" fn()>(function)() };
    }
}

extern "C" fn on_interrupt(_: c_int) {
    call(&REQUEST_INTERRUPT);
}

/// Passes on what the cell had written, then lets the signal do its work.
extern "C" fn on_crash(signal: c_int) {
    // SAFETY: plain system calls. The alarm ends the process should the flush wait for a lock that
    // the crashed thread holds.
    unsafe {
        libc::signal(libc::SIGALRM, libc::SIG_DFL);
        libc::alarm(1);
        call(&FLUSH);
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

fn install_handlers() {
    let install = |signal: c_int, handler: extern "C" fn(c_int)| {
        // SAFETY: the handlers call nothing but atomics, flush and system calls. On the alternative
        // stack, because a stack overflow leaves no other.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    };
    install(libc::SIGINT, on_interrupt);
    CRASHES.into_iter().for_each(|signal| install(signal, on_crash));
}
