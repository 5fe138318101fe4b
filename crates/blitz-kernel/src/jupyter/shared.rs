//! What the tasks that serve the sockets share.

use crate::analyst::client::Analyst;
use crate::jupyter::history::History;
use crate::jupyter::sockets::Outbox;
use crate::jupyter::stdin::InputReader;
use crate::session::Session;
use std::sync::{Arc, Mutex};

/// What the tasks share. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// Messages on their way out.
    pub outbox: Outbox,
    /// The session, of which the evaluator has its own.
    pub session: Session,
    /// Asks the person for lines.
    pub input: Arc<InputReader>,
    /// What has been executed.
    pub history: Arc<Mutex<History>>,
    /// Answers the editor's questions.
    pub analyst: Analyst,
}
