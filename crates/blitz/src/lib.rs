//! What the Rust Blitz notebooks import: data, loaders, training, and pictures inline.
//!
//! The crate sits on [`tch`], the Rust binding of libtorch, and keeps PyTorch's names and numbers:
//! the same seed gives the same parameters, the same order of the images, and so the same losses
//! as in Python.
//!
//! | Module | What it does |
//! | --- | --- |
//! | [`device`] | chooses between the CPU and CUDA GPUs |
//! | [`cifar10`] | loads CIFAR-10, or its stand-in |
//! | [`download`] | fetches and checks the archive |
//! | [`builtin`] | draws the stand-in |
//! | [`transform`] | scales and normalises images |
//! | [`augment`] | flips and crops images at random |
//! | [`loader`] | makes shuffled batches |
//! | [`random`] | PyTorch's random generator |
//! | [`autograd`] | the graph, higher derivatives, hooks, functions with their own backward |
//! | [`graph`] | the autograd graph, drawn |
//! | [`nn`] | layers that start as PyTorch's do; a net described and summed up |
//! | [`optim`] | what changes the parameters after each backward pass |
//! | [`step`] | one training step, plain or as a CUDA graph |
//! | [`speed`] | steps per second, CPU beside GPU, by the net's width |
//! | [`fit`](mod@fit) | the training loop |
//! | [`schedule`] | learning rates that change along a training |
//! | [`metrics`] | accuracy, the confusion matrix, the surest mistakes |
//! | [`checkpoint`] | saves and loads parameters, for Python too, and running trainings |
//! | [`make_grid`](mod@make_grid) | one tensor out of many pictures |
//! | [`image_grid`] | labelled pictures, inline |
//! | [`prediction_grid`](mod@prediction_grid) | labelled pictures with what a net says, inline |
//! | [`plot`] | loss curves, inline |
//! | [`picture`] | a PNG with its text alternative |
//! | [`repr`](mod@repr) | prints tensors as PyTorch does |
//! | [`array`](mod@array) | `ndarray` arrays that share memory with tensors |
//! | [`display`] | shows values: HTML, progress bars, live plots |
//! | [`interrupt`] | stops a running cell |
//! | [`python_to_rust`] | the table of all operations, Python beside Rust |
//! | [`error`] | what can go wrong, and what to do |
//!
//! ```no_run
//! use blitz::prelude::*;
//!
//! let cifar10 = Cifar10::load(&Cifar10Options::default())?;
//! let shuffled = LoaderOptions { shuffle: Order::Shuffled { seed: 0 }, ..Default::default() };
//! let mut train_loader = DataLoader::new(&cifar10.train, shuffled)?;
//! let mut test_loader = DataLoader::new(&cifar10.test, LoaderOptions::default())?;
//!
//! tch::manual_seed(0);
//! let vs = nn::VarStore::new(Device::Cpu);
//! let net = cifar10_net(&vs.root());
//! let sgd = SgdOptions { lr: 0.001, momentum: 0.9, ..Default::default() };
//! let mut optimizer = Sgd::new(&vs, sgd)?;
//! let report = fit(&net, &mut optimizer, &mut train_loader, &FitOptions::default())?;
//! loss_plot(&[report.series("training")], LossPlotOptions::default())?.show();
//! print!("{}", evaluate(&net, &mut test_loader, &CLASSES)?);
//! # Ok::<(), blitz::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod array;
pub mod augment;
pub mod autograd;
pub mod builtin;
pub mod checkpoint;
pub mod cifar10;
mod cuda_graph;
pub mod device;
pub mod display;
pub mod download;
mod drawing;
pub mod error;
mod ffi;
pub mod fit;
mod font;
pub mod graph;
pub mod image_grid;
pub mod interrupt;
pub mod loader;
pub mod make_grid;
mod memory;
pub mod metrics;
pub mod nn;
pub mod optim;
mod panics;
pub mod picture;
pub mod plot;
pub mod prediction_grid;
#[doc = include_str!("python_to_rust.md")]
pub mod python_to_rust {}
pub mod random;
mod records;
pub mod repr;
pub mod schedule;
pub mod speed;
pub mod step;
pub mod transform;

pub use error::{Error, Result};
/// For [`array`](mod@array).
pub use ndarray;
/// For [`display::Json`].
pub use serde_json;
pub use tch;

/// The names that notebooks use, for `use blitz::prelude::*;`.
pub mod prelude {
    pub use crate::array;
    pub use crate::augment::Augment;
    pub use crate::autograd::{self, Autograd, Context, Function};
    pub use crate::checkpoint::{self, CheckpointOptions, Every, Existing};
    pub use crate::cifar10::{CLASSES, Cifar10, Cifar10Options, DataChoice, Source, Split};
    pub use crate::device;
    pub use crate::display;
    pub use crate::fit::{
        EpochReport, FitOptions, FitReport, LossPoint, OnGpu, Progress, fit, resume,
    };
    pub use crate::graph::{Graph, GraphOptions};
    pub use crate::image_grid::{ImageGridOptions, image_grid};
    pub use crate::interrupt;
    pub use crate::loader::{Batch, DataLoader, LastBatch, LoaderOptions, LoaderState, Order};
    pub use crate::make_grid::{GridOptions, Scaling, make_grid};
    pub use crate::metrics::{Evaluation, Mistake, Predictions, evaluate, predict};
    pub use crate::nn::{
        self, CifarNet, CifarNetOptions, Conv2d, Conv2dOptions, Flatten, Linear, MaxPool2d, Module,
        OptimizerConfig, ReLU, cifar10_net, cifar10_net_with, conv2d, conv2d_with,
        count_parameters, describe, linear, mse_loss, named_parameters, summary, zero_grad,
    };
    pub use crate::optim::{Sgd, SgdOptions};
    pub use crate::picture::Picture;
    pub use crate::plot::{LossPlotOptions, Series, loss_plot};
    pub use crate::prediction_grid::{
        Prediction, PredictionGrid, PredictionGridOptions, prediction_grid,
    };
    pub use crate::repr::{EvcxrDisplay, repr};
    pub use crate::schedule::Schedule;
    pub use crate::speed::{SpeedOptions, width_speed};
    pub use crate::step::{GraphedStep, RunningLoss, train_step};
    pub use crate::transform::Normalize;
    pub use tch;
    pub use tch::{Device, IndexOp, Kind, Reduction, TchError, Tensor};
}
