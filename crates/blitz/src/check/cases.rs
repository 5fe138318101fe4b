//! One check: an exercise's answers, one after the other.

use std::any::Any;

use super::compare::Compare;
use crate::error::caught_panic::quietly;
use crate::error::{Error, Result, first_line, torch_text};

/// How `todo!()` begins what it says.
// Not translated: the standard library's words.
const TODO: &str = "not yet implemented";
/// How [`Error::Rank`](crate::Error::Rank) tells a panic of a launched process.
// Not translated: texts are translated as a whole, later.
const PANICKED: &str = "panicked: ";
/// What `unwrap` says before the error.
// Not translated: as above.
const UNWRAPPED: &str = "called `Result::unwrap()` on an `Err` value: ";
/// Characters of an answer's source that are told.
const MOST: usize = 100;

/// The answers of one exercise, compared in turn by [`check!`](crate::check!).
pub struct Cases(());

impl Cases {
    pub(super) fn new() -> Cases {
        Cases(())
    }

    /// Compares what `got` returns with what `expected` does. `source` is the answer as it was
    /// written, `question` what to think about where it differs, or empty.
    ///
    /// # Errors
    /// They differ, or one of them panics or returns an error, as `?` does.
    #[doc(hidden)]
    pub fn case<G: Compare<E>, E>(
        &mut self,
        source: &str,
        question: &str,
        got: impl FnOnce() -> Result<G>,
        expected: impl FnOnce() -> Result<E>,
    ) -> std::result::Result<(), NotSolved> {
        let compared = quietly(|| {
            let got = got();
            match expected() {
                Ok(expected) => got.difference(&expected),
                Err(error) => Some(unchecked(&error)),
            }
        });
        judge(source, question, compared)
    }
}

/// What comes of a comparison: how the two differ, or the panic that ended it. Not generic: it is compiled
/// with this crate, not for each answer of a notebook.
fn judge(
    source: &str,
    question: &str,
    compared: std::result::Result<Option<String>, Box<dyn Any + Send>>,
) -> std::result::Result<(), NotSolved> {
    let told = match compared {
        Ok(None) => return Ok(()),
        Ok(Some(told)) => match told.split_once(PANICKED).and_then(|it| asked(it.1)) {
            Some(asked) => return Err(NotSolved(not_written(asked))),
            None => told,
        },
        Err(payload) => {
            let text = torch_text::of_panic(&*payload).unwrap_or("no reason given");
            if let Some(asked) = asked(text) {
                return Err(NotSolved(not_written(asked)));
            }
            let text = text.strip_prefix(UNWRAPPED).unwrap_or(text);
            format!("panicked: {}", torch_text::first_line(text))
        }
    };
    Err(NotSolved(reason(source, &told, question)))
}

fn unchecked(error: &Error) -> String {
    format!("cannot be checked: {}", first_line(error))
}

/// What a `todo!` that panicked with `text` asks for; `None` where it was another panic.
fn asked(text: &str) -> Option<&str> {
    text.strip_prefix(TODO)
}

/// Why an exercise is not solved: what its answer gave, and the question.
#[doc(hidden)]
pub struct NotSolved(pub(super) String);

fn not_written(asked: &str) -> String {
    match asked.trim_start_matches(": ").trim() {
        "" => "not written yet".to_owned(),
        asked => format!("not written yet: {asked}"),
    }
}

fn reason(source: &str, told: &str, question: &str) -> String {
    let mut source = source.split_whitespace().collect::<Vec<_>>().join(" ");
    if source.chars().count() > MOST {
        source = source.chars().take(MOST).collect::<String>() + "…";
    }
    let mut reason = format!("`{source}` {told}"); // A message
    if !question.is_empty() {
        reason += &format!("\n→ {question}");
    }
    reason
}
