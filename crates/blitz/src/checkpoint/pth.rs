//! PyTorch's files: what `torch.save` writes, and TorchScript's.
//!
//! Since version 1.6 they are zip archives with a pickle that says which tensors there are
//! (`data.pkl`), and a record of bytes for each storage (`data/0`, `data/1`, ...); [`archive`]. Before
//! that they were several pickles in a row, then the storages; [`legacy`].
//!
//! What is written here `torch.load(path, weights_only=True)` reads.

mod archive;
mod legacy;
mod write;

pub(super) use archive::Archive;
pub(super) use legacy::Legacy;
pub(super) use write::write;
