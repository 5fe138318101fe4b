//! The training loop of the tutorial, with what makes it comfortable: progress that is seen, an
//! interrupt that loses nothing, checkpoints, and learning rates that change.
//!
//! [`fit`] gives the same numbers as the loop written out by hand:
//!
//! ```no_run
//! use blitz::prelude::*;
//!
//! # let cifar10 = Cifar10::load(&Cifar10Options::default())?;
//! # let mut train_loader = DataLoader::new(&cifar10.train, LoaderOptions::default())?;
//! # let vs = nn::VarStore::new(Device::Cpu);
//! # let net = cifar10_net(&vs.root());
//! # let sgd = SgdOptions { lr: 0.001, momentum: 0.9, ..Default::default() };
//! # let mut optimizer = Sgd::new(&vs, sgd)?;
//! for epoch in 1..=2 {
//!     let mut running_loss = 0.0;
//!     for (i, batch) in train_loader.epoch().enumerate() {
//!         optimizer.zero_grad();
//!         let loss = net.forward(&batch.images).cross_entropy_for_logits(&batch.labels);
//!         loss.backward();
//!         optimizer.step()?;
//!         running_loss += loss.double_value(&[]);
//!         if i % 2_000 == 1_999 {
//!             println!("[{epoch}, {:5}] loss: {:.3}", i + 1, running_loss / 2_000.0);
//!             running_loss = 0.0;
//!         }
//!     }
//! }
//! // The same:
//! fit(&net, &mut optimizer, &mut train_loader, &FitOptions::default())?;
//! # Ok::<(), blitz::Error>(())
//! ```
//!
//! A training that was interrupted, or whose machine was switched off, goes on from its newest
//! checkpoint, and ends with the same parameters, bit for bit, as if it had not stopped:
//!
//! ```no_run
//! # use blitz::prelude::*;
//! # let cifar10 = Cifar10::load(&Cifar10Options::default())?;
//! # let mut train_loader = DataLoader::new(&cifar10.train, LoaderOptions::default())?;
//! # let vs = nn::VarStore::new(Device::Cpu);
//! # let net = cifar10_net(&vs.root());
//! # let mut optimizer = Sgd::new(&vs, SgdOptions::default())?;
//! let options = FitOptions {
//!     epochs: 10,
//!     schedule: Schedule::Cosine { epochs: 10, min_lr: 0.0 },
//!     checkpoint: Some(CheckpointOptions::new("checkpoints", &vs)),
//!     ..FitOptions::default()
//! };
//! fit(&net, &mut optimizer, &mut train_loader, &options)?; // interrupted
//! let report = resume(&net, &mut optimizer, &mut train_loader, &options)?;
//! # Ok::<(), blitz::Error>(())
//! ```

mod found;
mod loaders;
mod log;
mod options;
mod ranks;
mod report;
mod session;
mod settings;
mod view;

use tch::nn::ModuleT;

use crate::data::loader::{Batch, DataLoader};
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};
use crate::optim::Optimizer;
use crate::optim::schedule::Length;
use crate::train::metrics;
use crate::train::step::{Steps, keep_freed_memory};

pub use loaders::Loaders;
pub use options::{FitOptions, FreedMemory, OnGpu};
pub use report::{EpochReport, FitReport, LossPoint};
use session::Session;
pub use view::Progress;

