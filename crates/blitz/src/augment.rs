//! Random flips and crops: more pictures out of the same ones.

use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};
use crate::random::PyTorchGenerator;
use crate::transform::check_images;

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
    /// Augments `images`, u8 or f32 on the scale 0 to 1, `[N, 3, H, W]`, into a new tensor of the
    /// same shape, kind and device: as a loader does in its first epoch. `images` is not modified.
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
        Ok(match self.on(images.device(), size[2], size[3])? {
            None => images.copy(),
            Some(augmenter) => {
                let choices = augmenter.choices(size[0] as usize, 1).to_device(images.device());
                augmenter.apply(images, &choices)
            }
        })
    }

    /// The changes for images of `height` x `width` on `device`; `None` where nothing changes.
    pub(crate) fn on(&self, device: Device, height: i64, width: i64) -> Result<Option<Augmenter>> {
        let wrong =
            |option, expected: String, got: String| Err(Error::Option { option, expected, got });
        if !(0.0..=1.0).contains(&self.flip) {
            let expected = "a probability from 0 to 1".to_owned();
            return wrong("flip", expected, self.flip.to_string());
        }
        let most = height.min(width);
        if !(0..=most).contains(&self.crop_padding) {
            let expected = format!("from 0 to {most}, the shorter side of the images");
            return wrong("crop_padding", expected, self.crop_padding.to_string());
        }
        if self.flip == 0.0 && self.crop_padding == 0 {
            return Ok(None);
        }
        Augmenter::new(*self, device, height, width).map(Some)
    }
}

/// [`Augment`] with its tables on a device.
#[derive(Debug)]
pub(crate) struct Augmenter {
    augment: Augment,
    /// i64 `[P, 1, H, 1]`: the rows of the padded image that each of the P places cuts out.
    rows: Tensor,
    /// i64 `[2 P, 1, 1, W]`: the columns, first as they lie and then mirrored.
    columns: Tensor,
    /// i64 `[1, 3, 1, 1]`: 0, 1, 2.
    channels: Tensor,
}

impl Augmenter {
    fn new(augment: Augment, device: Device, height: i64, width: i64) -> Result<Augmenter> {
        let places = 2 * augment.crop_padding + 1;
        let count = |n: i64| Tensor::arange(n, (Kind::Int64, Device::Cpu));
        // [P, 1] + [1, H] -> [P, H]
        let rows = count(places).unsqueeze(1) + count(height).unsqueeze(0);
        let columns = count(places).unsqueeze(1) + count(width).unsqueeze(0);
        let columns = Tensor::cat(&[&columns, &columns.flip([1])], 0);
        let on_device = |table: Tensor| {
            table.f_to_device(device).map_err(Error::torch("moving the crops to the device"))
        };
        Ok(Augmenter {
            augment,
            rows: on_device(rows.view([places, 1, height, 1]))?,
            columns: on_device(columns.view([2 * places, 1, 1, width]))?,
            channels: on_device(count(3).view([1, 3, 1, 1]))?,
        })
    }

    /// The choices for the `count` images of an epoch: i64 `[2, count]` on the CPU, indices into
    /// `rows` and `columns`.
    pub(crate) fn choices(&self, count: usize, epoch: u64) -> Tensor {
        let mut random = PyTorchGenerator::manual_seed(mix(self.augment.seed, epoch));
        let places = 2 * self.augment.crop_padding + 1;
        let mut choices = vec![0; 2 * count];
        let (rows, columns) = choices.split_at_mut(count);
        for (row, column) in rows.iter_mut().zip(columns) {
            *row = i64::from(random.random()) % places;
            *column = i64::from(random.random()) % places;
            let mirrored = f64::from(random.random()) < self.augment.flip * 2f64.powi(32);
            *column += i64::from(mirrored) * places;
        }
        Tensor::from_slice(&choices).view([2, count as i64])
    }

    /// `images` `[N, 3, H, W]` and `choices` `[2, N]` on the device, to as many new images.
    pub(crate) fn apply(&self, images: &Tensor, choices: &Tensor) -> Tensor {
        let padding = self.augment.crop_padding;
        let padded = match padding {
            0 => images.shallow_clone(),
            _ => images.constant_pad_nd([padding; 4]),
        };
        let count = images.size()[0];
        let image = Tensor::arange(count, (Kind::Int64, images.device())).view([count, 1, 1, 1]);
        let rows = self.rows.index_select(0, &choices.get(0));
        let columns = self.columns.index_select(0, &choices.get(1));
        // [N, 1, 1, 1], [1, 3, 1, 1], [N, 1, H, 1] and [N, 1, 1, W] spread to [N, 3, H, W]
        padded.index(&[Some(image), Some(self.channels.shallow_clone()), Some(rows), Some(columns)])
    }
}

/// One seed of 32 bits out of two numbers: the finaliser of SplitMix64 (Steele and others, 2014).
fn mix(seed: u64, epoch: u64) -> u64 {
    let mut bits = seed.wrapping_add(epoch.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ bits >> 31) & u64::from(u32::MAX)
}
