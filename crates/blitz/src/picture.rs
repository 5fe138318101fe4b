//! A finished picture: PNG bytes and the text that says what they show.

pub(crate) mod bars;
pub mod class_bars;
pub(crate) mod font;
pub mod image_grid;
pub mod make_grid;
pub mod plot;
pub mod prediction_grid;

use std::io::Cursor;
use std::path::Path;

use crate::display::{self, Bundle, Output, Show};
use crate::error::{Error, Result};

/// A PNG picture with its text alternative.
///
/// As the last expression of a notebook cell it shows itself; [`Picture::show`] shows it from
/// anywhere in the cell, any number of times. (In a stock evcxr kernel a cell has room for one
/// picture: a second replaces the first.)
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    png: Vec<u8>,
    alt: String,
}

/// The most pixels that a picture is drawn with: 300 MB of RGB.
const MOST_PIXELS: u128 = 100_000_000;

/// Whether a picture of `width * height` pixels can be drawn, before memory is taken for it; `option`
/// is what made it so large.
pub(crate) fn check_size(option: &'static str, width: u128, height: u128) -> Result<()> {
    match width.saturating_mul(height) <= MOST_PIXELS {
        true => Ok(()),
        false => Err(Error::option(
            option,
            format!("small enough for a picture of at most {MOST_PIXELS} pixels"),
            format!("{width} x {height}"),
        )),
    }
}

impl Picture {
    /// Encodes `width * height` pixels of 8-bit RGB, row by row from the top left corner.
    ///
    /// # Errors
    ///
    /// [`Error::Draw`] where `rgb` does not hold `3 * width * height` bytes or a side is 0.
    pub fn from_rgb(width: u32, height: u32, rgb: &[u8], alt: String) -> Result<Picture> {
        let failed = |reason: String| Error::Draw { what: "picture", reason };
        let expected = 3 * width as usize * height as usize;
        let pixels = image::RgbImage::from_raw(width, height, rgb.to_vec());
        let pixels = pixels.filter(|_| expected > 0 && rgb.len() == expected).ok_or_else(|| {
            failed(format!("{width} x {height} RGB pixels do not fit {} bytes", rgb.len()))
        })?;
        let mut png = Cursor::new(Vec::new());
        let written = pixels.write_to(&mut png, image::ImageFormat::Png);
        written.map_err(|error| failed(format!("the PNG encoder said: {error}")))?;
        let png = png.into_inner();
        Ok(Picture { width, height, png, alt })
    }

    /// The bytes of the PNG file.
    pub fn png(&self) -> &[u8] {
        &self.png
    }

    /// The text alternative: one short paragraph, the same on every machine.
    pub fn alt(&self) -> &str {
        &self.alt
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Shows the picture now: [`display::show`].
    pub fn show(&self) {
        display::show(self);
    }

    /// What evcxr calls when the picture is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }

    /// Writes the PNG file, replacing one that is there.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, &self.png).map_err(Error::io("write", path))
    }
}

impl Show for Picture {
    fn bundle(&self) -> Bundle {
        const PNG: &str = "image/png";
        Bundle::new()
            .with_bytes(PNG, &self.png)
            .with_metadata(PNG, "width", self.width)
            .with_metadata(PNG, "height", self.height)
            .with_metadata(PNG, "alt", self.alt.as_str())
            .with_alt(self.alt.as_str())
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.alt)
    }
}
