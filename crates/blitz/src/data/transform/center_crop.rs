//! The middle of pictures: `torchvision.transforms.CenterCrop`.

use tch::{TchError, Tensor};

use super::check_images;
use crate::error::{Error, Result};
use crate::picture;

/// Cuts a square out of the middle of images: the same as `torchvision.transforms.CenterCrop(size)`.
///
/// Where a side is shorter, black is put around it first. Where the middle lies between two pixels,
/// the corner is rounded as Python's `round` does, to the even one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CenterCrop {
    /// Side of the square in pixels, at least 1.
    pub size: i64,
}

impl CenterCrop {
    /// Crops `images`, u8 or f32 `[N, C, H, W]` with 1 or 3 channels, to a new tensor
    /// `[N, C, size, size]` of the same kind and device. `images` is not modified.
    ///
    /// ```
    /// use blitz::prelude::*;
    ///
    /// let images = Tensor::from_slice(&[1u8, 2, 3, 4]).view([1, 1, 1, 4]);
    /// let cropped = CenterCrop { size: 2 }.apply(&images)?;
    /// assert_eq!(cropped, Tensor::from_slice(&[2u8, 3, 0, 0]).view([1, 1, 2, 2]));
    /// # Ok::<(), blitz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another rank, channel count or kind; [`Error::Option`] for a size below 1
    /// and for one that makes an image of more than 100,000,000 pixels.
    pub fn apply(&self, images: &Tensor) -> Result<Tensor> {
        check_images("CenterCrop", images)?;
        if self.size < 1 {
            return Err(Error::option("size", "at least 1", self.size));
        }
        picture::check_size("size", self.size as u128, self.size as u128)?;
        cropped(images, self.size).map_err(Error::torch("CenterCrop"))
    }
}

fn cropped(images: &Tensor, size: i64) -> Result<Tensor, TchError> {
    let (_, _, height, width) = images.size4()?;
    let missing = |side: i64| (size - side).max(0);
    let (rows, columns) = (missing(height), missing(width));
    // Left, right, top and bottom; the odd pixel goes behind.
    let padding = [columns / 2, (columns + 1) / 2, rows / 2, (rows + 1) / 2];
    // A copy, also where nothing is missing.
    let padded = images.f_constant_pad_nd(padding)?;
    let (top, left) = (start(height + rows - size), start(width + columns - size));
    padded.f_narrow(2, top, size)?.f_narrow(3, left, size)?.f_contiguous()
}

/// Half of what is too much, halves to the even number.
fn start(excess: i64) -> i64 {
    (excess as f64 / 2.0).round_ties_even() as i64
}
