//! What a batch is made of, and its making.

use std::iter;

use tch::{Device, Tensor};

use super::batch::Batch;
use super::options::LoaderOptions;
use crate::data::augment::Augmenter;
use crate::data::split::Split;
use crate::data::transform::PerChannel;
use crate::error::{Error, Result};

/// The images of a loader and what happens to them.
#[derive(Debug)]
pub(super) struct BatchMaker {
    /// u8 or f32 `[N, C, H, W]` on the device, shared with the split where that is on it too.
    images: Tensor,
    /// i64 `[N]` on the device.
    labels: Tensor,
    augmenter: Option<Augmenter>,
    channels: PerChannel,
}

/// What the batches of an epoch, or one batch, hold.
#[derive(Debug)]
pub(super) struct Plan {
    /// i64 `[N]`: image indices in their order, on the device.
    order: Tensor,
    /// i64 `[3, N]`: the crop and flip of each, on the device.
    choices: Option<Tensor>,
}

impl Plan {
    /// The part of `size` images from `start`.
    pub(super) fn narrow(&self, start: i64, size: i64) -> Plan {
        Plan {
            order: self.order.narrow(0, start, size),
            choices: self.choices.as_ref().map(|choices| choices.narrow(1, start, size)),
        }
    }

    /// The parts of `size` images from `start` to `end`, a smaller one at the end included.
    pub(super) fn batches(
        &self,
        start: i64,
        end: i64,
        size: i64,
    ) -> impl Iterator<Item = Plan> + Send + use<> {
        let plan = self.narrow(0, end);
        let mut next = start;
        iter::from_fn(move || {
            let size = size.min(end - next);
            let part = (size > 0).then(|| plan.narrow(next, size));
            next += size;
            part
        })
    }
}

impl BatchMaker {
    pub(super) fn new(split: &Split, options: &LoaderOptions) -> Result<BatchMaker> {
        let move_to = |tensor: &Tensor| {
            tensor
                .f_to_device(options.device)
                .map_err(Error::torch("moving the images to the device"))
        };
        let size = split.images.size();
        Ok(BatchMaker {
            augmenter: options.augment.on(options.device, &size)?,
            channels: options.transform.on(options.device, size[1])?,
            images: move_to(&split.images)?,
            labels: move_to(&split.labels)?,
        })
    }

    /// Another maker over the same memory, for another thread.
    pub(super) fn handles(&self) -> BatchMaker {
        BatchMaker {
            images: self.images.shallow_clone(),
            labels: self.labels.shallow_clone(),
            augmenter: self.augmenter.as_ref().map(Augmenter::handles),
            channels: self.channels.handles(),
        }
    }

    pub(super) fn image_count(&self) -> i64 {
        self.labels.numel() as i64
    }

    pub(super) fn device(&self) -> Device {
        self.images.device()
    }

    /// The plan of the epoch number `epoch`, counted from 1, in the order `order`. What happens to an
    /// image depends on its place among the `count` ones of the whole epoch: `places` are those of
    /// `order`, where it is not the whole.
    pub(super) fn plan(
        &self,
        order: Tensor,
        places: Option<Tensor>,
        count: i64,
        epoch: u64,
    ) -> Plan {
        let choices = self.augmenter.as_ref().map(|augmenter| {
            let choices = augmenter.choices(count as usize, epoch);
            let own =
                places.map_or(choices.shallow_clone(), |places| choices.index_select(1, &places));
            own.to_device(self.device())
        });
        Plan { order: order.to_device(self.device()), choices }
    }

    pub(super) fn make(&self, plan: &Plan) -> Batch {
        let mut images = self.images.index_select(0, &plan.order);
        if let (Some(augmenter), Some(choices)) = (&self.augmenter, &plan.choices) {
            images = augmenter.apply(&images, choices);
        }
        Batch {
            images: self.channels.apply(&images),
            labels: self.labels.index_select(0, &plan.order),
        }
    }
}
