//! Asking the person for input on behalf of a cell.

use crate::jupyter::sockets::Outbox;
use crate::jupyter::wire::Request;
use crate::output::publisher::Publisher;
use crate::session::record::SharedRecord;
use jupyter_protocol::{InputRequest, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::error::TryRecvError;

/// How often a waiting cell looks for the answer and for an interrupt.
const LOOK: Duration = Duration::from_millis(20);

/// Reads lines from the person.
pub struct InputReader {
    outbox: Outbox,
    publisher: Arc<Publisher>,
    record: SharedRecord,
    replies: Mutex<UnboundedReceiver<Request>>,
}

impl InputReader {
    /// A reader that takes answers from `replies`.
    pub fn new(
        outbox: Outbox,
        publisher: Arc<Publisher>,
        record: SharedRecord,
        replies: UnboundedReceiver<Request>,
    ) -> Self {
        InputReader { outbox, publisher, record, replies: Mutex::new(replies) }
    }

    /// Asks the client that sent `request` for a line and waits for it. The line is empty where
    /// that client cannot ask anybody, and when the cell is interrupted.
    pub fn read(&self, request: &Request, prompt: &str, password: bool) -> String {
        if !request.flag("allow_stdin", true) {
            let text = "This front end cannot ask for input; the cell gets an empty line.\n";
            self.publisher.stream(Stdio::Stderr, text.to_owned());
            return String::new();
        }
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        // An answer that came too late for an earlier question is not this one's.
        while replies.try_recv().is_ok() {}
        let wish = InputRequest { prompt: prompt.to_owned(), password };
        let _ = self.outbox.stdin.send(request.reply(wish));
        loop {
            match replies.try_recv() {
                // The cell reads one line.
                Ok(reply) => return reply.text("value").replace('\n', " "),
                Err(TryRecvError::Disconnected) => return String::new(),
                Err(TryRecvError::Empty) if self.record.ignores_interrupt() => {
                    return String::new();
                }
                Err(TryRecvError::Empty) => std::thread::sleep(LOOK),
            }
        }
    }
}
