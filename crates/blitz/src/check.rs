//! Exercises that check themselves: what is wrong is said in the exercise's own terms.
//!
//! An exercise notebook declares its exercises once. The cell below each of them checks the answer:
//!
//! ```
//! use blitz::prelude::*;
//! # let dir = std::env::temp_dir().join(format!("blitz-check-{}", std::process::id()));
//!
//! let exercises = Exercises::new("03_neural_networks")
//! #     .keep_in(&dir)
//!     .exercise("1", "The size after a layer", &["The padding is added on both sides."]);
//!
//! fn output_size(size: i64, kernel_size: i64, stride: i64, padding: i64) -> i64 {
//!     (size + padding - kernel_size) / stride + 1
//! }
//!
//! # let checked = (|| -> blitz::Result<()> {
//! check!(exercises, "1", {
//!     output_size(32, 5, 1, 0) => 28;
//!     output_size(32, 3, 1, 1) => 32, "is the padding counted on both sides?";
//! });
//! # Ok(())
//! # })();
//! # let told = checked.unwrap_err().to_string();
//! # assert!(told.contains("`output_size(32, 3, 1, 1)` gave 31, expected 32"), "{told}");
//! # assert!(told.contains("is the padding counted on both sides?"), "{told}");
//! # std::fs::remove_dir_all(dir)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! It fails with "exercise 1 (The size after a layer): `output_size(32, 3, 1, 1)` gave 31, expected
//! 32", the question, and how to get a hint. An answer that is still `todo!("…")` is "not written
//! yet", and one that passes prints one line. What is solved is kept beside the notebook.

mod cases;
mod close;
mod compare;
mod exercises;
mod lists;
mod progress;
mod tensors;

pub use cases::Cases;
pub use close::{Close, Limit, at_least, at_most, close};
pub use compare::Compare;
pub use exercises::Exercises;

/// Checks an exercise: `check!(exercises, ID, { ANSWER => EXPECTED, QUESTION; … })`.
///
/// Each `ANSWER` is compared with the `EXPECTED` behind it ([`Compare`](crate::check::Compare)) until
/// one differs; the `QUESTION`, which may be left out, is what to think about then. The answers of an
/// exercise may panic or return an `Err`, also by `?`: that is told as the answer.
///
/// It leaves the cell through `?` where the exercise is not solved, and is `()` where it is.
#[macro_export]
macro_rules! check {
    ($exercises:expr, $id:expr, { $($got:expr => $expected:expr $(, $question:expr)?);+ $(;)? }) => {
        $exercises.check($id, |cases| {
            $(
                #[allow(unused_mut, unused_assignments)]
                let mut question = "";
                $( question = $question; )?
                cases.case(stringify!($got), question, || {
                    ::std::result::Result::Ok($got)
                }, || ::std::result::Result::Ok($expected))?;
            )+
            Ok(())
        })?
    };
}
