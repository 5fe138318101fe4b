//! What tch lacks of `torch.autograd`.
