//! Batches: a shuffled walk over a [`Split`], in the order that PyTorch's `DataLoader` takes.

use tch::{Device, Kind, Tensor};

use crate::cifar10::Split;
use crate::error::{Error, Result};
use crate::interrupt::Watch;
use crate::random::PyTorchGenerator;
use crate::transform::{Channels, Normalize, check_images};

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

/// How a [`DataLoader`] makes its batches.
#[derive(Clone, Debug)]
pub struct LoaderOptions {
    /// Images per batch, at least 1. The tutorial's 4.
    pub batch_size: i64,
    /// The order of the images; by default as they lie.
    pub shuffle: Order,
    /// The fate of a smaller last batch; by default it is kept.
    pub last: LastBatch,
    /// Where the batches are made; by default the CPU.
    pub device: Device,
    /// Normalisation of the images; by default to \[-1, 1\].
    pub transform: Normalize,
}

impl Default for LoaderOptions {
    fn default() -> LoaderOptions {
        LoaderOptions {
            batch_size: 4,
            shuffle: Order::Sequential,
            last: LastBatch::Keep,
            device: Device::Cpu,
            transform: Normalize::default(),
        }
    }
}

/// Some images and their labels, on the loader's device.
#[derive(Debug)]
pub struct Batch {
    /// f32 `[N, 3, H, W]`, normalised.
    pub images: Tensor,
    /// i64 `[N]`, class indices.
    pub labels: Tensor,
}

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
    /// u8 or f32 `[N, 3, H, W]` on the device, shared with the split where that is on it too.
    images: Tensor,
    /// i64 `[N]` on the device.
    labels: Tensor,
    channels: Channels,
    generator: Option<PyTorchGenerator>,
    batch_size: i64,
    last: LastBatch,
    watch: Watch,
}

impl DataLoader {
    /// A loader over `split`, which is neither modified nor copied, except to another device: the
    /// images go there once as bytes, and each batch is gathered and normalised there.
    ///
    /// A batch size larger than the split gives one batch of all images (none with
    /// [`LastBatch::Drop`]).
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for a batch size below 1 or a standard deviation of 0, [`Error::Shape`]
    /// for an empty split or one whose images and labels do not fit, [`Error::Torch`] where the
    /// device cannot hold the images.
    pub fn new(split: &Split, options: LoaderOptions) -> Result<DataLoader> {
        if options.batch_size < 1 {
            return Err(Error::Option {
                option: "batch_size",
                expected: "at least 1".to_owned(),
                got: options.batch_size.to_string(),
            });
        }
        check_split(split)?;
        let move_to = |tensor: &Tensor| {
            tensor
                .f_to_device(options.device)
                .map_err(Error::torch("moving the images to the device"))
        };
        Ok(DataLoader {
            images: move_to(&split.images)?,
            labels: move_to(&split.labels)?,
            channels: options.transform.on(options.device)?,
            generator: match options.shuffle {
                Order::Sequential => None,
                Order::Shuffled { seed } => Some(PyTorchGenerator::manual_seed(seed)),
            },
            batch_size: options.batch_size,
            last: options.last,
            watch: Watch::new(),
        })
    }

    /// Batches per epoch.
    pub fn len(&self) -> usize {
        self.batches_of(self.image_count())
    }

    fn batches_of(&self, images: i64) -> usize {
        let whole = (images / self.batch_size) as usize;
        match self.last {
            LastBatch::Keep if images % self.batch_size > 0 => whole + 1,
            LastBatch::Keep | LastBatch::Drop => whole,
        }
    }

    /// Whether an epoch has no batch: only with [`LastBatch::Drop`] and too few images.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Images in the split, left-over ones included.
    pub fn image_count(&self) -> i64 {
        self.labels.numel() as i64
    }

    /// The device of the batches.
    pub fn device(&self) -> Device {
        self.images.device()
    }

    /// Starts the next epoch. Each call draws a new order when shuffling, also where the epoch
    /// before was left early.
    pub fn epoch(&mut self) -> Epoch<'_> {
        let count = self.image_count();
        let order = match &mut self.generator {
            None => Tensor::arange(count, (Kind::Int64, Device::Cpu)),
            Some(generator) => {
                // PyTorch's iterator first draws a seed for worker processes.
                generator.random64();
                Tensor::from_slice(&generator.randperm(count as usize))
            }
        };
        let order = order.to_device(self.device());
        Epoch { loader: self, order, position: 0, exhausted: false }
    }

    /// The same as [`DataLoader::epoch`], named as `iter(loader)` is in Python.
    pub fn iter(&mut self) -> Epoch<'_> {
        self.epoch()
    }
}

impl<'a> IntoIterator for &'a mut DataLoader {
    type Item = Batch;
    type IntoIter = Epoch<'a>;

    fn into_iter(self) -> Epoch<'a> {
        self.epoch()
    }
}

/// The batches of one epoch.
///
/// `next` unwinds where the person asked to stop; see [`Watch::unwind_if_requested`]. The loader
/// stays usable, and continues with its next epoch.
#[derive(Debug)]
pub struct Epoch<'a> {
    loader: &'a mut DataLoader,
    /// i64 `[N]`: image indices in the order of this epoch.
    order: Tensor,
    position: i64,
    exhausted: bool,
}

impl Epoch<'_> {
    /// PyTorch's sampler draws one more order, which it does not use, when it runs out. Drawing
    /// it here too keeps the next epochs in step.
    fn run_out(&mut self) {
        if let (false, Some(generator)) = (self.exhausted, &mut self.loader.generator) {
            generator.randperm(self.order.numel());
        }
        self.exhausted = true;
    }

    /// As `next`, for callers that look for interrupts themselves.
    pub(crate) fn advance(&mut self) -> Option<Batch> {
        let remaining = self.loader.image_count() - self.position;
        let size = remaining.min(self.loader.batch_size);
        if size < self.loader.batch_size {
            self.run_out();
        }
        if size == 0 || (size < self.loader.batch_size && self.loader.last == LastBatch::Drop) {
            return None;
        }
        let indices = self.order.narrow(0, self.position, size);
        self.position += size;
        Some(Batch {
            images: self.loader.channels.apply(&self.loader.images.index_select(0, &indices)),
            labels: self.loader.labels.index_select(0, &indices),
        })
    }
}

impl Iterator for Epoch<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        self.loader.watch.unwind_if_requested();
        self.advance()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let remaining = self.loader.batches_of(self.loader.image_count() - self.position);
        (remaining, Some(remaining))
    }
}

impl ExactSizeIterator for Epoch<'_> {}

fn check_split(split: &Split) -> Result<()> {
    const OPERATION: &str = "DataLoader";
    check_images(OPERATION, &split.images)?;
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
