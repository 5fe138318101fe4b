//! What the kernel knows about the cell that runs, and interrupting it.

use crate::cells::frames::Frame;
use crate::cells::markers::UserError;
use crate::{syntax, toolchain};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shared by the thread that evaluates, the thread that reads output and the task that interrupts.
pub type SharedRecord = Arc<CellRecord>;

/// A second interrupt that comes sooner is taken for an impatient first one.
const SECOND_INTERRUPT: Duration = Duration::from_secs(1);

/// A panic, as the process that runs cells tells of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panic {
    /// The panic's message.
    pub message: String,
    /// The source file it happened in.
    pub file: String,
    /// The line of that file.
    pub line: usize,
    /// The cells on the way there, where the place is in a library.
    pub frames: Vec<Frame>,
    /// The whole way as text, for people who want it.
    pub backtrace: String,
}

impl Panic {
    /// From the control message.
    pub fn from_message(message: &Value) -> Self {
        let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
        let line = message["line"].as_u64().and_then(|line| line.try_into().ok()).unwrap_or(0);
        let frames = serde_json::from_value(message["frames"].clone()).unwrap_or_default();
        let (file, backtrace) = (text("file"), text("backtrace"));
        Panic { message: text("message"), file, line, frames, backtrace }
    }
}

/// What happened while a cell ran.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// All panics, also those that the cell caught itself.
    pub panics: Vec<Panic>,
    /// A panic ended the cell.
    pub panicked: bool,
    /// The error that left the cell through `?`.
    pub user_error: Option<UserError>,
    /// An error left the cell through `?`.
    pub erred: bool,
    /// Why the cell's library could not be loaded.
    pub not_loaded: Option<String>,
    /// The process that ran the cell has ended.
    pub died: bool,
    /// The cell was interrupted.
    pub interrupted: bool,
    /// The cell noticed that it was interrupted.
    pub reacted: bool,
    /// The second interrupt ended the process.
    pub killed: bool,
    /// The cell's code has begun to run.
    pub started: bool,
}

/// The record of the current cell.
pub struct CellRecord {
    inner: Mutex<Inner>,
    /// Where the cell is compiled.
    build_dir: PathBuf,
}

#[derive(Default)]
struct Inner {
    active: bool,
    ends_with_expression: bool,
    outcome: Outcome,
    interrupted_at: Option<Instant>,
    process: Option<libc::pid_t>,
    /// Cells that wait, and how many of them an interrupt has met.
    queued: usize,
    queued_interrupted: usize,
    /// When the cell began or ended to be compiled, or to run.
    changed_at: Option<Instant>,
}

/// What an interrupt did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// Nothing runs.
    Nothing,
    /// The cell is compiling: that is cancelled.
    Compilation,
    /// The running cell was asked to stop.
    Asked,
    /// The process was ended.
    Ended,
}

impl CellRecord {
    /// A record for a kernel that compiles in `build_dir`.
    pub fn new(build_dir: &Path) -> SharedRecord {
        Arc::new(CellRecord { inner: Mutex::default(), build_dir: build_dir.to_owned() })
    }

    /// The cell `code` is about to be compiled and run.
    pub fn begin(&self, code: &str) {
        toolchain::allow(&self.build_dir);
        toolchain::note_commands(&self.build_dir, code);
        let ends_with_expression = syntax::ends_with_expression(code);
        let mut inner = self.lock();
        *inner = Inner {
            active: true,
            ends_with_expression,
            process: inner.process,
            queued: inner.queued,
            queued_interrupted: inner.queued_interrupted,
            changed_at: Some(Instant::now()),
            ..Inner::default()
        };
    }

    /// The cell is done; what happened?
    pub fn end(&self) -> Outcome {
        toolchain::allow(&self.build_dir);
        let mut inner = self.lock();
        inner.active = false;
        inner.changed_at = Some(Instant::now());
        std::mem::take(&mut inner.outcome)
    }

