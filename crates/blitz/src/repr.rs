//! Tensors as PyTorch prints them.
