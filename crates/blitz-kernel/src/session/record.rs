//! What the kernel knows about the cell that runs, and interrupting it.

use crate::cells::event::{Event, Listener};
use crate::cells::input::Ask;
use crate::cells::outcome::Outcome;
use crate::syntax;
use blitz_toolchain::Control;
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shared by the thread that evaluates, the thread that reads output and the task that interrupts.
pub type SharedRecord = Arc<CellRecord>;

/// A second interrupt that comes sooner is taken for an impatient first one.
const SECOND_INTERRUPT: Duration = Duration::from_secs(1);

/// The record of the current cell.
pub struct CellRecord {
    inner: Mutex<Inner>,
    /// The tools that compile the cell.
    tools: Control,
}

#[derive(Default)]
struct Inner {
    active: bool,
    ends_with_expression: bool,
    outcome: Outcome,
    /// Who asks the person for what the cell reads.
    asker: Option<Arc<dyn Ask>>,
    /// How often the kernel has been interrupted.
    interrupts: usize,
    interrupted_at: Option<Instant>,
    /// The process that runs cells. Its number could be another's as soon as evcxr has waited for it;
    /// this is never another's.
    process: Option<OwnedFd>,
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
        Arc::new(CellRecord { inner: Mutex::default(), tools: Control::new(build_dir) })
    }

    /// The cell `code` is about to be compiled and run. What it reads, `asker` asks for.
    pub fn begin(&self, code: &str, asker: Arc<dyn Ask>) {
        self.tools.begin_cell(code);
        let ends_with_expression = syntax::ends_with_expression(code);
        let mut inner = self.lock();
        *inner = Inner {
            active: true,
            ends_with_expression,
            asker: Some(asker),
            interrupts: inner.interrupts,
            process: inner.process.take(),
            queued: inner.queued,
            queued_interrupted: inner.queued_interrupted,
            changed_at: Some(Instant::now()),
            ..Inner::default()
        };
    }

    /// The cell is done; what happened?
    pub fn end(&self) -> Outcome {
        self.tools.end_cell();
        let mut inner = self.lock();
        inner.active = false;
        inner.asker = None;
        inner.changed_at = Some(Instant::now());
        std::mem::take(&mut inner.outcome)
    }

    /// Interrupts the cell.
    pub fn interrupt(&self) -> Interrupted {
        let mut inner = self.lock();
        inner.interrupts += 1;
        if !inner.active {
            // evcxr is starting: the cells that wait for it shall not run.
            inner.queued_interrupted = inner.queued;
            return Interrupted::Nothing;
        }
        inner.outcome.interrupted = true;
        let first = inner.interrupted_at.is_none();
        let at = *inner.interrupted_at.get_or_insert_with(Instant::now);
        if !inner.outcome.started {
            // Where that cannot be told, the cell is interrupted as it starts.
            let _ = self.tools.cancel();
            return Interrupted::Compilation;
        }
        if first {
            inner.signal(Signal::INT);
            return Interrupted::Asked;
        }
        if at.elapsed() < SECOND_INTERRUPT || inner.outcome.reacted {
            return Interrupted::Asked;
        }
        inner.outcome.killed = true;
        inner.signal(Signal::KILL);
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

    /// How often the kernel has been interrupted.
    pub fn interrupts(&self) -> usize {
        self.lock().interrupts
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for CellRecord {
    fn happened(&self, event: Event) {
        let mut inner = self.lock();
        match event {
            Event::Started(process) => inner.started(process),
            Event::Reacted => inner.outcome.reacted = true,
            Event::Panic(panic) => inner.outcome.panics.push(panic),
            Event::Panicked => inner.outcome.panicked = true,
            Event::UserError(error) => inner.outcome.user_error = Some(error),
            Event::InputInterrupted => inner.outcome.input_interrupted = true,
            Event::Erred => inner.outcome.erred = true,
            Event::NotLoaded(reason) => inner.outcome.not_loaded = Some(reason),
            Event::Died => inner.process = None,
        }
    }

    fn ends_with_expression(&self) -> bool {
        self.lock().ends_with_expression
    }

    fn asker(&self) -> Option<Arc<dyn Ask>> {
        self.lock().asker.clone()
    }

    fn drops_new_variables(&self) -> bool {
        self.lock().outcome.not_loaded.is_some()
    }
}

impl Inner {
    fn started(&mut self, process: Option<Pid>) {
        // The process has just said so, and evcxr learns of its end from this kernel's output
        // thread, which calls this: the number is its own now.
        self.process = process.and_then(|it| pidfd_open(it, PidfdFlags::empty()).ok());
        self.outcome.started = true;
        self.changed_at = Some(Instant::now());
        if self.interrupted_at.is_some() {
            // The interrupt came too late to cancel the compilation.
            self.signal(Signal::INT);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            // Fails only where the process has ended, which is then told by its output.
            let _ = pidfd_send_signal(process, signal);
        }
    }
}