/// Trains `net` with cross-entropy loss, and prints the running loss as the tutorial does:
/// `[1,  2000] loss: 2.170` is epoch 1, step 2,000. Each epoch ends with a line:
/// `[1, 12500] loss: 1.284 (last 500 steps)` where fewer than `report_every` steps were left.
///
/// `loaders` is `&mut train_loader`, or `(&mut train_loader, &mut test_loader)`: then the accuracy
/// on the test images is reported after each epoch. The process keeps memory that is freed (see
/// [`FitOptions::freed_memory`]). Where the train loader has a
/// [`DistributedSampler`](crate::data::loader::DistributedSampler), its group's processes train
/// together: losses and accuracies are those of all, rank 0 alone prints, draws and writes
/// checkpoints, and all stop at the same step; the net is a
/// [`DistributedDataParallel`](crate::distributed::DistributedDataParallel) one. The optimizer's parameters (those of the net's
/// `VarStore`) are modified, and the train loader moves on by `options.epochs` epochs. The
/// optimizer's learning rate is afterwards what it was before, also with a schedule.
///
/// Where the person asks to stop, the net keeps what it learned, and the report says so
/// ([`FitReport::interrupted`]): a notebook's cell ends as interrupted, and its variables are there.
/// [`resume`] continues from there where there are checkpoints, and so does `fit` with
/// [`Existing::Continue`](crate::checkpoint::Existing::Continue).
///
/// # Errors
///
/// [`Error::Option`] for options that make no sense, a checkpoint directory in which there are
/// checkpoints already, and tch's own optimizers with a schedule or checkpoints;
/// [`Error::NoGradient`] at the first step where no parameter of the optimizer gets a gradient, as
/// with an optimizer made for another net (one that gets some trains: others may be frozen);
/// [`Error::CheckpointInUse`] where another run writes that directory; [`Error::Io`] where a
/// checkpoint cannot be saved, the one before is kept; [`Error::Torch`] where the net's logits do
/// not fit the labels; [`Error::LossNotFinite`] as soon as the loss is NaN or infinite;
/// [`Error::Process`] where processes that train together have other options or numbers of batches, a net that is not wrapped, or where
/// one of them has ended; [`Error::Interrupted`] where a person stopped one of them.
///
/// # Panics
///
/// Where the net itself does, given images that it was not made for.
pub fn fit<'a>(
    net: &impl ModuleT,
    optimizer: &mut impl Optimizer,
    loaders: impl Into<Loaders<'a>>,
    options: &FitOptions,
) -> Result<FitReport> {
    let mut loaders = loaders.into();
    let session = Session::begin(optimizer, loaders.train, options)?;
    train(net, optimizer, &mut loaders, options, session)
}

/// Continues the training whose newest checkpoint is in `options.checkpoint`, with the same options
/// and with a net, an optimizer and a loader made as they were for [`fit`]. Their states are
/// replaced by those of the checkpoint, as are libtorch's random generators. More epochs than
/// before make a longer training.
///
/// Returns the report of the whole training. It is, like the parameters, bit for bit that of a
/// training that was never interrupted, apart from the times (on the same machine with the same
/// number of threads).
///
/// # Errors
///
/// As [`fit`]; also [`Error::MissingFile`] where there is no checkpoint, [`Error::Checkpoint`]
/// where it is that of another net, [`Error::DamagedCheckpoint`] where it cannot be read, and
/// [`Error::Option`] where it was made with other options, by another optimizer or on other
/// images. The net has not changed then.
///
/// # Panics
///
/// As [`fit`].
pub fn resume<'a>(
    net: &impl ModuleT,
    optimizer: &mut impl Optimizer,
    loaders: impl Into<Loaders<'a>>,
    options: &FitOptions,
) -> Result<FitReport> {
    let mut loaders = loaders.into();
    let session = Session::resume(optimizer, loaders.train, options)?;
    train(net, optimizer, &mut loaders, options, session)
}

/// Trains from where `session` is to the end, and gives the optimizer its learning rate back.
fn train(
    net: &impl ModuleT,
    optimizer: &mut impl Optimizer,
    loaders: &mut Loaders,
    options: &FitOptions,
    mut session: Session,
) -> Result<FitReport> {
    let base_lr = session.base_lr();
    let result = train_epochs(net, optimizer, loaders, options, &mut session);
    if let Some(lr) = base_lr {
        optimizer.set_lr(lr)?;
    }
    match result {
        Ok(()) => session.finish(),
        // The value of a training that a person stops is what it came to.
        Err(Error::Interrupted { state, .. }) if !session.has_others() => session.stop(&state),
        Err(error) => Err(error),
    }
}

