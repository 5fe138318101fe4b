//! Training a net, and measuring what it has learned.
//!
//! | Module | What it does |
//! | --- | --- |
//! | [`step`] | one training step, plain or as a CUDA graph |
//! | [`fit`](mod@fit) | the training loop |
//! | [`metrics`] | accuracy, the confusion matrix, the surest mistakes |
//! | [`speed`] | steps per second, CPU beside GPU, by the net's width |

pub mod fit;
pub mod metrics;
pub mod speed;
pub mod step;
