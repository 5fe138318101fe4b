//! The standard input of the process that runs cells, served by the kernel on demand.
//!
//! Jupyter asks a person for one line at a time, and only where somebody wants to read it. So the
//! kernel must learn *when* a cell reads. A pipe does not tell: its writer cannot see a waiting
//! reader. `/proc` tells by polling, and not every system lets it; a seccomp filter tells, but not in
//! every container, and takes `sudo` from the cells. But the standard library reads by calling libc's
//! `read`, which it looks up by name when it is loaded, in this program first. So this program defines
//! `read` ([`crate::cells::interpose`]): for descriptor 0 it asks the kernel, for all others it does
//! what libc's does. That is ELF's documented way to stand in for a function, the one by which
//! allocators are exchanged; it needs no environment variable, no tracing and no special rights.
//! (Exporting it from the cells' runtime would not do: libc comes before a library that is loaded
//! later. `LD_PRELOAD` would, but splits paths at blanks.)
//!
//! Descriptor 0 itself is `/dev/null`. Whatever reads it another way (a child process, C's `stdio`,
//! `/dev/stdin`) finds the end of the input at once, and waits for nothing.
//!
//! An error of `read` is a number, and `std::io::Error` asks libc for its text; so this program also
//! stands in for that, for three numbers of its own ([`NoInput`]).
//!
//! `evcxr_input` takes every error for an empty line. It announces its questions on the standard
//! output, though, by `println!`, which panics where it cannot write. So where nobody can be asked, it
//! is the announcement that fails ([`Stdin::refusal`]), and the cell ends.

use crate::cells::input::{Answer, NoInput};
use blitz_contract::marks;
use memchr::memmem;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// After so many failures in a cell its input has simply ended: `stdin().lines().flatten()` passes
/// over errors, and would do so for ever.
const FAILURES: usize = 1000;

/// The standard input of this process, if that runs cells.
static STDIN: OnceLock<Stdin> = OnceLock::new();

/// What serves the cells' reads.
pub struct Stdin {
    /// This process: one that a cell forks shares the pipes, but is not answered.
    process: u32,
    /// Sends a control message to the kernel.
    tell: fn(&Value),
    /// Passes on what the cell has printed: the question stands there.
    flush: extern "C" fn(),
    conversation: Mutex<Conversation>,
    /// The number of the cell that runs or ran last.
    cell: AtomicU64,
    /// A cell runs.
    is_open: AtomicBool,
    /// The cell has read something.
    was_read: AtomicBool,
    /// An announcement of `evcxr_input` failed, and is still in the buffer of the standard output.
    has_refused: AtomicBool,
}

/// One question at a time, whatever thread asks.
struct Conversation {
    answers: BufReader<File>,
    /// The cell that the rest is about.
    cell: u64,
    /// What was answered and is not read yet.
    left: Vec<u8>,
    failures: usize,
}

/// Serves the standard input of this process by `answers`, the kernel's, from now on.
pub fn serve(answers: File, tell: fn(&Value), flush: extern "C" fn()) -> &'static Stdin {
    STDIN.get_or_init(|| Stdin {
        process: std::process::id(),
        tell,
        flush,
        conversation: Mutex::new(Conversation {
            answers: BufReader::new(answers),
            cell: 0,
            left: Vec::new(),
            failures: 0,
        }),
        cell: AtomicU64::new(0),
        is_open: AtomicBool::new(false),
        was_read: AtomicBool::new(false),
        has_refused: AtomicBool::new(false),
    })
}

/// What serves the standard input, if this is the process whose cells are served.
pub fn served() -> Option<&'static Stdin> {
    STDIN.get().filter(|stdin| stdin.process == std::process::id())
}

impl Stdin {
    /// A cell begins. Before, `forget` is called where one may have left something in the standard
    /// library's buffer; it returns whether that is empty now.
    pub fn begin_cell(&self, forget: impl FnOnce() -> bool) {
        if self.was_read.load(Ordering::SeqCst) && forget() {
            self.was_read.store(false, Ordering::SeqCst);
        }
        self.cell.fetch_add(1, Ordering::SeqCst);
        self.is_open.store(true, Ordering::SeqCst);
    }

    /// The cell has ended: whoever still reads is not answered.
    pub fn end_cell(&self) {
        self.is_open.store(false, Ordering::SeqCst);
    }

    /// Reads at most `length` bytes, at least one where the input has not ended.
    ///
    /// # Errors
    /// There is no input.
    pub fn read(&self, length: usize) -> Result<Vec<u8>, NoInput> {
        if length == 0 {
            return Ok(Vec::new());
        }
        if self.is_open.load(Ordering::SeqCst) {
            // Before the lock: what is passed on may announce a question.
            (self.flush)();
        }
        let mut conversation = self.conversation.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = self.cell.load(Ordering::SeqCst);
        if conversation.cell != cell {
            (conversation.cell, conversation.failures) = (cell, 0);
            conversation.left.clear();
        }
        if conversation.left.is_empty() {
            match self.ask(&mut conversation, false) {
                Answer::Line(line) => conversation.left = line.into_bytes(),
                Answer::End | Answer::MayAsk => {}
                Answer::None(_) if conversation.failures >= FAILURES => {}
                Answer::None(reason) => {
                    conversation.failures += 1;
                    return Err(reason);
                }
            }
        }
        let length = length.min(conversation.left.len());
        Ok(conversation.left.drain(..length).collect())
    }

    /// Where this output announces a question of `evcxr_input` and nobody can be asked: why.
    pub fn refusal(&self, output: &[u8]) -> Option<NoInput> {
        memmem::find(output, marks::INPUT_REQUEST.as_bytes())?;
        let mut conversation = self.conversation.lock().unwrap_or_else(PoisonError::into_inner);
        let Answer::None(reason) = self.ask(&mut conversation, true) else { return None };
        self.has_refused.store(true, Ordering::SeqCst);
        Some(reason)
    }

    /// The output without the announcement that failed and that the standard library, which keeps
    /// what it could not write, is about to write again.
    pub fn without_refused(&self, output: &[u8]) -> Option<Vec<u8>> {
        if !self.has_refused.load(Ordering::SeqCst) {
            return None;
        }
        let start = memmem::find(output, marks::INPUT_REQUEST.as_bytes())?;
        let length =
            memchr::memchr(b'\n', &output[start..]).map_or(output.len() - start, |it| it + 1);
        self.has_refused.store(false, Ordering::SeqCst);
        Some([&output[..start], &output[start + length..]].concat())
    }

    /// Asks the kernel for a line, or only whether the cell may ask.
    fn ask(&self, conversation: &mut Conversation, only_whether: bool) -> Answer {
        if !self.is_open.load(Ordering::SeqCst) {
            return Answer::None(NoInput::NoCell);
        }
        self.was_read.store(true, Ordering::SeqCst);
        (self.tell)(&json!({"event": "reads", "only whether": only_whether}));
        let mut line = String::new();
        // The kernel gone, this process is about to end as well.
        let _ = conversation.answers.read_line(&mut line);
        serde_json::from_str(&line).unwrap_or(Answer::End)
    }
}
