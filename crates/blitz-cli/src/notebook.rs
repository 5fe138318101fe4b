//! Notebooks, each read once and passed on: found, executed, judged, exported.

pub mod data;
pub mod execute;
pub mod export;
pub mod find;
pub mod headings;
pub mod made;
pub mod nbformat;
pub mod quote;
pub mod site;

mod formulas;
mod judge;
