//! Input for cells, as both sides see it: what a cell wants to read, and what it gets.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};

/// A line that a cell wants from the person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// What the person is asked.
    pub prompt: String,
    /// The answer is not to be seen.
    pub is_password: bool,
}

/// What a cell gets for its wish. It travels as a line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// A line, with its line break.
    Line(String),
    /// The end of the input.
    End,
    /// The cell may ask: the answer where it wanted to know only that.
    MayAsk,
    /// There is none, for this reason.
    None(NoInput),
}

/// Why there is no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoInput {
    /// The front end does not take questions.
    Refused,
    /// The cell was interrupted while it waited.
    Interrupted,
    /// The cell that read has ended.
    NoCell,
}

impl NoInput {
    /// All reasons.
    const ALL: [NoInput; 3] = [NoInput::Refused, NoInput::Interrupted, NoInput::NoCell];

    /// The number by which libc's `read` tells of it: above all that an operating system uses.
    pub fn errno(self) -> i32 {
        match self {
            NoInput::Refused => 9001,
            NoInput::Interrupted => 9002,
            NoInput::NoCell => 9003,
        }
    }

    /// The reason with this number.
    pub fn of_errno(errno: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.errno() == errno)
    }

    /// The reason as the text of an `io::Error`, at most 127 bytes.
    pub fn text(self) -> &'static str {
        match self {
            NoInput::Refused => "this front end cannot ask for input, so there is none to read",
            NoInput::Interrupted => "interrupted while waiting for input",
            NoInput::NoCell => "the cell that reads has ended, so nobody is asked for input",
        }
    }
}

/// Whoever can ask the person for a line.
pub trait Ask: Send + Sync {
    /// Why nobody can be asked now, if so.
    fn refusal(&self) -> Option<NoInput>;

    /// Asks and waits for the answer, for an interrupt, or until `abandoned`.
    fn ask(&self, wish: &Wish, abandoned: &Abandoned) -> Answer;
}

/// Whether nobody waits for an answer any more.
#[derive(Debug, Default)]
pub struct Abandoned(AtomicBool);

impl Abandoned {
    /// Nobody waits from now on.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether that is so.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_numbers_of_their_own_and_fit_into_stds_buffer() {
        for reason in NoInput::ALL {
            assert_eq!(NoInput::of_errno(reason.errno()), Some(reason));
            assert!(reason.text().len() < 128 && !reason.text().contains('\0'));
            assert!(reason.errno() > 4095, "the kernel's largest");
        }
        assert_eq!(NoInput::of_errno(libc::EINTR), None);
    }

    #[test]
    fn an_answer_is_one_line() {
        let answer = Answer::Line("zwei\nZeilen\u{2028}\n".to_owned());
        let text = serde_json::to_string(&answer).expect("it has a JSON form");
        assert!(!text.contains('\n'), "{text}");
        assert_eq!(serde_json::from_str::<Answer>(&text).expect("it is JSON"), answer);
    }
}
