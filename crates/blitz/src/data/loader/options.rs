//! Which batches a loader makes, and where.

use tch::Device;

use super::sampler::DistributedSampler;
use crate::data::augment::Augment;
use crate::data::transform::Normalize;

/// The order of the images within an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they lie in the data set, each epoch alike.
    Sequential,
    /// Shuffled anew each epoch, exactly as `DataLoader(dataset, shuffle=True,
    /// generator=torch.Generator().manual_seed(seed))` does.
    Shuffled {
        /// Seed of the sequence of epochs.
        seed: u64,
    },
}

/// What happens to the images left over when the batch size does not divide their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastBatch {
    /// They make a smaller last batch.
    Keep,
    /// They are left out of the epoch (`drop_last=True`).
    Drop,
}

/// How a [`DataLoader`](super::DataLoader) makes its batches.
#[derive(Clone, Debug)]
pub struct LoaderOptions {
    /// Images per batch, from 1 to all. The tutorial's 4. With a sampler, of each process.
    pub batch_size: i64,
    /// The order of the images; by default as they lie.
    pub shuffle: Order,
    /// The fate of a smaller last batch; by default it is kept.
    pub last: LastBatch,
    /// Where the batches are made; by default the CPU.
    pub device: Device,
    /// Random flips and crops; by default none.
    pub augment: Augment,
    /// Batches that a thread makes ahead while the training step runs; 0, which makes each batch
    /// when it is asked for. Order and bits are the same.
    ///
    /// At batch 4 a batch is made in 0.01 to 0.03 ms (0.07 to 0.10 ms with `augment`), a small part
    /// of a training step, and a thread beside it gave no dependable gain (2 cores of an AMD EPYC
    /// that other programs used too, 1 and 2 OpenMP threads). It may where cores are idle.
    pub prefetch: usize,
    /// Normalisation of the images; by default to \[-1, 1\].
    pub transform: Normalize,
    /// The part of the images that this process of several sees; by default all.
    pub sampler: Option<DistributedSampler>,
}

impl Default for LoaderOptions {
    fn default() -> LoaderOptions {
        LoaderOptions {
            batch_size: 4,
            shuffle: Order::Sequential,
            last: LastBatch::Keep,
            device: Device::Cpu,
            augment: Augment::default(),
            prefetch: 0,
            transform: Normalize::default(),
            sampler: None,
        }
    }
}