    /// Interrupts the cell.
    pub fn interrupt(&self) -> Interrupted {
        let mut inner = self.lock();
        if !inner.active {
            // evcxr is starting: the cells that wait for it shall not run.
            inner.queued_interrupted = inner.queued;
            return Interrupted::Nothing;
        }
        inner.outcome.interrupted = true;
        let first = inner.interrupted_at.is_none();
        let at = *inner.interrupted_at.get_or_insert_with(Instant::now);
        if !inner.outcome.started {
            // A full disk leaves the compilation to its end; the cell is then interrupted as it starts.
            let _ = toolchain::cancel(&self.build_dir);
            return Interrupted::Compilation;
        }
        if first {
            inner.signal(libc::SIGINT);
            return Interrupted::Asked;
        }
        if at.elapsed() < SECOND_INTERRUPT || inner.outcome.reacted {
            return Interrupted::Asked;
        }
        inner.outcome.killed = true;
        inner.signal(libc::SIGKILL);
        Interrupted::Ended
    }

    /// evcxr is ready for cells.
    pub fn ready(&self) {
        self.lock().changed_at = Some(Instant::now());
    }

    /// Whether nothing has been compiled for `time`: no cell came, or one has been running.
    pub fn is_quiet_for(&self, time: Duration) -> bool {
        let inner = self.lock();
        let compiles = inner.active && !inner.outcome.started;
        !compiles && inner.changed_at.is_some_and(|changed| changed.elapsed() >= time)
    }

    /// Whether a cell is being compiled or run.
    pub fn is_active(&self) -> bool {
        self.lock().active
    }

    /// A cell begins to wait.
    pub fn queue(&self) {
        self.lock().queued += 1;
    }

    /// A cell waits no longer. Returns whether an interrupt has met it while it did.
    pub fn unqueue(&self) -> bool {
        let mut inner = self.lock();
        inner.queued = inner.queued.saturating_sub(1);
        let interrupted = inner.queued_interrupted > 0;
        inner.queued_interrupted = inner.queued_interrupted.saturating_sub(1);
        interrupted
    }

    /// Whether a cell runs that was interrupted and has not noticed it.
    pub fn ignores_interrupt(&self) -> bool {
        let inner = self.lock();
        inner.active && inner.outcome.interrupted && !inner.outcome.reacted
    }

    /// The cell begins to run in `process`.
    pub fn started(&self, process: i64) {
        let mut inner = self.lock();
        inner.process = process.try_into().ok();
        inner.outcome.started = true;
        inner.changed_at = Some(Instant::now());
        if inner.interrupted_at.is_some() {
            // The interrupt came too late to cancel the compilation.
            inner.signal(libc::SIGINT);
        }
    }

    /// The cell noticed the interrupt.
    pub fn reacted(&self) {
        self.lock().outcome.reacted = true;
    }

    /// A panic, which the cell may still catch.
    pub fn panic(&self, panic: Panic) {
        self.lock().outcome.panics.push(panic);
    }

    /// A panic ended the cell.
    pub fn panicked(&self) {
        self.lock().outcome.panicked = true;
    }

    /// An error is about to leave the cell.
    pub fn user_error(&self, error: UserError) {
        self.lock().outcome.user_error = Some(error);
    }

    /// An error left the cell.
    pub fn erred(&self) {
        self.lock().outcome.erred = true;
    }

    /// The cell's library could not be loaded.
    pub fn not_loaded(&self, message: &str) {
        self.lock().outcome.not_loaded = Some(message.to_owned());
    }

    /// Whether evcxr must not count on the cell's variables, without a mark of its own that says so.
    pub fn drops_new_variables(&self) -> bool {
        self.lock().outcome.not_loaded.is_some()
    }

    /// The process has ended.
    pub fn died(&self) {
        let mut inner = self.lock();
        inner.outcome.died = true;
        inner.process = None;
    }

    /// Whether the cell's last statement is an expression, whose value is the cell's result.
    pub fn ends_with_expression(&self) -> bool {
        self.lock().ends_with_expression
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn signal(&self, signal: libc::c_int) {
        if let Some(process) = self.process {
            // SAFETY: a plain system call. The process is a child of this one that has not been
            // waited for, so the number is its own.
            unsafe { libc::kill(process, signal) };
        }
    }
}
