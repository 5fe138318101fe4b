//! The part of Python's pickle that files of tensors need, and nothing beyond it.
//!
//! A pickle is a program for a small stack machine, which in Python may call any function. Here
//! calls of PyTorch's few functions that put tensors together are understood, as written out in
//! [`call`]; any other call stays what it is, a name with arguments, and is never carried out.
//! Values refer to each other by their places in lists, so that no nesting, however deep, needs a
//! deep stack.
//!
//! libtorch's own reader, `torch::pickle_load` of 2.11, was tried in its place on the files of
//! tests/checkpoint/wild_files.rs. Of 72 archives and old files that PyTorch reads it read 22: no
//! `OrderedDict` of tensors as `state_dict()` makes it, no protocol but 2, no `_rebuild_tensor_v3`
//! (float8, uint16 to uint64), nothing from before 1.6, from a GPU, or of TorchScript. The numbers of
//! a big-endian file it read in the wrong order, without a word. Nor is it made for the files of
//! strangers: a stride of 10^8 for a tensor of six numbers is believed, and reading the tensor ends
//! the process (SIGSEGV); so do 200,000 lists in each other, and a million tuples. So ours stays.

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

pub(super) use machine::parse;
pub(super) use write::{Written, write};

#[cfg(test)]
mod tests;