fn train_epochs(
    net: &impl ModuleT,
    optimizer: &mut impl Optimizer,
    loaders: &mut Loaders,
    options: &FitOptions,
    session: &mut Session,
) -> Result<()> {
    if options.freed_memory == FreedMemory::Keep {
        keep_freed_memory();
    }
    let mut steps = steps(optimizer, loaders.train, options);
    // A training that was interrupted in its evaluation begins with it.
    test(net, optimizer, loaders, session)?;
    while session.epochs_done() < options.epochs {
        train_epoch(net, optimizer, loaders.train, options, session, &mut steps)?;
        test(net, optimizer, loaders, session)?;
        session.save(optimizer, || loaders.train.state())?;
    }
    Ok(())
}

fn train_epoch(
    net: &impl ModuleT,
    optimizer: &mut impl Optimizer,
    train_loader: &mut DataLoader,
    options: &FitOptions,
    session: &mut Session,
    steps: &mut Steps,
) -> Result<()> {
    let watch = Watch::new();
    let length = Length { epochs: options.epochs, steps_per_epoch: train_loader.len() };
    session.begin_epoch();
    let mut batches = train_loader.epoch();
    loop {
        // Asked before a batch is taken, so that no batch is lost.
        if batches.len() > 0 && session.stops(watch.requested())? {
            session.save(optimizer, || batches.state())?;
            return Err(session.interrupted());
        }
        let Some(batch) = batches.advance() else { break };
        if let Some(base_lr) = session.base_lr() {
            optimizer.set_lr(options.schedule.lr(base_lr, session.steps(), length))?;
        }
        let loss = step(net, optimizer, steps, &batch);
        let loss = loss.map_err(|error| session.explain(error))?;
        if session.steps() == 0 {
            optimizer.check_gradients()?;
            session.check_parameters(&optimizer.parameters())?;
        }
        session.record(loss, optimizer.lr())?;
        if batches.len() > 0 && session.is_save_due() {
            session.save(optimizer, || batches.state())?;
        }
    }
    session.end_epoch()
}

/// How the steps are done: as a graph where that can be. Gradients that other processes take part in
/// are in none.
fn steps(optimizer: &mut impl Optimizer, train_loader: &DataLoader, options: &FitOptions) -> Steps {
    let sampler = &train_loader.options().sampler;
    if sampler.as_ref().is_some_and(|sampler| sampler.group.has_others()) {
        return Steps::plain();
    }
    match options.on_gpu {
        OnGpu::Graph => Steps::new(optimizer).unwrap_or_else(|_| Steps::plain()),
        OnGpu::OneByOne => Steps::plain(),
    }
}

/// One step of the optimizer; returns the batch's loss.
fn step(
    net: &impl ModuleT,
    optimizer: &mut impl Optimizer,
    steps: &mut Steps,
    batch: &Batch,
) -> Result<f64> {
    let loss = match steps.step(net, optimizer, batch) {
        // Recording changes nothing, so that the batch can be used again.
        Err(Error::Torch { .. }) if steps.give_up_graph() => steps.step(net, optimizer, batch),
        result => result,
    }?;
    Ok(loss.f_double_value(&[])?)
}

/// Adds the accuracy to the report of the last epoch, where that is missing and can be had.
fn test(
    net: &impl ModuleT,
    optimizer: &impl Optimizer,
    loaders: &mut Loaders,
    session: &mut Session,
) -> Result<()> {
    let Some(test_loader) = &mut loaders.test else { return Ok(()) };
    if !session.lacks_accuracy() {
        return Ok(());
    }
    let accuracy = metrics::accuracy(net, test_loader);
    let is_interrupted = matches!(accuracy, Err(Error::Interrupted { .. }));
    if session.stopped_evaluating(is_interrupted)? {
        session.save(optimizer, || loaders.train.state())?;
        return Err(session.interrupted());
    }
    session.record_accuracy(accuracy?)
}
