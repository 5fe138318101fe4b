//! The words that stand in every program, in the notebook's language.

use blitz_messages::Messages;

/// Above the attributes.
const SHOWS_MORE: &str = "A page shows more than it goes on with.";
/// At the beginning of `main`.
const PICTURES: &str = "Pictures become files; `launch` may start this program again.";
/// Above a cell that is an error when it runs.
const FAILS: &str = "The page lets this fail; the program goes on.";
/// Above a cell that is an error when it is compiled.
const DOES_NOT_COMPILE: &str = "The page shows what the compiler says of this:";
/// Behind the command that runs the program.
const ELSEWHERE: &str = "It lies in crates/blitz/examples there. Anywhere else it needs a Cargo.toml \
    with the crates `blitz` and `tch`, as `cargo blitz programs --to DIR` writes one.";

/// The words in one language.
#[derive(Debug, Default)]
pub struct Words(Messages);

impl Words {
    /// Those of a language with these messages.
    pub fn new(messages: Messages) -> Words {
        Words(messages)
    }

    /// What a program made of the notebook `file` is.
    pub fn made(&self, file: &str) -> String {
        self.0.translated(&format!(
            "Made of the notebook {file}.ipynb of Rust Blitz by `cargo blitz programs`: its text, and its \
             cells in order. What a cell shows is printed; pictures become files in pictures/, where the \
             program runs. After `cargo blitz setup`, which also gets libtorch, run it in the clone:"
        ))
    }

    /// What it needs where it is not in the clone.
    pub fn elsewhere(&self) -> String {
        self.0.translated(ELSEWHERE)
    }

    /// Why it allows what is not used.
    pub fn shows_more(&self) -> String {
        self.0.translated(SHOWS_MORE)
    }

    /// What `main` begins with.
    pub fn pictures(&self) -> String {
        self.0.translated(PICTURES)
    }

    /// What a cell's failing means.
    pub fn fails(&self) -> String {
        self.0.translated(FAILS)
    }

    /// What a cell that does not compile is there for.
    pub fn does_not_compile(&self) -> String {
        self.0.translated(DOES_NOT_COMPILE)
    }
}
