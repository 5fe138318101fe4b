//! What a cell's run came to.

use crate::cells::event::Panic;
use crate::output::markers::UserError;

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
    /// The cell was interrupted.
    pub interrupted: bool,
    /// The cell noticed that it was interrupted.
    pub reacted: bool,
    /// It waited for input when it was interrupted, and was told.
    pub input_interrupted: bool,
    /// The second interrupt ended the process.
    pub killed: bool,
    /// The cell's code has begun to run.
    pub started: bool,
}
