//! What comes of a check that has not failed.

/// How a check has ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is as it should be.
    Passed,
    /// It could not be made here, and why.
    Skipped(String),
}
