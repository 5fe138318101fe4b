//! What the Rust Blitz notebooks import: data, loaders, training, and pictures inline.
//!
//! The crate sits on [`tch`], the Rust binding of libtorch, and keeps PyTorch's names and numbers:
//! the same seed gives the same parameters, the same order of the images, and so the same losses
//! as in Python.
//!
//! | Module | What it does |
//! | --- | --- |
//! | [`tensor`] | tensors printed as PyTorch does, shared with `ndarray`, and drawn at random |
//! | [`autograd`] | the graph and its drawing, higher derivatives, hooks, functions with their own backward |
//! | [`nn`] | layers that start as PyTorch's do, losses; a net described and summed up |
//! | [`optim`] | what changes the parameters after each backward pass, and learning rates that change |
//! | [`data`] | CIFAR-10 or its stand-in, or pictures of one's own, normalised, augmented, in shuffled batches |
//! | [`train`] | one training step, the training loop, accuracy and mistakes, speed |
//! | [`check`](mod@check) | exercises that check themselves, with hints |
//! | [`checkpoint`] | saves and loads parameters, for Python too, and running trainings |
//! | [`picture`] | labelled pictures and loss curves, inline |
//! | [`display`] | shows values: HTML, progress bars; stops a running cell |
//! | [`distributed`] | trains by many processes on one machine or many, as torchrun starts them |
//! | [`device`] | chooses between the CPU and CUDA GPUs |
//! | [`program`] | what a notebook's program needs: pictures go to files |
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

pub mod autograd;
pub mod check;
pub mod checkpoint;
pub mod data;
pub mod device;
pub mod display;
pub mod distributed;
pub mod error;
mod ffi;
mod language;
pub mod nn;
pub mod optim;
pub mod picture;
pub mod program;
#[doc = include_str!("python_to_rust.md")]
pub mod python_to_rust {}
pub mod tensor;
pub mod train;

pub use error::{Error, Result};
/// For [`tensor::array`].
pub use ndarray;
/// For [`display::Json`].
pub use serde_json;
pub use tch;

/// The names that notebooks use, for `use blitz::prelude::*;`.
pub mod prelude {
    pub use crate::autograd::graph::{Graph, GraphOptions};
    pub use crate::autograd::{self, Autograd, Context, Function};
    pub use crate::check; // the module and the macro
    pub use crate::check::{Exercises, at_least, at_most, close};
    pub use crate::checkpoint::{
        self, CheckpointOptions, Every, Existing, LoadOptions, LoadReport, Mismatches,
    };
    pub use crate::data::augment::Augment;
    pub use crate::data::cifar10::{CLASSES, Cifar10, Cifar10Options, DataChoice, Source};
    pub use crate::data::drawn_folder::{DrawnFolderOptions, drawn_folder};
    pub use crate::data::image_folder::{
        AlikeNames, Broken, ImageFolder, ImageFolderOptions, Skipped, TrainTest,
    };
    pub use crate::data::loader::{
        Batch, DataLoader, DistributedSampler, LastBatch, LoaderOptions, LoaderState, Order, Tail,
    };
    pub use crate::data::photo::{Photo, PhotoOptions};
    pub use crate::data::split::Split;
    pub use crate::data::transform::{CenterCrop, Channels, Grayscale, Normalize, Resize};
    pub use crate::device;
    pub use crate::display::{self, interrupt};
    pub use crate::distributed::{
        self, DataParallel, DdpOptions, DistributedDataParallel, InitOptions, ProcessGroup,
        ReduceOp,
    };
    pub use crate::error::first_line;
    pub use crate::nn::{
        self, CifarNet, CifarNetOptions, Conv2d, Conv2dOptions, Flatten, Linear, MaxPool2d, Module,
        OptimizerConfig, ReLU, cifar10_net, cifar10_net_with, conv2d, conv2d_with,
        count_parameters, describe, diagram, linear, mse_loss, named_parameters, summary,
        zero_grad,
    };
    pub use crate::optim::schedule::Schedule;
    pub use crate::optim::{Sgd, SgdOptions};
    pub use crate::picture::Picture;
    pub use crate::picture::class_bars::{
        ClassBars, ClassBarsOptions, ClassProbability, class_bars,
    };
    pub use crate::picture::image_grid::{ImageGridOptions, image_grid};
    pub use crate::picture::make_grid::{GridOptions, Scaling, make_grid};
    pub use crate::picture::plot::{LossPlotOptions, Series, loss_plot};
    pub use crate::picture::prediction_grid::{
        Prediction, PredictionGrid, PredictionGridOptions, prediction_grid,
    };
    pub use crate::tensor::array;
    pub use crate::tensor::repr::{EvcxrDisplay, Printed, repr};
    pub use crate::train::fit::{
        EpochReport, FitOptions, FitReport, LossPoint, OnGpu, Progress, fit, resume,
    };
    pub use crate::train::metrics::{Evaluation, Mistake, Predictions, evaluate, predict};
    pub use crate::train::speed::{SpeedOptions, width_speed};
    pub use crate::train::step::{GraphedStep, RunningLoss, train_step};
    pub use tch;
    pub use tch::{Device, IndexOp, Kind, Reduction, TchError, Tensor};
}
