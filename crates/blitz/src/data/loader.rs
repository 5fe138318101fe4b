//! Batches: a shuffled walk over a [`Split`], in the order that PyTorch's `DataLoader` takes.

mod batch;
mod epoch;
mod maker;
mod options;
mod prefetch;
mod sampler;
mod state;

use tch::{Device, Kind, Tensor};

use crate::data::split::Split;
use crate::data::transform::check_images;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};
use crate::tensor::random::PyTorchGenerator;

pub use batch::Batch;
pub use epoch::Epoch;
use maker::BatchMaker;
pub use options::{LastBatch, LoaderOptions, Order};
use sampler::Shard;
pub(crate) use sampler::gather_rows;
pub use sampler::{DistributedSampler, Tail};
pub use state::LoaderState;
use state::Position;

/// Goes through a [`Split`] in batches, epoch after epoch.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// let cifar10 = Cifar10::load(&Cifar10Options::default())?;
/// let options = LoaderOptions { shuffle: Order::Shuffled { seed: 0 }, ..Default::default() };
/// let mut train_loader = DataLoader::new(&cifar10.train, options)?;
/// for batch in &mut train_loader {
///     assert_eq!(batch.images.size(), [4, 3, 32, 32]);
/// }
/// # Ok::<(), blitz::Error>(())
/// ```
#[derive(Debug)]
pub struct DataLoader {
    maker: BatchMaker,
    options: LoaderOptions,
    /// The part of the images that this process sees.
    shard: Shard,
    /// `None` where it draws nothing, or anew in each epoch.
    generator: Option<PyTorchGenerator>,
    position: Position,
    watch: Watch,
}

impl DataLoader {
    /// A loader over `split`, which is neither modified nor copied, except to another device: the
    /// images go there once as bytes, and each batch is gathered and normalised there. So no
    /// image crosses to the device while an epoch runs.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for a batch size below 1 or above the number of images (of this process's
    /// part, with a sampler), fewer images than processes, a standard
    /// deviation of 0, a flip probability outside 0 to 1, and a negative crop padding;
    /// [`Error::Shape`] for an empty split or one whose images and labels do not fit,
    /// [`Error::Torch`] where the device cannot hold the images.
    pub fn new(split: &Split, options: LoaderOptions) -> Result<DataLoader> {
        check_split(split)?;
        let shard = Shard::new(options.sampler.as_ref(), split.len() as i64)?;
        check_batch_size(options.batch_size, shard.len())?;
        Ok(DataLoader {
            maker: BatchMaker::new(split, &options)?,
            shard,
            generator: generator(&options),
            options,
            position: Position::default(),
            watch: Watch::new(),
        })
    }

    /// Batches per epoch.
    pub fn len(&self) -> usize {
        self.batches_of(self.samples())
    }

    fn batches_of(&self, images: i64) -> usize {
        let whole = (images / self.options.batch_size) as usize;
        match self.options.last {
            LastBatch::Keep if images % self.options.batch_size > 0 => whole + 1,
            LastBatch::Keep | LastBatch::Drop => whole,
        }
    }

    /// Whether an epoch has no batch, which [`DataLoader::new`] rules out.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Images in the split, left-over ones included.
    pub fn image_count(&self) -> i64 {
        self.maker.image_count()
    }

    /// Images of an epoch: all of them, or this process's part.
    fn samples(&self) -> i64 {
        self.shard.len()
    }

    /// Processes that the images are shared out among; 1 without a sampler.
    pub(crate) fn processes(&self) -> u64 {
        self.options.sampler.as_ref().map_or(1, |sampler| sampler.group.world_size() as u64)
    }

    /// The device of the batches.
    pub fn device(&self) -> Device {
        self.maker.device()
    }

    /// The options that this loader was made with.
    pub fn options(&self) -> &LoaderOptions {
        &self.options
    }

