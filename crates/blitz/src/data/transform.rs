//! From bytes to the numbers a net likes: scaling to \[0, 1\] and normalisation per channel; and from
//! pictures of any size to one size.

mod center_crop;
mod grayscale;
mod resize;

use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};

pub use center_crop::CenterCrop;
pub(crate) use grayscale::brightness;
pub use grayscale::{Channels, Grayscale};
pub use resize::Resize;

/// Subtracts a mean and divides by a standard deviation, per channel
/// (`torchvision.transforms.Normalize` after `ToTensor`).
///
/// The default is the tutorial's 0.5 and 0.5, which moves \[0, 1\] to \[-1, 1\].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalize {
    /// Mean of red, green and blue, on the scale 0 to 1; finite. Grey images take three equal ones.
    pub mean: [f64; 3],
    /// Standard deviation of red, green and blue, on the scale 0 to 1; not 0. Grey images take three
    /// equal ones.
    pub std: [f64; 3],
}

impl Default for Normalize {
    fn default() -> Normalize {
        Normalize { mean: [0.5; 3], std: [0.5; 3] }
    }
}

impl Normalize {
    /// Normalises `images`, `[N, C, H, W]` with 1 or 3 channels, into a new f32 tensor of the same shape and device.
    ///
    /// u8 images are first divided by 255, as `ToTensor` does; f32 images are taken as they are,
    /// on the scale 0 to 1. `images` is not modified.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another rank, channel count or kind; [`Error::Option`] for a standard
    /// deviation that is 0 or not finite, for a mean that is not finite, as f32, and for numbers that
    /// differ from channel to channel where the images are grey.
    pub fn apply(&self, images: &Tensor) -> Result<Tensor> {
        check_images("Normalize", images)?;
        Ok(self.on(images.device(), images.size()[1])?.apply(images))
    }

    /// Undoes [`Normalize::apply`]: f32 `[N, C, H, W]` back to the scale 0 to 1, in a new tensor.
    ///
    /// # Errors
    ///
    /// As [`Normalize::apply`]; u8 images are an error too, since they were never normalised.
    pub fn invert(&self, images: &Tensor) -> Result<Tensor> {
        check_images("Normalize::invert", images)?;
        if images.kind() == Kind::Uint8 {
            return Err(wrong_kind("Normalize::invert", "f32 images", images));
        }
        let channels = self.on(images.device(), images.size()[1])?;
        Ok(images * &channels.std + &channels.mean)
    }

    /// The numbers as tensors on `device`, made once for many batches of images with 1 or 3 `channels`.
    pub(crate) fn on(&self, device: Device, channels: i64) -> Result<PerChannel> {
        // The numbers are used as f32, which has neither 1e-60 nor 1e60.
        let is_finite = |value: &f64| (*value as f32).is_finite();
        if !self.mean.iter().all(is_finite) {
            let got = format!("{:?}", self.mean);
            return Err(Error::option("mean", "finite in each channel", got));
        }
        if self.std.iter().any(|std| *std as f32 == 0.0 || !is_finite(std)) {
            return Err(Error::option(
                "std",
                "finite and not 0 in each channel",
                format!("{:?}", self.std),
            ));
        }
        let tensor = |option, values: [f64; 3]| -> Result<Tensor> {
            let failed = || Error::torch("moving the mean and std to the device");
            if channels == 1 && values.iter().any(|value| *value != values[0]) {
                let got = format!("{values:?}");
                return Err(Error::option(option, "three equal numbers for grey images", got));
            }
            let values = values.map(|value| value as f32);
            // [C] -> [1, C, 1, 1], so that the values spread over N, H and W
            let values = Tensor::from_slice(&values[..channels as usize]).view([1, -1, 1, 1]);
            values.f_to_device(device).map_err(failed())
        };
        Ok(PerChannel { mean: tensor("mean", self.mean)?, std: tensor("std", self.std)? })
    }
}

/// [`Normalize`] with its numbers on a device, `[1, C, 1, 1]` each.
#[derive(Debug)]
pub(crate) struct PerChannel {
    mean: Tensor,
    std: Tensor,
}

impl PerChannel {
    /// The same numbers over the same memory, for another thread.
    pub(crate) fn handles(&self) -> PerChannel {
        PerChannel { mean: self.mean.shallow_clone(), std: self.std.shallow_clone() }
    }

    /// `images` is u8 or f32 `[N, C, H, W]` on the same device, as the callers have checked.
    pub(crate) fn apply(&self, images: &Tensor) -> Tensor {
        let bytes = images.kind() == Kind::Uint8;
        // One new tensor; the steps after it work in place.
        let mut scaled =
            if bytes { images.to_kind(Kind::Float).g_div_scalar_(255) } else { images.copy() };
        scaled.g_sub_(&self.mean).g_div_(&self.std)
    }
}

/// Checks for u8 or f32 images `[N, C, H, W]` with 1 or 3 channels.
pub(crate) fn check_images(operation: &'static str, images: &Tensor) -> Result<()> {
    let got = match images.defined() {
        true if matches!(images.size().as_slice(), [_, 1 | 3, _, _]) => None,
        true => Some(format!("{:?}", images.size())),
        false => Some("an undefined tensor".to_owned()),
    };
    if let Some(got) = got {
        let expected = "images of shape [N, C, H, W] with C = 1 or 3 \
            (unsqueeze(0) makes a batch of one picture)";
        return Err(Error::Shape { operation, expected: expected.to_owned(), got });
    }
    if !matches!(images.kind(), Kind::Uint8 | Kind::Float) {
        return Err(wrong_kind(operation, "u8 or f32 images", images));
    }
    Ok(())
}

fn wrong_kind(operation: &'static str, expected: &str, images: &Tensor) -> Error {
    Error::Shape {
        operation,
        expected: expected.to_owned(),
        got: format!("kind {:?}", images.kind()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invert_undoes_apply_and_leaves_its_input() {
        let images = Tensor::arange(2 * 3 * 2 * 5, (Kind::Float, Device::Cpu)) / 60.0;
        let images = images.view([2, 3, 2, 5]);
        let before = images.copy();
        let normalize = Normalize { mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.7] };
        let there = normalize.apply(&images).unwrap();
        assert_eq!(images, before);
        assert!(
            (f64::try_from(there.get(1).get(2).max()).unwrap() - (59.0 / 60.0 - 0.6) / 0.7).abs()
                < 1e-6
        );
        assert!(normalize.invert(&there).unwrap().allclose(&images, 1e-5, 1e-6, false));
    }

    #[test]
    fn wrong_shapes_kinds_and_std_are_named() {
        let normalize = Normalize::default();
        let message = |images: &Tensor| normalize.apply(images).unwrap_err().to_string();
        let zeros = |shape: &[i64], kind| Tensor::zeros(shape, (kind, Device::Cpu));
        assert!(message(&zeros(&[3, 4, 5], Kind::Float)).contains("[3, 4, 5]"));
        assert!(message(&zeros(&[2, 2, 4, 5], Kind::Float)).contains("[2, 2, 4, 5]"));
        assert!(message(&zeros(&[2, 3, 4, 5], Kind::Int64)).contains("Int64"));
        let bytes = zeros(&[2, 3, 4, 5], Kind::Uint8);
        assert!(normalize.invert(&bytes).unwrap_err().to_string().contains("Uint8"));
        let flat = Normalize { std: [1.0, 0.0, 1.0], ..Normalize::default() };
        assert!(flat.apply(&bytes).unwrap_err().to_string().contains("option std"));
    }
}
