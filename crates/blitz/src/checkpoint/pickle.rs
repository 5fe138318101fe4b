//! The part of Python's pickle that files of tensors need, and nothing beyond it.
//!
//! A pickle is a program for a small stack machine, which in Python may call any function. Here
//! calls of PyTorch's few functions that put tensors together are understood, as written out in
//! [`call`]; any other call stays what it is, a name with arguments, and is never carried out.
//! Values refer to each other by their places in lists, so that no nesting, however deep, needs a
//! deep stack.

mod call;
mod dictionaries;
mod input;
mod machine;
mod module;
mod number;
mod opcode;
mod remedy;
mod value;
mod write;

pub(super) use machine::{Parsed, parse};
pub(super) use write::{Written, write};

#[cfg(test)]
mod tests;
