//! Words of Python that Rust does not have.

/// A word of Python.
pub struct Word {
    /// The word.
    pub word: &'static str,
    /// Where it must stand.
    pub place: Place,
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
pub const WORDS: [Word; 17] = [
    Word {
        word: "def", place: Place::Statement, help: "write `fn f(x: &Tensor) -> Tensor { … }`"
    },
    Word {
        word: "class",
        place: Place::Statement,
        help: "write `struct Net { … }` for what it holds, and `impl Net { … }` for its functions",
    },
    Word {
        word: "import",
        place: Place::Statement,
        help: "write `use blitz::prelude::*;` for PyTorch, and `:dep NAME = \"VERSION\"` for another crate",
    },
    Word {
        word: "from",
        place: Place::Statement,
        help: "write `use blitz::prelude::*;` for PyTorch, and `:dep NAME = \"VERSION\"` for another crate",
    },
    Word { word: "with", place: Place::Statement, help: "write `tch::no_grad(|| { … })`" },
    Word { word: "del", place: Place::Statement, help: "write `drop(x);`" },
    Word { word: "raise", place: Place::Statement, help: "write `return Err(\"…\".into());`" },
    Word { word: "assert", place: Place::Statement, help: "write `assert!(…);`" },
    Word { word: "elif", place: Place::Statement, help: "write `else if … { … }`" },
    Word {
        word: "except",
        place: Place::Statement,
        help: "write `match f() { Ok(x) => …, Err(error) => … }`",
    },
    Word {
        word: "except",
        place: Place::BeforeColon,
        help: "write `match f() { Ok(x) => …, Err(error) => … }`",
    },
    Word { word: "type", place: Place::Called, help: "write `std::any::type_name_of_val(&x)`" },
    Word { word: "lambda", place: Place::BeforeWord, help: "write `|x| x + 1`" },
    Word { word: "not", place: Place::BeforeWord, help: "write `!`" },
    Word { word: "and", place: Place::Between, help: "write `&&`" },
    Word { word: "or", place: Place::Between, help: "write `||`" },
    Word {
        word: "is",
        place: Place::Between,
        help: "write `==`, or `x.is_none()` for `x is None`",
    },
];
