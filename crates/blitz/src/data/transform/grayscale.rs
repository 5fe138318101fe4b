//! Colours to grey: `torchvision.transforms.Grayscale` on PIL's images.

use tch::{Kind, TchError, Tensor};

use super::check_images;
use crate::error::{Error, Result};

/// What a picture's pixels are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Red, green and blue; grey pictures get three equal ones (PIL's mode `RGB`).
    Rgb,
    /// One channel of brightness (PIL's mode `L`).
    Grey,
}

impl Channels {
    /// 3 or 1.
    pub fn count(self) -> i64 {
        match self {
            Channels::Rgb => 3,
            Channels::Grey => 1,
        }
    }
}

/// Turns colours to grey as PIL's `convert("L")` does, and so `torchvision.transforms.Grayscale` of
/// what `ImageFolder` loads: `(19595 R + 38470 G + 7471 B + 32768) >> 16`, ITU-R 601-2 rounded to the
/// nearest. (torchvision's own rule for tensors, `0.2989 R + 0.587 G + 0.114 B` cut off, is up to 1
/// less.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grayscale {
    /// One channel, or three equal ones (`num_output_channels`); [`Channels::Grey`].
    pub channels: Channels,
}

impl Default for Grayscale {
    fn default() -> Grayscale {
        Grayscale { channels: Channels::Grey }
    }
}

impl Grayscale {
    /// Makes a new tensor `[N, 1, H, W]` or `[N, 3, H, W]` out of `images`, u8 `[N, C, H, W]` with 1 or 3
    /// channels, on the same device. `images` is not modified.
    ///
    /// ```
    /// use blitz::prelude::*;
    ///
    /// let red = Tensor::from_slice(&[255u8, 0, 0]).view([1, 3, 1, 1]);
    /// let grey = Grayscale::default().apply(&red)?;
    /// assert_eq!(grey, Tensor::from_slice(&[76u8]).view([1, 1, 1, 1]));
    /// # Ok::<(), blitz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another rank, channel count or kind: f32 images, too, since the rule is one
    /// of bytes.
    pub fn apply(&self, images: &Tensor) -> Result<Tensor> {
        check_images("Grayscale", images)?;
        if images.kind() != Kind::Uint8 {
            return Err(super::wrong_kind("Grayscale", "u8 images", images));
        }
        let grey = grey(images).map_err(Error::torch("Grayscale"))?;
        Ok(grey.repeat([1, self.channels.count(), 1, 1]))
    }
}

fn grey(images: &Tensor) -> Result<Tensor, TchError> {
    if images.size()[1] == 1 {
        return Ok(images.shallow_clone());
    }
    let weights = Tensor::from_slice(&[19_595i32, 38_470, 7_471]).view([1, 3, 1, 1]);
    let weighted = images.f_to_kind(Kind::Int)?.f_mul(&weights.f_to_device(images.device())?)?;
    let sum = weighted.f_sum_dim_intlist([1i64].as_slice(), true, Kind::Int)?;
    let rounded = sum.f_add_scalar(32_768)?;
    rounded.f_bitwise_right_shift_tensor_scalar(16)?.f_to_kind(Kind::Uint8)
}

/// The brightness of one pixel, by the same rule.
pub(crate) fn brightness([red, green, blue]: [u8; 3]) -> u8 {
    let weighted = 19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue);
    ((weighted + 32_768) >> 16) as u8
}
