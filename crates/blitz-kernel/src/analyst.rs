//! Completion and documentation, in a process of their own.
//!
//! evcxr lends its rust-analyzer to one caller at a time, and a running cell keeps it for as long
//! as it runs. A second evcxr, which never runs a cell, therefore answers what the editor asks. It
//! is told what the cells so far have defined, as source.

pub mod client;
pub mod process;
pub mod question;
pub mod service;
