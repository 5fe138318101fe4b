//! A notebook's session: what its cells have defined, which one runs, and where they are built.

pub mod bindings;
pub mod build_dir;
pub mod commands;
pub mod definitions;
pub mod dependencies;
pub mod evaluator;
pub mod execution;
pub mod lines;
pub mod persistence;
pub mod record;
pub mod sent;

use crate::output::publisher::Publisher;
use definitions::Definitions;
use record::CellRecord;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// What the evaluator shares with the tasks that answer other requests.
#[derive(Clone)]
pub struct Session {
    /// What the running cell publishes.
    pub publisher: Arc<Publisher>,
    /// What is known about the running cell.
    pub record: Arc<CellRecord>,
    /// What the cells have defined.
    pub definitions: Arc<Mutex<Definitions>>,
    /// Whether the types of all variables are known that ever will be: rustc says them a moment after
    /// the cell.
    pub types_are_known: watch::Sender<bool>,
}
