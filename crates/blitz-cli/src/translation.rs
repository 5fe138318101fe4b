//! The pages in other languages: one source, and a gettext catalogue for each page and language.
//!
//! A message is a paragraph, a heading, an item of a list or a cell of a table in Markdown, and a
//! comment in code; in exercises also what a check asks and hints say.

pub mod anchors;
pub mod catalogue;
pub mod code;
pub mod glossary;
pub mod language;
pub mod markdown;
pub mod messages;
pub mod originals;
pub mod page;
pub mod rules;
pub mod source;
pub mod translator;
