//! Pictures side by side, enlarged, each with its label below.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use tch::{Device, Kind, Tensor};

use crate::data::transform::{Normalize, check_images};
use crate::error::{Error, Result};
use crate::picture::font;
use crate::picture::{self, Picture};

/// How an [`image_grid`] looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageGridOptions {
    /// Pictures per row, at least 1; 8, or all where there are fewer.
    pub columns: usize,
    /// Side of an image's pixel in pixels of the grid, at least 1; 3.
    pub scale: usize,
    /// Height of the letters in pixels, at least 1; 14.
    pub font_size: u32,
    /// Pixels around and between pictures; 8.
    pub padding: usize,
    /// The normalisation that f32 images went through, to be undone; the tutorial's.
    pub transform: Normalize,
}

impl Default for ImageGridOptions {
    fn default() -> ImageGridOptions {
        ImageGridOptions {
            columns: 8,
            scale: 3,
            font_size: 14,
            padding: 8,
            transform: Normalize::default(),
        }
    }
}

/// A grid of labelled pictures, drawn and ready to show.
///
/// Draws `images`, `[N, 3, H, W]` or grey `[N, 1, H, W]` on any device, either u8 or f32 normalised
/// with `options.transform`, with `labels` below them. Neither is modified.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// let cifar10 = Cifar10::load(&Cifar10Options::default())?;
/// let four = cifar10.train.take(4);
/// let labels: Vec<i64> = Vec::try_from(&four.labels)?;
/// let names: Vec<&str> = labels.iter().map(|label| CLASSES[*label as usize]).collect();
/// image_grid(&four.images, &names, ImageGridOptions::default())?.show();
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Shape`] for another rank or kind, for no image, and for a number of labels other than
/// N; [`Error::Option`] for a `columns`, `scale` or `font_size` of 0, and for numbers that make a
/// picture of more than 100,000,000 pixels.
pub fn image_grid(
    images: &Tensor,
    labels: &[impl AsRef<str>],
    options: ImageGridOptions,
) -> Result<Picture> {
    let labels: Vec<Label> =
        labels.iter().map(|label| Label { text: label.as_ref(), colour: BLACK }).collect();
    draw(OPERATION, images, &labels, &options, |layout| {
        let words: Vec<&str> = labels.iter().map(|label| label.text).collect();
        // Not translated: text for a screen reader, as the picture's.
        format!("{layout}, labelled row by row: {}.", words.join(", "))
    })
}

const OPERATION: &str = "image_grid";

/// What stands below a picture.
pub(crate) struct Label<'a> {
    pub(crate) text: &'a str,
    pub(crate) colour: RGBColor,
}

/// Draws [`image_grid`]; `alt` makes the text alternative out of the words for the layout.
pub(crate) fn draw(
    operation: &'static str,
    images: &Tensor,
    labels: &[Label],
    options: &ImageGridOptions,
    alt: impl FnOnce(&str) -> String,
) -> Result<Picture> {
    if !images.defined() {
        let (expected, got) = ("images".to_owned(), "an undefined tensor".to_owned());
        return Err(Error::Shape { operation, expected, got });
    }
    let images = colour(images);
    check(operation, &images, labels.len(), options)?;
    font::register()?;
    let layout = Layout::new(&images.size(), labels, options)?;
    let pixels = to_bytes(&images, &options.transform)?;
    let (width, height) = (layout.width(), layout.height());
    let mut rgb = vec![255; 3 * width * height];
    let image_bytes = 3 * layout.image_width * layout.image_height;
    for (index, image) in pixels.chunks_exact(image_bytes).enumerate() {
        layout.paste(&mut rgb, index, image);
    }
    layout.letter(&mut rgb, labels)?;
    Picture::from_rgb(width as u32, height as u32, &rgb, alt(&layout.words()))
}

/// Grey pictures with three equal channels, others as they are.
fn colour(images: &Tensor) -> Tensor {
    match images.size()[..] {
        [count, 1, height, width] => images.expand([count, 3, height, width], false),
        _ => images.shallow_clone(),
    }
}

fn check(
    operation: &'static str,
    images: &Tensor,
    labels: usize,
    options: &ImageGridOptions,
) -> Result<()> {
    check_images(operation, images)?;
    let size = images.size();
    let count = size[0];
    if size.contains(&0) && count > 0 {
        let (expected, got) = ("images of 1 or more pixels".to_owned(), format!("{size:?}"));
        return Err(Error::Shape { operation, expected, got });
    }
    if count == 0 || count != labels as i64 {
        let got = format!("{count} images and {labels} labels");
        return Err(Error::Shape {
            operation,
            expected: "one label for each of 1 or more images".to_owned(),
            got,
        });
    }
    let sizes = [
        ("columns", options.columns),
        ("scale", options.scale),
        ("font_size", options.font_size as usize),
    ];
    for (option, value) in sizes {
        if value == 0 {
            return Err(Error::option(option, "at least 1", value));
        }
    }
    Ok(())
}

/// The images as bytes, `N * H * W * 3`, colours last.
fn to_bytes(images: &Tensor, transform: &Normalize) -> Result<Vec<u8>> {
    let bytes = match images.kind() {
        Kind::Uint8 => images.shallow_clone(),
        _ => (transform.invert(&images.detach())? * 255.0)
            .round()
            .clamp(0.0, 255.0)
            .to_kind(Kind::Uint8),
    };
    // [N, 3, H, W] -> [N, H, W, 3] -> [N * H * W * 3]
    let bytes = bytes.to_device(Device::Cpu).permute([0, 2, 3, 1]).contiguous().view(-1);
    Ok(Vec::try_from(&bytes)?)
}

/// Where everything goes, in pixels.
struct Layout {
    count: usize,
    columns: usize,
    image_width: usize,
    image_height: usize,
    scale: usize,
    padding: usize,
    cell_width: usize,
    label_height: usize,
    font_size: u32,
}

impl Layout {
    fn new(size: &[i64], labels: &[Label], options: &ImageGridOptions) -> Result<Layout> {
        let (image_height, image_width) = (size[2] as usize, size[3] as usize);
        let columns = options.columns.min(labels.len());
        let rows = labels.len().div_ceil(columns);
        // Before letters of that size are measured, and before the sum of a cell could overflow.
        let side = |image: usize, letters: u32, count: usize| {
            let image = image as u128 * options.scale as u128;
            (image + u128::from(letters) + options.padding as u128) * count as u128
        };
        let option = "columns, scale, font_size or padding";
        let height = side(image_height, options.font_size, rows);
        picture::check_size(option, side(image_width, 0, columns), height)?;
        let style = TextStyle::from((font::FAMILY, options.font_size));
        // A label may be wider than its picture.
        let mut cell_width = image_width * options.scale;
        for label in labels {
            let (width, _) = style.font.box_size(label.text).map_err(|error| failed(&error))?;
            cell_width = cell_width.max(width as usize);
        }
        let lettered = (cell_width + options.padding) as u128 * columns as u128;
        picture::check_size(option, lettered + options.padding as u128, height)?;
        Ok(Layout {
            count: labels.len(),
            columns,
            image_width,
            image_height,
            scale: options.scale,
            padding: options.padding,
            cell_width,
            label_height: options.font_size as usize * 3 / 2,
            font_size: options.font_size,
        })
    }

    fn rows(&self) -> usize {
        self.count.div_ceil(self.columns)
    }

    fn width(&self) -> usize {
        self.columns * (self.cell_width + self.padding) + self.padding
    }

    fn height(&self) -> usize {
        self.rows() * self.row_height() + self.padding
    }

    fn row_height(&self) -> usize {
        self.image_height * self.scale + self.label_height + self.padding
    }

    /// Left top corner of a cell.
    fn cell(&self, index: usize) -> (usize, usize) {
        let (row, column) = (index / self.columns, index % self.columns);
        (
            self.padding + column * (self.cell_width + self.padding),
            self.padding + row * self.row_height(),
        )
    }

    /// Enlarges `image` (rows of RGB) by repeating pixels, into the middle of its cell.
    fn paste(&self, rgb: &mut [u8], index: usize, image: &[u8]) {
        let (left, top) = self.cell(index);
        let left = left + (self.cell_width - self.image_width * self.scale) / 2;
        for y in 0..self.image_height * self.scale {
            let line = &image[y / self.scale * self.image_width * 3..][..self.image_width * 3];
            let start = 3 * ((top + y) * self.width() + left);
            let target = &mut rgb[start..start + 3 * self.image_width * self.scale];
            for (x, pixel) in target.chunks_exact_mut(3).enumerate() {
                pixel.copy_from_slice(&line[x / self.scale * 3..][..3]);
            }
        }
    }

    /// Writes the labels below the pictures.
    fn letter(&self, rgb: &mut [u8], labels: &[Label]) -> Result<()> {
        let size = (self.width() as u32, self.height() as u32);
        let area = font::Canvas::new(rgb, size)?.into_drawing_area();
        let style =
            TextStyle::from((font::FAMILY, self.font_size)).pos(Pos::new(HPos::Center, VPos::Top));
        for (index, label) in labels.iter().enumerate() {
            let (left, top) = self.cell(index);
            let middle = (left + self.cell_width / 2) as i32;
            let below = (top + self.image_height * self.scale + self.label_height / 6) as i32;
            let style = style.color(&label.colour);
            area.draw_text(label.text, &style, (middle, below)).map_err(|error| failed(&error))?;
        }
        area.present().map_err(|error| failed(&error))
    }

    /// `A grid of 3 pictures in 1 row and 3 columns`.
    fn words(&self) -> String {
        let plural = |count: usize, word: &str| {
            format!("{count} {word}{}", if count == 1 { "" } else { "s" })
        };
        // Not translated: as above.
        format!(
            "A grid of {} in {} and {}",
            plural(self.count, "picture"),
            plural(self.rows(), "row"),
            plural(self.columns, "column")
        )
    }
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Draw { what: "image grid", reason: error.to_string() }
}
