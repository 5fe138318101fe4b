//! A small folder of drawn pictures by class, to try an
//! [`ImageFolder`](crate::data::image_folder::ImageFolder) with.

mod own_files;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, Luma, RgbImage};

use crate::data::builtin::scene::{SIDE, UNITS, View, between, noisy};
use crate::data::cifar10::CLASSES;
use crate::data::transform::brightness;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};
use crate::tensor::random::PyTorchGenerator;
use own_files::OwnFiles;

const PER_CLASS: usize = 1_000;
const SIZES: std::ops::RangeInclusive<u32> = 16..=512;
/// One picture in so many is grey.
const GREY: usize = 5;

/// What [`drawn_folder`] draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnFolderOptions {
    /// The classes, a folder each: some of CIFAR-10's [`CLASSES`]; cat, ship and truck.
    pub classes: Vec<String>,
    /// Pictures of each class, 1 to 1,000; 24.
    pub per_class: usize,
    /// The least shorter side in pixels, 16 to 512; 40. Shorter sides are up to half as long again, and
    /// longer ones up to half as long again as those.
    pub size: u32,
    /// Seed of everything random; 0.
    pub seed: u64,
}

impl Default for DrawnFolderOptions {
    fn default() -> DrawnFolderOptions {
        DrawnFolderOptions {
            classes: ["cat", "ship", "truck"].map(str::to_owned).to_vec(),
            per_class: 24,
            size: 40,
            seed: 0,
        }
    }
}

/// Draws PNG files into folders by class, `dir/cat/cat_001.png` and so on, and returns their paths in
/// the order of `options.classes`. Sizes and proportions differ, and every fifth picture is grey. The
/// same options give the same bytes on every machine.
///
/// `dir` is made where it is not there. The hidden file `.rust-blitz-drawn` in it names each file with
/// its SHA-256, as `sha256sum` does: what was drawn by an earlier call and not changed since is
/// replaced, or removed where it is not wanted any more; nothing else is ever touched.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// drawn_folder("drawn", &DrawnFolderOptions::default())?;
/// print!("{}", ImageFolder::load("drawn", &ImageFolderOptions::default())?);
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Folder`] where `dir` holds something and was not made by this function, and where one of
/// the files is there and somebody else's; [`Error::Option`] for options outside their ranges;
/// [`Error::Io`] where a file cannot be written; [`Error::Interrupted`] where the person asked to stop,
/// before anything was written.
pub fn drawn_folder(dir: impl AsRef<Path>, options: &DrawnFolderOptions) -> Result<Vec<PathBuf>> {
    let dir = dir.as_ref();
    let labels = labels(options)?;
    let before = OwnFiles::of(dir)?;
    let mut random = PyTorchGenerator::manual_seed(options.seed);
    let watch = Watch::new();
    let mut files = Vec::new();
    for (name, label) in options.classes.iter().zip(labels) {
        for index in 1..=options.per_class {
            watch.check_during("drawn_folder", || "nothing was written".to_owned())?;
            let is_grey = index.is_multiple_of(GREY);
            let picture = picture(label, options.size, &mut random);
            files.push((format!("{name}/{name}_{index:03}.png"), png(picture, is_grey)?));
        }
    }
    before.replace(&files)?;
    Ok(files.into_iter().map(|(name, _)| dir.join(name)).collect())
}

/// The labels of the classes, among CIFAR-10's.
fn labels(options: &DrawnFolderOptions) -> Result<Vec<usize>> {
    let DrawnFolderOptions { classes, per_class, size, .. } = options;
    if !(1..=PER_CLASS).contains(per_class) {
        return Err(Error::option("per_class", format!("from 1 to {PER_CLASS}"), per_class));
    }
    if !SIZES.contains(size) {
        let expected = format!("from {} to {}", SIZES.start(), SIZES.end());
        return Err(Error::option("size", expected, size));
    }
    let mut labels = Vec::new();
    for name in classes {
        let label = CLASSES.iter().position(|class| class == name);
        match label.filter(|label| !labels.contains(label)) {
            Some(label) => labels.push(label),
            None => {
                let expected = format!("different ones of {}", CLASSES.join(", "));
                return Err(Error::option("classes", expected, format!("{classes:?}")));
            }
        }
    }
    match labels.is_empty() {
        true => Err(Error::option("classes", "one or more names", "none")),
        false => Ok(labels),
    }
}

fn picture(label: usize, size: u32, random: &mut PyTorchGenerator) -> RgbImage {
    let size = i64::from(size);
    let short = between(random, size, size + size / 2);
    let long = between(random, short, short + short / 2);
    let (width, height) = match random.random() % 2 {
        0 => (short, long),
        _ => (long, short),
    };
    let view = View::random(label, random);
    // Twice the distance of a pixel's centre from the picture's, in units from the square's corner.
    let place = |twice: i64| twice * SIDE * UNITS / (2 * short) + SIDE * UNITS / 2;
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let from_middle = |pixel: u32, side: i64| 2 * i64::from(pixel) + 1 - side;
        let (x, y) = (place(from_middle(x, width)), place(from_middle(y, height)));
        image::Rgb(noisy(view.colour(x, y), random))
    })
}

fn png(picture: RgbImage, is_grey: bool) -> Result<Vec<u8>> {
    let picture = match is_grey {
        false => DynamicImage::ImageRgb8(picture),
        true => {
            let (width, height) = picture.dimensions();
            let grey = |x, y| Luma([brightness(picture.get_pixel(x, y).0)]);
            DynamicImage::ImageLuma8(image::GrayImage::from_fn(width, height, grey))
        }
    };
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| Error::Draw { what: "picture", reason: error.to_string() })?;
    Ok(bytes.into_inner())
}
