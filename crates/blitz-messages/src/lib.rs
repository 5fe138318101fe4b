//! What a learner is told, in the learner's language.
//!
//! The texts are English and stand in the code. Where one of them is shown to a person, it is passed
//! through [`Messages::translated`], which recognises the message that it was made of and fills in the
//! translation: `` `f(2)` gave 3, expected 4 `` was made of `` `{source}` {told} ``, and `{told}` of
//! `gave {0}, expected {1}`. A program that prints an error for itself, or matches its text, sees
//! English in every language. The translations are gettext catalogues in `po/LANGUAGE/messages`, read
//! when the first text is shown in a language that has them; without them everything is English.

mod catalogue;
mod choice;
mod fill;
mod recognition;
mod template;

pub use catalogue::{Catalogue, Entry};
pub use choice::{Choice, Wishes};
pub use template::Template;

use std::path::PathBuf;
use std::sync::OnceLock;

/// The messages in one language, read when the first is needed.
#[derive(Debug, Default)]
pub struct Messages {
    dir: Option<PathBuf>,
    catalogue: OnceLock<Catalogue>,
}

impl Messages {
    /// The messages whose catalogues lie in `dir`; English without one.
    pub fn new(dir: Option<PathBuf>) -> Messages {
        Messages { dir, catalogue: OnceLock::new() }
    }

    /// Where the catalogues lie; `None` for English.
    pub fn dir(&self) -> Option<&PathBuf> {
        self.dir.as_ref()
    }

    /// `text` in this language, as far as it is made of messages that are translated; else as it is.
    pub fn translated(&self, text: &str) -> String {
        let Some(dir) = &self.dir else { return text.to_owned() };
        self.catalogue.get_or_init(|| Catalogue::read(dir)).translated(text)
    }
}
