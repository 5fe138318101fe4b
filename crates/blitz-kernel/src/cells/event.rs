//! What the kernel learns of a cell while it runs.

use crate::cells::frames::Frame;
use crate::cells::input::Ask;
use crate::output::markers::UserError;
use rustix::process::Pid;
use serde_json::Value;
use std::sync::Arc;

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

/// Something that happened to a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It begins to run in this process, if that has a number.
    Started(Option<Pid>),
    /// It noticed that it was interrupted.
    Reacted,
    /// A panic, which it may still catch.
    Panic(Panic),
    /// A panic ended it.
    Panicked,
    /// This error is about to leave it.
    UserError(UserError),
    /// It waited for input when it was interrupted, and was told.
    InputInterrupted,
    /// An error left it.
    Erred,
    /// Its library could not be loaded, for this reason.
    NotLoaded(String),
    /// The process has ended.
    Died,
}

/// Who is told of events, and knows what a reader of output does not.
pub trait Listener: Send + Sync {
    /// Something happened.
    fn happened(&self, event: Event);

    /// Whether the cell's last statement is an expression, whose value is the cell's result.
    fn ends_with_expression(&self) -> bool;

    /// Who can ask the person for what the cell reads. `None` where no cell runs.
    fn asker(&self) -> Option<Arc<dyn Ask>>;

    /// Whether evcxr must not count on the cell's variables, without a mark of its own that says so.
    fn drops_new_variables(&self) -> bool;
}
