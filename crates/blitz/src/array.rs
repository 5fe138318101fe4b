//! `ndarray` arrays that share memory with tensors.
