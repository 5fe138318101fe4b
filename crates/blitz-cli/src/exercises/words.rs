//! The words that stand in every learner's notebook, in the notebook's language.

use blitz_messages::Messages;

/// What a learner is to write where the teacher asks for nothing else.
const WRITE_THIS: &str = "write this";
/// What nbgrader puts in the place of an answer in prose.
const YOUR_ANSWER: &str = "YOUR ANSWER HERE";

/// The words in one language.
#[derive(Debug, Default)]
pub struct Words(Messages);

impl Words {
    /// Those of a language with these messages.
    pub fn new(messages: Messages) -> Words {
        Words(messages)
    }

    /// The title of a folded solution.
    pub fn solution(&self) -> String {
        self.0.translated("Solution")
    }

    /// What takes a solution's place where nothing else is said.
    pub fn stub(&self) -> String {
        format!("todo!({:?})", self.0.translated(WRITE_THIS))
    }

    /// What takes the place of an answer in prose.
    pub fn text_stub(&self) -> String {
        self.0.translated(YOUR_ANSWER)
    }
}
