//! The kernel's side of a cell that reads: one question to the person at a time.

use crate::cells::event::{Event, Listener};
use crate::cells::input::{Abandoned, Answer, NoInput, Wish};
use crate::output::publisher::Publisher;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

/// Asks for what the cell of one process reads.
pub struct Questions {
    publisher: Arc<Publisher>,
    listener: Arc<dyn Listener>,
    /// A cell runs.
    is_open: bool,
    /// The person has been told that the cell cannot ask.
    is_told: bool,
    /// What `evcxr_input` is about to read.
    announced: Option<Wish>,
    /// The question that waits for its answer, or was the last that did.
    asked: Arc<Abandoned>,
}

impl Questions {
    /// No cell runs.
    pub fn new(publisher: Arc<Publisher>, listener: Arc<dyn Listener>) -> Self {
        let asked = Arc::default();
        Questions { publisher, listener, is_open: false, is_told: false, announced: None, asked }
    }

    /// A cell begins to run.
    pub fn open(&mut self) {
        (self.is_open, self.is_told, self.announced) = (true, false, None);
    }

    /// The cell has run, or its process has ended: nobody waits for an answer.
    pub fn close(&mut self) {
        self.is_open = false;
        self.asked.set();
    }

    /// `evcxr_input` is about to read this.
    pub fn announce(&mut self, wish: Wish) {
        self.announced = Some(wish);
    }

    /// Answers whether the cell may ask.
    ///
    /// # Errors
    /// The process has ended.
    pub fn may_ask(&mut self, answers: &File) -> io::Result<()> {
        let refusal = self.refusal();
        send(answers, &refusal.map_or(Answer::MayAsk, Answer::None))
    }

    /// Asks the person, in a thread of its own: the output of the cell's other threads goes on, and
    /// its process may end. Where nothing was announced, `prompt` takes what the cell has printed as
    /// its question; a person who can be asked sees that in the question and nowhere else.
    ///
    /// # Errors
    /// The process has ended, or the system has no thread left.
    pub fn ask(&mut self, answers: &File, prompt: impl FnOnce() -> String) -> io::Result<()> {
        let announced = self.announced.take();
        if let Some(reason) = self.refusal() {
            return send(answers, &Answer::None(reason));
        }
        let Some(asker) = self.listener.asker() else {
            return send(answers, &Answer::None(NoInput::NoCell));
        };
        let wish = announced.unwrap_or_else(|| Wish { prompt: prompt(), is_password: false });
        self.asked = Arc::default();
        let (answers, asked) = (answers.try_clone()?, Arc::clone(&self.asked));
        let listener = Arc::clone(&self.listener);
        let thread = std::thread::Builder::new().name("question".to_owned());
        thread.spawn(move || {
            let answer = asker.ask(&wish, &asked);
            if answer == Answer::None(NoInput::Interrupted) {
                listener.happened(Event::InputInterrupted);
            }
            // The process may have ended meanwhile.
            let _ = send(&answers, &answer);
        })?;
        Ok(())
    }

    /// Why the cell cannot ask, if so. The person is told once that the front end cannot, since the
    /// cell may pass over the error.
    fn refusal(&mut self) -> Option<NoInput> {
        let asker = self.listener.asker().filter(|_| self.is_open);
        let Some(asker) = asker else { return Some(NoInput::NoCell) };
        let refusal = asker.refusal();
        match refusal {
            Some(NoInput::Refused) if !std::mem::replace(&mut self.is_told, true) => {
                let text =
                    "The cell wants to read a line, but this front end cannot ask for input.\n";
                self.publisher.note(text);
            }
            Some(NoInput::Interrupted) => self.listener.happened(Event::InputInterrupted),
            _ => {}
        }
        refusal
    }
}

fn send(mut answers: &File, answer: &Answer) -> io::Result<()> {
    let line = serde_json::to_string(answer).map_err(io::Error::other)?;
    answers.write_all(format!("{line}\n").as_bytes())
}
