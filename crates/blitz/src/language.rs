//! What this crate prints and shows by itself, in the person's language.
//!
//! Errors are English as long as programs have them; an error that leaves a cell is translated by the
//! kernel. So are none of the values' own texts, which programs print.

use std::sync::LazyLock;

use blitz_contract::variables;
use blitz_messages::Messages;

/// The language is the process's, as its environment is: the kernel names it there.
static MESSAGES: LazyLock<Messages> =
    LazyLock::new(|| Messages::new(std::env::var_os(variables::MESSAGES).map(Into::into)));

/// `text`, a message of this crate, in the person's language.
pub(crate) fn told(text: &str) -> String {
    MESSAGES.translated(text)
}

/// Prints a line: `text` in the person's language.
pub(crate) fn say(text: &str) {
    println!("{}", told(text));
}