    /// Starts the next epoch. Each call draws a new order when shuffling, also where the epoch
    /// before was left early. After [`DataLoader::resume`], the first call continues the epoch
    /// that was running.
    pub fn epoch(&mut self) -> Epoch<'_> {
        let draws = self.generator.as_ref().map_or(0, PyTorchGenerator::draws);
        self.position.begin(draws);
        let order = self.order();
        let places = match &self.options.sampler {
            Some(_) => Some(self.shard.own_places()),
            None => None,
        };
        let plan = self.maker.plan(
            self.shard.of(&order),
            places,
            self.shard.places(),
            self.position.epoch,
        );
        Epoch::new(self, plan)
    }

    /// All images in the order of the epoch that has begun: i64 `[images]`.
    fn order(&mut self) -> Tensor {
        let count = self.image_count();
        let drawn = match (&mut self.generator, self.options.shuffle) {
            (Some(generator), _) => {
                // PyTorch's iterator first draws a seed for worker processes.
                generator.random64();
                generator.randperm(count as usize)
            }
            // DistributedSampler draws each epoch's order by a seed of its own.
            (None, Order::Shuffled { seed }) => {
                let seed = seed.wrapping_add(self.position.epoch - 1);
                PyTorchGenerator::manual_seed(seed).randperm(count as usize)
            }
            (None, Order::Sequential) => {
                return Tensor::arange(count, (Kind::Int64, Device::Cpu));
            }
        };
        Tensor::from_slice(&drawn)
    }

    /// The same as [`DataLoader::epoch`], named as `iter(loader)` is in Python.
    pub fn iter(&mut self) -> Epoch<'_> {
        self.epoch()
    }

    /// How far the loader is, for a checkpoint: see [`LoaderState`]. Within an epoch, call
    /// [`Epoch::state`].
    pub fn state(&self) -> LoaderState {
        state::save(self)
    }

    /// Continues where another loader over the same images, with the same options, was when its
    /// `state` was taken: the next [`DataLoader::epoch`] yields the rest of the epoch that was
    /// running, or the next one where none was, with the same bits.
    ///
    /// ```
    /// use blitz::prelude::*;
    ///
    /// let split = Split {
    ///     images: Tensor::zeros([10, 3, 8, 8], (Kind::Uint8, Device::Cpu)),
    ///     labels: Tensor::arange(10, (Kind::Int64, Device::Cpu)),
    /// };
    /// let options = LoaderOptions { shuffle: Order::Shuffled { seed: 0 }, ..Default::default() };
    /// let mut loader = DataLoader::new(&split, options.clone())?;
    /// let mut epoch = loader.epoch();
    /// epoch.next(); // a training step, then a checkpoint
    /// let state = epoch.state();
    ///
    /// let mut resumed = DataLoader::new(&split, options)?;
    /// resumed.resume(&state)?;
    /// assert_eq!(resumed.epoch().next().unwrap().labels, epoch.next().unwrap().labels);
    /// # Ok::<(), blitz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for the state of a loader with other options or another number of images,
    /// and for a position that no such loader can have; the loader is unchanged.
    pub fn resume(&mut self, state: &LoaderState) -> Result<()> {
        state::restore(self, state)
    }
}

impl<'a> IntoIterator for &'a mut DataLoader {
    type Item = Batch;
    type IntoIter = Epoch<'a>;

    fn into_iter(self) -> Epoch<'a> {
        self.epoch()
    }
}

/// The generator at its start.
fn generator(options: &LoaderOptions) -> Option<PyTorchGenerator> {
    match (options.shuffle, &options.sampler) {
        (Order::Shuffled { seed }, None) => Some(PyTorchGenerator::manual_seed(seed)),
        (Order::Shuffled { .. }, Some(_)) | (Order::Sequential, _) => None,
    }
}

fn check_batch_size(batch_size: i64, images: i64) -> Result<()> {
    let expected = match batch_size {
        ..1 => "at least 1".to_owned(),
        _ if batch_size > images => format!("at most {images}, the number of images"),
        _ => return Ok(()),
    };
    Err(Error::option("batch_size", expected, batch_size))
}

fn check_split(split: &Split) -> Result<()> {
    const OPERATION: &str = "DataLoader";
    check_images(OPERATION, &split.images)?;
    if !split.labels.defined() {
        let (expected, got) = ("labels".to_owned(), "an undefined tensor".to_owned());
        return Err(Error::Shape { operation: OPERATION, expected, got });
    }
    let (images, labels) = (split.images.size(), split.labels.size());
    if labels != images[..1] || split.labels.kind() != Kind::Int64 {
        return Err(Error::Shape {
            operation: OPERATION,
            expected: format!("i64 labels of shape [{}], one per image", images[0]),
            got: format!("{:?} labels of shape {labels:?}", split.labels.kind()),
        });
    }
    if images[0] == 0 {
        return Err(Error::Shape {
            operation: OPERATION,
            expected: "at least one image".to_owned(),
            got: "an empty split".to_owned(),
        });
    }
    Ok(())
}
