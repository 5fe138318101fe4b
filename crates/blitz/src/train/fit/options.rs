//! How a training goes.

use super::view::Progress;
use crate::checkpoint::CheckpointOptions;
use crate::optim::schedule::Schedule;

/// How [`fit`](super::fit()) trains.
#[derive(Clone, Debug)]
pub struct FitOptions {
    /// Walks over the whole training set; 2.
    pub epochs: usize,
    /// Steps from one printed line to the next, at least 1; 2,000. A line gives the mean loss of
    /// these steps. Where an epoch does not end with such a line, another one gives the mean loss
    /// of the steps that are left, and says how many. With [`Progress::Live`], 100 or so gives a
    /// curve that moves.
    pub report_every: usize,
    /// What to see meanwhile; the tutorial's lines.
    pub progress: Progress,
    /// How the learning rate changes; not at all.
    pub schedule: Schedule,
    /// Where the state of the training is saved; nowhere.
    pub checkpoint: Option<CheckpointOptions>,
    /// How a GPU does the steps; as a CUDA graph.
    pub on_gpu: OnGpu,
    /// What the C library does with the memory that a step frees; it keeps it for the next step.
    pub freed_memory: FreedMemory,
}

/// How [`fit`](super::fit()) does its steps on a GPU. On a CPU both are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnGpu {
    /// [`Sgd`](crate::optim::Sgd)'s steps are recorded once and repeated, see
    /// [`GraphedStep`](crate::train::step::GraphedStep): for nets that do the same for every batch.
    /// A net that cannot be recorded, because it reads values, is trained one by one.
    #[default]
    Graph,
    /// Each step is done kernel by kernel: for nets whose forward pass differs from batch to batch.
    OneByOne,
}

/// What the C library does with the memory that the steps of a training free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FreedMemory {
    /// It keeps up to 64 MB for the next step: `fit` calls
    /// [`keep_freed_memory`](crate::train::step::keep_freed_memory), which holds for the whole
    /// process and from then on.
    #[default]
    Keep,
    /// What the process has set; `fit` sets nothing.
    AsSet,
}

impl Default for FitOptions {
    fn default() -> FitOptions {
        FitOptions {
            epochs: 2,
            report_every: 2_000,
            progress: Progress::Lines,
            schedule: Schedule::Constant,
            checkpoint: None,
            on_gpu: OnGpu::default(),
            freed_memory: FreedMemory::default(),
        }
    }
}
