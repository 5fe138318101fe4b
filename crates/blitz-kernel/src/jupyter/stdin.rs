//! Asking the person for input on behalf of a cell.

use crate::cells::input::{Abandoned, Answer, NoInput, Wish};
use crate::jupyter::sockets::Outbox;
use crate::jupyter::wire::Request;
use crate::session::record::SharedRecord;
use jupyter_protocol::InputRequest;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::error::TryRecvError;

/// How often a waiting cell looks for the answer and for an interrupt.
const LOOK: Duration = Duration::from_millis(10);

/// Answers that mean the end of the input. Jupyter has no message for it. ASCII's end of transmission
/// is what Jupyter's console sends for Ctrl-D and what Python's kernel takes for it; a person whose
/// front end has only a line to type into types that key's name.
const ENDS: [&str; 2] = ["\x04", "^D"];

/// Reads lines from the person.
pub struct InputReader {
    outbox: Outbox,
    record: SharedRecord,
    replies: Mutex<UnboundedReceiver<Request>>,
}

impl InputReader {
    /// A reader that takes answers from `replies`.
    pub fn new(outbox: Outbox, record: SharedRecord, replies: UnboundedReceiver<Request>) -> Self {
        InputReader { outbox, record, replies: Mutex::new(replies) }
    }

    /// Asks the client that sent `request` for a line and waits for it, for an interrupt, or until
    /// `abandoned`.
    pub fn read(&self, request: &Request, wish: &Wish, abandoned: &Abandoned) -> Answer {
        let interrupts = self.record.interrupts();
        let is_interrupted =
            || self.record.ignores_interrupt() || self.record.interrupts() != interrupts;
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        // An answer that came too late for an earlier question is not this one's.
        while replies.try_recv().is_ok() {}
        if is_interrupted() {
            return Answer::None(NoInput::Interrupted);
        }
        let asked = InputRequest { prompt: wish.prompt.clone(), password: wish.is_password };
        let _ = self.outbox.stdin.send(request.reply(asked));
        loop {
            match replies.try_recv() {
                Ok(reply) => return answer(&reply.content),
                Err(TryRecvError::Disconnected) => return Answer::End,
                Err(TryRecvError::Empty) if abandoned.is_set() => {
                    return Answer::None(NoInput::NoCell);
                }
                Err(TryRecvError::Empty) if is_interrupted() => {
                    return Answer::None(NoInput::Interrupted);
                }
                Err(TryRecvError::Empty) => std::thread::sleep(LOOK),
            }
        }
    }
}

/// What a reply comes to. A front end that cancels sends none, or one without a value.
fn answer(reply: &Value) -> Answer {
    let is_cancelled = reply["status"].as_str().is_some_and(|status| status != "ok");
    match reply["value"].as_str() {
        Some(line) if !is_cancelled && !ENDS.contains(&line) => {
            let end = if line.ends_with('\n') { "" } else { "\n" };
            Answer::Line(format!("{line}{end}"))
        }
        _ => Answer::End,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_reply_is_a_line_or_the_end() {
        let line = |text: &str| Answer::Line(text.to_owned());
        assert_eq!(answer(&json!({"value": "two words"})), line("two words\n"));
        assert_eq!(answer(&json!({"value": "", "status": "ok"})), line("\n"));
        assert_eq!(answer(&json!({"value": "one\ntwo\n"})), line("one\ntwo\n"));
        assert_eq!(answer(&json!({"value": "a \u{4}"})), line("a \u{4}\n"));
        for end in [
            json!({"value": "\u{4}"}),
            json!({"value": "^D"}),
            json!({"status": "abort"}),
            json!({"value": "half", "status": "error"}),
            json!({}),
        ] {
            assert_eq!(answer(&end), Answer::End, "{end}");
        }
    }
}
