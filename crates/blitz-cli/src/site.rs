//! The site: the executed notebooks and what belongs to them, in all languages, made by Sphinx.
//!
//! The pages of a language lie in a folder of their own (`site/`, `site/zh/`) under the same names, and
//! their sections have the same addresses, those of the English headings. Sphinx's settings, templates
//! and the small stylesheet are in `templates/site`, the texts that are no notebooks in `docs`.

mod anchors;
mod api;
mod book;
mod build;
mod document;
mod downloads;
mod edition;
mod output;
mod source;
mod sphinx;
mod words;

pub use book::Book;
pub use build::build;
pub use source::{EXECUTED, Source};
