//! A cell to execute, as the session sees it.

use crate::cells::input::Ask;
use jupyter_protocol::{ErrorOutput, Header};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A cell to execute, and who wants to know what came of it.
pub struct Execution {
    /// The cell.
    pub code: String,
    /// What the client calls the cell in its notebook, where it says so.
    pub cell_id: Option<String>,
    /// Nothing of it is shown, nor counted.
    pub silent: bool,
    /// It is counted, and kept in the history.
    pub stored: bool,
    /// When it fails, what waits behind it is aborted.
    pub stop_on_error: bool,
    /// Expressions whose values the client wants to know beside the cell's own output.
    pub expressions: Map<String, Value>,
    /// The request's header: the parent of all that the cell publishes.
    pub parent: Header,
    /// The client that asked.
    pub client: Arc<dyn Client>,
}

/// What came of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Executed<'a> {
    /// The number of the cell.
    pub execution_count: usize,
    /// Why it failed.
    pub error: Option<&'a ErrorOutput>,
    /// Its result as text, if it had one.
    pub output: Option<&'a str>,
    /// What the expressions came to.
    pub expressions: &'a Map<String, Value>,
}

/// The client that asked for a cell, and by which its person can be asked.
pub trait Client: Ask {
    /// The cell is done.
    fn executed(&self, executed: Executed);

    /// The cell was not executed, because one before it failed.
    fn aborted(&self, execution_count: usize);
}
