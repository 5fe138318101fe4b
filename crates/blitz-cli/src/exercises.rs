//! Exercise notebooks: the teacher's, with solutions, and the learner's that is made of it.
//!
//! One source serves those who learn alone and classes. Its cells are marked as nbgrader marks them,
//! and the learner's version is made by nbgrader's rules (0.9.6: `ClearSolutions`,
//! `ClearHiddenTests`, `ClearMarkScheme`, `LockCells`, `ClearOutput`), with one of our own: what a
//! solution region holds behind `// INSTEAD` takes its place.

mod learner;
mod links;
mod make;
mod regions;
mod words;

pub use learner::teachers;
pub use make::{learners, make};
pub use words::Words;
