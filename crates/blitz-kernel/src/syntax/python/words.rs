//! Words of Python that Rust does not have.

/// Words of Python for which Rust has the same.
pub struct Word {
    /// The words.
    pub words: &'static [&'static str],
    /// Where one of them must stand.
    pub places: &'static [Place],
    /// What is written in Rust.
    pub help: &'static str,
}

/// Where a word must stand to be Python's: Rust has them as names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// First in its line, before another word.
    Statement,
    /// Before another word.
    BeforeWord,
    /// Between two values.
    Between,
    /// Before the `:` at the end of the line.
    BeforeColon,
    /// Before a bracket, as a function.
    Called,
}

/// The words.
pub const WORDS: [Word; 15] = [
    Word {
        words: &["def"],
        places: &[Place::Statement],
        help: "write `fn f(x: &Tensor) -> Tensor { … }`",
    },
    Word {
        words: &["class"],
        places: &[Place::Statement],
        help: "write `struct Net { … }` for what it holds, and `impl Net { … }` for its functions",
    },
    Word {
        words: &["import", "from"],
        places: &[Place::Statement],
        help: "write `use blitz::prelude::*;` for PyTorch, and `:dep NAME = \"VERSION\"` for another crate",
    },
    Word {
        words: &["with"], places: &[Place::Statement], help: "write `tch::no_grad(|| { … })`"
    },
    Word { words: &["del"], places: &[Place::Statement], help: "write `drop(x);`" },
    Word {
        words: &["raise"],
        places: &[Place::Statement],
        help: "write `return Err(\"…\".into());`",
    },
    Word { words: &["assert"], places: &[Place::Statement], help: "write `assert!(…);`" },
    Word { words: &["elif"], places: &[Place::Statement], help: "write `else if … { … }`" },
    Word {
        words: &["except"],
        places: &[Place::Statement, Place::BeforeColon],
        help: "write `match f() { Ok(x) => …, Err(error) => … }`",
    },
    Word {
        words: &["type"],
        places: &[Place::Called],
        help: "write `std::any::type_name_of_val(&x)`",
    },
    Word { words: &["lambda"], places: &[Place::BeforeWord], help: "write `|x| x + 1`" },
    Word { words: &["not"], places: &[Place::BeforeWord], help: "write `!`" },
    Word { words: &["and"], places: &[Place::Between], help: "write `&&`" },
    Word { words: &["or"], places: &[Place::Between], help: "write `||`" },
    Word {
        words: &["is"],
        places: &[Place::Between],
        help: "write `==`, or `x.is_none()` for `x is None`",
    },
];
