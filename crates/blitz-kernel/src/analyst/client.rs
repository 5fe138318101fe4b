//! Asking the process that answers.
//!
//! A thread of its own holds the process and asks one question at a time. Whoever asks waits up to
//! [`PATIENCE`] for an answer, also while the process starts, and never holds anybody else up: cells
//! run on, and of several questions the newest is asked first, because it is the one whose answer a
//! person waits for. The older ones follow; one that nobody waits for any more is not asked.

use crate::analyst::process::{Ending, Process};
use crate::analyst::question::{Answer, Question};
use blitz_contract::Layout;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long an editor waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The process, started when it is first needed and again should it end. Cheap to clone.
#[derive(Clone)]
pub struct Analyst {
    wishes: Sender<Wish>,
    ending: Ending,
}

/// What the thread is to do.
enum Wish {
    /// Start the process, so that it has read everything when the first question comes.
    Start,
    Ask(Box<Asked>),
    End,
}

/// A question, and who waits for its answer.
struct Asked {
    question: Question,
    answer: oneshot::Sender<Answer>,
}

/// What the thread works with.
struct Desk {
    layout: Layout,
    wishes: Receiver<Wish>,
    ending: Ending,
    process: Option<Process>,
    /// Questions, the newest last.
    waiting: Vec<Asked>,
}

impl Analyst {
    /// No process yet, for the repository at `layout`.
    pub fn new(layout: Layout) -> Self {
        let (sender, wishes) = mpsc::channel();
        let ending = Ending::default();
        let (process, waiting) = (None, Vec::new());
        let desk = Desk { layout, wishes, ending: ending.clone(), process, waiting };
        let thread = std::thread::Builder::new().name("analyst".to_owned());
        // Without a thread, nobody answers.
        let _ = thread.spawn(move || desk.serve());
        Analyst { wishes: sender, ending }
    }

    /// Starts the process now, so that it has read everything when the first question comes.
    pub fn start(&self) {
        let _ = self.wishes.send(Wish::Start);
    }

    /// Ends the process, whatever it is doing, for good.
    pub fn end(&self) {
        let _ = self.wishes.send(Wish::End);
        self.ending.end();
    }

    /// Asks, and waits for an answer as long as an editor would. `None` where none came in time: the
    /// process is still starting, or it ended over the question. The next one may fare better.
    pub async fn ask(&self, question: Question) -> Option<Answer> {
        let (answer, answered) = oneshot::channel();
        self.wishes.send(Wish::Ask(Box::new(Asked { question, answer }))).ok()?;
        tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()
    }
}

impl Desk {
    /// Answers until the kernel ends.
    fn serve(mut self) {
        while self.gather() {
            if !self.is_ready() {
                // Whoever waited is told that there is no answer.
                self.waiting.clear();
                continue;
            }
            // While the process started, newer questions may have come.
            if !self.gather_more() {
                return;
            }
            let Some(asked) = self.newest() else { continue };
            let answer = self.process.as_mut().map(|process| process.ask(&asked.question));
            match answer {
                Some(Ok(answer)) => drop(asked.answer.send(answer)),
                // The others are for a new process.
                _ => self.process = None,
            }
        }
    }

    /// Waits until there is something to do. `false` where the kernel ends.
    fn gather(&mut self) -> bool {
        let is_going_on = match self.waiting.is_empty() {
            true => self.wishes.recv().is_ok_and(|wish| self.note(wish)),
            false => true,
        };
        is_going_on && self.gather_more()
    }

    /// Takes in the wishes that are there. `false` where the kernel ends.
    fn gather_more(&mut self) -> bool {
        let wishes: Vec<Wish> = self.wishes.try_iter().collect();
        wishes.into_iter().all(|wish| self.note(wish))
    }

    fn note(&mut self, wish: Wish) -> bool {
        match wish {
            Wish::Start => {}
            Wish::Ask(asked) => self.waiting.push(*asked),
            Wish::End => return false,
        }
        true
    }

    /// Whether there is a process that can answer; starts it where there is none.
    fn is_ready(&mut self) -> bool {
        if self.process.as_ref().is_some_and(|process| !process.is_running()) {
            self.process = None;
        }
        if self.process.is_none() {
            self.process = Process::start(&self.layout, &self.ending)
                .inspect_err(|error| eprintln!("blitz-kernel: {error:#}"))
                .ok();
        }
        self.process.is_some()
    }

    /// The newest question whose answer somebody still waits for.
    fn newest(&mut self) -> Option<Asked> {
        self.waiting.retain(|asked| !asked.answer.is_closed());
        self.waiting.pop()
    }
}
