//! A finished picture: PNG bytes and the text that says what they show.

use std::io::Cursor;
use std::path::Path;

use crate::display;
use crate::error::{Error, Result};

/// A PNG picture with its text alternative.
///
/// As the last expression of a notebook cell it shows itself; [`Picture::show`] shows it from
/// anywhere in the cell. A cell has room for one picture: a second replaces the first.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    png: Vec<u8>,
    alt: String,
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
        Ok(Picture { png, alt })
    }

    /// The bytes of the PNG file.
    pub fn png(&self) -> &[u8] {
        &self.png
    }

    /// The text alternative: one short paragraph, the same on every machine.
    pub fn alt(&self) -> &str {
        &self.alt
    }

    /// Shows the picture as the output of the running notebook cell.
    pub fn show(&self) {
        display::emit(&display::picture_blocks(&self.png, &self.alt));
    }

    /// What evcxr calls when the picture is the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.show();
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

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.alt)
    }
}
