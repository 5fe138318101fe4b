//! Random flips and crops: more pictures out of the same ones.

use tch::{Device, Kind, Tensor};

use crate::data::transform::check_images;
use crate::error::{Error, Result};
use crate::tensor::random::PyTorchGenerator;

/// Random changes to each image of a batch, drawn anew in every epoch.
///
/// The same as torchvision's `RandomCrop(size, padding=crop_padding)` and
/// `RandomHorizontalFlip(flip)` in front of `ToTensor()` and `Normalize`, where `size` is that of
/// the images; with random numbers of its own. What happens to an image depends on the seed, the
/// epoch and the image's place in it alone, so a run that is resumed sees the same.
///
/// The default changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    /// Probability, 0 to 1, of left and right changing places; 0.
    pub flip: f64,
    /// Black pixels put around an image before as large a part as the image was is cut out at a
    /// random place; 0, which leaves it where it is, to the image's shorter side.
    pub crop_padding: i64,
    /// Seed of the choices; 0.
    pub seed: u64,
}

impl Augment {
    /// Augments `images`, u8 or f32 on the scale 0 to 1, `[N, C, H, W]` with 1 or 3 channels, into a
    /// new tensor of the same shape, kind and device: as a loader does in its first epoch. `images` is not modified.
    ///
    /// ```
    /// use blitz::prelude::*;
    ///
    /// let images = Tensor::from_slice(&[1u8, 2, 3]).expand([1, 3, 2, 3], true);
    /// let mirrored = Augment { flip: 1.0, ..Default::default() }.apply(&images)?;
    /// assert_eq!(mirrored, Tensor::from_slice(&[3u8, 2, 1]).expand([1, 3, 2, 3], true));
    /// # Ok::<(), blitz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another rank, channel count or kind; [`Error::Option`] for a `flip`
    /// outside 0 to 1 and for a `crop_padding` that is negative or larger than a side.
    pub fn apply(&self, images: &Tensor) -> Result<Tensor> {
        check_images("Augment", images)?;
        let size = images.size();
        Ok(match self.on(images.device(), &size)? {
            None => images.copy(),
            Some(augmenter) => {
                let choices = augmenter.choices(size[0] as usize, 1).to_device(images.device());
                augmenter.apply(images, &choices)
            }
        })
    }

    /// The changes for images of the `size` `[N, C, H, W]` on `device`; `None` where nothing changes.
    pub(crate) fn on(&self, device: Device, size: &[i64]) -> Result<Option<Augmenter>> {
        if !(0.0..=1.0).contains(&self.flip) {
            let expected = "a probability from 0 to 1".to_owned();
            return Err(Error::option("flip", expected, self.flip));
        }
        let (channels, height, width) = (size[1], size[2], size[3]);
        let most = height.min(width);
        if !(0..=most).contains(&self.crop_padding) {
            let expected = format!("from 0 to {most}, the shorter side of the images");
            return Err(Error::option("crop_padding", expected, self.crop_padding));
        }
        if self.flip == 0.0 && self.crop_padding == 0 {
            return Ok(None);
        }
        Augmenter::new(*self, device, channels, height).map(Some)
    }
}

/// [`Augment`] with its numbers on a device.
#[derive(Debug)]
pub(crate) struct Augmenter {
    augment: Augment,
    /// i64 `[1, 1, H]`: 0, 1, ...
    rows: Tensor,
    /// i64 `[1, C, 1]`: 0, 1, 2.
    channels: Tensor,
}

impl Augmenter {
    fn new(augment: Augment, device: Device, channels: i64, height: i64) -> Result<Augmenter> {
        let on_device = |table: Tensor| {
            table.f_to_device(device).map_err(Error::torch("moving the crops to the device"))
        };
        let count = |n: i64| Tensor::arange(n, (Kind::Int64, Device::Cpu));
        Ok(Augmenter {
            augment,
            rows: on_device(count(height).view([1, 1, height]))?,
            channels: on_device(count(channels).view([1, channels, 1]))?,
        })
    }

    /// Another augmenter over the same memory, for another thread.
    pub(crate) fn handles(&self) -> Augmenter {
        Augmenter {
            augment: self.augment,
            rows: self.rows.shallow_clone(),
            channels: self.channels.shallow_clone(),
        }
    }

    /// The choices for the `count` images of an epoch: i64 `[3, count]` on the CPU, the first row
    /// and the first column that are cut out of the padded image, and 1 for a mirrored one.
    pub(crate) fn choices(&self, count: usize, epoch: u64) -> Tensor {
        let mut random = PyTorchGenerator::manual_seed(mix(self.augment.seed, epoch));
        let places = 2 * self.augment.crop_padding + 1;
        let mut choices = vec![0; 3 * count];
        for image in 0..count {
            choices[image] = i64::from(random.random()) % places;
            choices[count + image] = i64::from(random.random()) % places;
            let mirrored = f64::from(random.random()) < self.augment.flip * 2f64.powi(32);
            choices[2 * count + image] = i64::from(mirrored);
        }
        Tensor::from_slice(&choices).view([3, count as i64])
    }

    /// `images` `[N, C, H, W]` and `choices` `[3, N]` on the device, to as many new images.
    pub(crate) fn apply(&self, images: &Tensor, choices: &Tensor) -> Tensor {
        let cropped = match self.augment.crop_padding {
            0 => images.shallow_clone(),
            padding => self.crop(images, padding, choices),
        };
        if self.augment.flip == 0.0 {
            return cropped;
        }
        let mirrored = choices.get(2).ne(0).view([-1, 1, 1, 1]);
        cropped.flip([3]).where_self(&mirrored, &cropped)
    }

    fn crop(&self, images: &Tensor, padding: i64, choices: &Tensor) -> Tensor {
        let (count, width) = (images.size()[0], images.size()[3]);
        let image = Tensor::arange(count, (Kind::Int64, images.device())).view([-1, 1, 1]);
        let rows = choices.get(0).view([-1, 1, 1]) + &self.rows;
        let column = choices.get(1).view([-1, 1, 1]);
        // [N, C, H', W'] -> [N, C, H', places, W]: the parts of a row, as a view. Indices for all
        // but the last dimension copy a row at a time, which is many times faster than by pixel.
        let parts = images.constant_pad_nd([padding; 4]).unfold(3, width, 1);
        let channels = self.channels.shallow_clone();
        // [N, 1, 1], [1, C, 1], [N, 1, H] and [N, 1, 1] spread to [N, C, H]; [N, C, H, W] results
        parts.index(&[Some(image), Some(channels), Some(rows), Some(column)])
    }
}

/// One seed of 32 bits out of two numbers: the finaliser of SplitMix64 (Steele and others, 2014).
fn mix(seed: u64, epoch: u64) -> u64 {
    let mut bits = seed.wrapping_add(epoch.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ bits >> 31) & u64::from(u32::MAX)
}
