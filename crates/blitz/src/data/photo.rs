//! One picture of one's own, ready for a net.

use std::path::{Path, PathBuf};

use tch::Tensor;

use crate::data::image_file;
use crate::data::image_folder::to_size;
use crate::data::transform::{Channels, Normalize};
use crate::error::Result;

/// How [`Photo::open`] reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhotoOptions {
    /// Height and width of [`Photo::images`] in pixels, at least 1: what the net was made for; 32.
    pub size: i64,
    /// Colours or grey; [`Channels::Rgb`].
    pub channels: Channels,
    /// The normalisation that the net's images went through; the tutorial's.
    pub transform: Normalize,
}

impl Default for PhotoOptions {
    fn default() -> PhotoOptions {
        PhotoOptions { size: 32, channels: Channels::Rgb, transform: Normalize::default() }
    }
}

/// A picture from a file: as it is, and as a net takes it.
#[derive(Debug)]
pub struct Photo {
    /// The file.
    pub path: PathBuf,
    /// The whole picture, turned upright: u8 `[C, H, W]` on the CPU.
    pub image: Tensor,
    /// What the net will see of it: a batch of one, resized, cropped and normalised: f32
    /// `[1, C, size, size]` on the CPU. [`image_grid`](crate::picture::image_grid::image_grid) shows
    /// it.
    pub images: Tensor,
}

impl Photo {
    /// Opens a picture as [`ImageFolder::load`](super::image_folder::ImageFolder::load) does: the same
    /// formats and limits, turned upright by its EXIF, its shorter side made `options.size` pixels and
    /// the middle cut out, then normalised.
    ///
    /// ```no_run
    /// use blitz::prelude::*;
    ///
    /// # let net = cifar10_net(&nn::VarStore::new(Device::Cpu).root());
    /// let photo = Photo::open("my_cat.jpg", &PhotoOptions::default())?;
    /// let logits = net.forward(&photo.images); // [1, 10]
    /// # Ok::<(), blitz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Picture`](crate::Error::Picture) for a file that is not there or is no picture,
    /// [`Error::Option`](crate::Error::Option) for a size below 1 or too large and for a `transform`
    /// as [`Normalize::apply`].
    pub fn open(path: impl AsRef<Path>, options: &PhotoOptions) -> Result<Photo> {
        let path = path.as_ref();
        let image = image_file::read(path, options.channels)?;
        let images = options.transform.apply(&to_size(path, &image, options.size)?)?;
        Ok(Photo { path: path.to_owned(), image: image.squeeze_dim(0).contiguous(), images })
    }
}
