//! Pictures made larger or smaller: `torchvision.transforms.Resize`.

use tch::{Kind, TchError, Tensor};

use super::check_images;
use crate::error::{Error, Result};
use crate::picture;

/// Makes the shorter side of images as long as asked for, and the longer one in proportion: the same
/// as `torchvision.transforms.Resize(size)`, bilinear and with antialiasing.
///
/// The size of the longer side is `int(size * long / short)`, which cuts off what is behind the point.
/// u8 values are those of torchvision's v2 transforms on tensors, and within 1 of what it makes of
/// PIL's images, which rounds in another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize {
    /// The shorter side afterwards in pixels, at least 1.
    pub size: i64,
}

impl Resize {
    /// Resizes `images`, u8 or f32 `[N, C, H, W]` with 1 or 3 channels, into a new tensor of the same
    /// kind and device. `images` is not modified.
    ///
    /// ```
    /// use blitz::prelude::*;
    ///
    /// let images = Tensor::zeros([2, 3, 30, 41], (Kind::Uint8, Device::Cpu));
    /// assert_eq!(Resize { size: 20 }.apply(&images)?.size(), [2, 3, 20, 27]);
    /// # Ok::<(), blitz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another rank, channel count or kind, and for images without a pixel;
    /// [`Error::Option`] for a size below 1, and for one that makes an image of more than 100,000,000
    /// pixels.
    pub fn apply(&self, images: &Tensor) -> Result<Tensor> {
        check_images("Resize", images)?;
        let size = images.size();
        let (height, width) = (size[2], size[3]);
        if size.contains(&0) {
            return Err(Error::Shape {
                operation: "Resize",
                expected: "images of 1 or more pixels".to_owned(),
                got: format!("{size:?}"),
            });
        }
        let sizes = self.sizes(height, width)?;
        if sizes == [height, width] {
            return Ok(images.copy());
        }
        resized(images, sizes).map_err(Error::torch("Resize"))
    }

    /// Height and width of what becomes of `height` x `width`.
    pub(crate) fn sizes(&self, height: i64, width: i64) -> Result<[i64; 2]> {
        if self.size < 1 {
            return Err(Error::option("size", "at least 1", self.size));
        }
        let (short, long) = (height.min(width), height.max(width));
        // As Python's true division does for numbers of this size.
        let long = (self.size as f64 * long as f64 / short as f64) as i64;
        picture::check_size("size", self.size as u128, long as u128)?;
        Ok(if width <= height { [long, self.size] } else { [self.size, long] })
    }
}

fn resized(images: &Tensor, sizes: [i64; 2]) -> Result<Tensor, TchError> {
    let resize =
        |images: &Tensor| images.f_internal_upsample_bilinear2d_aa(sizes, false, None, None);
    // CUDA has no version for bytes.
    match images.kind() == Kind::Uint8 && images.device().is_cuda() {
        true => resize(&images.f_to_kind(Kind::Float)?)?.f_round()?.f_to_kind(Kind::Uint8),
        false => resize(images),
    }
}
