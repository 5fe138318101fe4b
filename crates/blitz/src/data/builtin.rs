//! The built-in stand-in for CIFAR-10: ten classes drawn by code, in the same record format.
//!
//! Each picture shows one drawing ([`crate::data::cifar10::CLASSES`] names it) at a random place, size
//! and colour on a cluttered, noisy background. Half of the backgrounds are typical of the class
//! and half are not, so colour alone helps but does not decide. A set is a function of its
//! options: the same bytes on every machine.

mod drawing;

use std::fs;
use std::iter;
use std::path::{Path, PathBuf};

use crate::data::records::{self, RECORD_LEN, RecordFile, TEST_FILE, TRAIN_FILES};
use crate::data::split::Split;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};
use crate::tensor::random::PyTorchGenerator;
use drawing::{Paint, Scene, Shape, parts};

const CLASS_COUNT: usize = 10;
const SIDE: i64 = 32;
/// Pictures of a split: 3 GB.
const MOST: usize = 1_000_000;
/// Units of a drawing to a pixel.
const UNITS: i64 = 8;

/// Size and seed of a built-in set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltInOptions {
    /// Training pictures over the five files, 5 to 1,000,000.
    pub train: usize,
    /// Test pictures, 1 to 1,000,000.
    pub test: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for BuiltInOptions {
    fn default() -> BuiltInOptions {
        BuiltInOptions { train: 4_000, test: 1_000, seed: 10 }
    }
}

/// The content of the six files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltInFiles {
    /// `data_batch_1.bin` to `data_batch_5.bin`.
    pub train: [Vec<u8>; 5],
    /// `test_batch.bin`.
    pub test: Vec<u8>,
}

/// Draws the set in memory, as records of 3,073 bytes. The classes are equally frequent in each
/// split (as far as the number divides) and shuffled.
///
/// # Errors
///
/// [`Error::Option`] where a file would be empty or there are too many pictures, [`Error::Interrupted`] where the person asked to
/// stop.
pub fn draw(options: &BuiltInOptions) -> Result<BuiltInFiles> {
    for (option, least, got) in
        [("train", TRAIN_FILES.len(), options.train), ("test", 1, options.test)]
    {
        if got < least {
            let expected = format!("at least {least}");
            return Err(Error::option(option, expected, got));
        }
        if got > MOST {
            let expected = format!("at most {MOST}");
            return Err(Error::option(option, expected, got));
        }
    }
    let mut random = PyTorchGenerator::manual_seed(options.seed);
    let train = records_of(options.train, &mut random)?;
    let test = records_of(options.test, &mut random)?;
    // File i ends where i + 1 fifths of the pictures end, so no file is empty.
    let end = |index: usize| (index + 1) * options.train / TRAIN_FILES.len() * RECORD_LEN;
    let train = std::array::from_fn(|index| {
        let start = if index == 0 { 0 } else { end(index - 1) };
        train[start..end(index)].to_vec()
    });
    Ok(BuiltInFiles { train, test })
}

/// Writes the set as the six files of the official archive into `dir`, which is created.
///
/// # Errors
///
/// As [`draw`], and [`Error::Io`] where a file cannot be written.
pub fn write_to(options: &BuiltInOptions, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let files = draw(options)?;
    let named = TRAIN_FILES.iter().zip(&files.train).chain([(&TEST_FILE, &files.test)]);
    for (name, bytes) in named {
        let path = dir.join(name);
        fs::write(&path, bytes).map_err(Error::io("write", &path))?;
    }
    Ok(())
}

/// The set as splits, read by the same code as real files.
pub(crate) fn splits(options: &BuiltInOptions) -> Result<(Split, Split)> {
    let files = draw(options)?;
    let named = |name: &str, bytes: Vec<u8>| {
        Ok(RecordFile { path: PathBuf::from(format!("built-in {name}")), bytes })
    };
    let train_bytes = files.train.iter().map(Vec::len).sum();
    let train = TRAIN_FILES.iter().zip(files.train).map(|(name, bytes)| named(name, bytes));
    let train = records::split(train_bytes, train)?;
    let test = records::split(files.test.len(), iter::once(named(TEST_FILE, files.test)))?;
    Ok((train, test))
}

fn records_of(count: usize, random: &mut PyTorchGenerator) -> Result<Vec<u8>> {
    let watch = Watch::new();
    let mut bytes = Vec::with_capacity(count * RECORD_LEN);
    for place in random.randperm(count) {
        watch.check_during("the drawing of the built-in set", || "nothing was kept".to_owned())?;
        let label = place as usize % CLASS_COUNT;
        bytes.push(label as u8);
        bytes.extend_from_slice(&picture(label, random));
    }
    Ok(bytes)
}

/// One picture: 3,072 bytes, plane by plane.
fn picture(label: usize, random: &mut PyTorchGenerator) -> [u8; RECORD_LEN - 1] {
    let background = Background::random(label, random);
    let placement = Placement::random(random);
    let palette = Palette::random(random);
    let mut planes = [0; RECORD_LEN - 1];
    for y in 0..SIDE {
        for x in 0..SIDE {
            let mut colour = background.colour(x, y);
            let (u, v) = placement.to_drawing(x, y);
            for (shape, paint) in parts(label) {
                if shape.contains(u, v) {
                    colour = palette.colour(*paint);
                }
            }
            // The low three bytes of one draw are the noise of the three channels.
            let noise = random.random().to_le_bytes();
            for channel in 0..3 {
                let value = colour[channel] + (i64::from(noise[channel]) - 128) / 4;
                planes[channel * 1024 + (y * SIDE + x) as usize] = value.clamp(0, 255) as u8;
            }
        }
    }
    planes
}

/// A whole number from `low` to `high`, both included.
fn between(random: &mut PyTorchGenerator, low: i64, high: i64) -> i64 {
    low + i64::from(random.random()) % (high - low + 1)
}

fn varied(colour: [i64; 3], by: i64, random: &mut PyTorchGenerator) -> [i64; 3] {
    colour.map(|value| (value + between(random, -by, by)).clamp(0, 255))
}

/// Two colours, a horizon and three blots.
struct Background {
    above: [i64; 3],
    below: [i64; 3],
    horizon: i64,
    blots: [(Shape, [i64; 3]); 3],
}

impl Background {
    fn random(label: usize, random: &mut PyTorchGenerator) -> Background {
        let scene = match random.random() % 2 {
            0 => Scene::of(label),
            _ => Scene::ALL[random.random() as usize % Scene::ALL.len()],
        };
        let [above, below] = scene.colours();
        let above = varied(above, 25, random);
        let below = varied(below, 25, random);
        let horizon = between(random, 14, 24);
        let blots = std::array::from_fn(|_| {
            let (x, y) = (between(random, 0, SIDE), between(random, 0, SIDE));
            let (width, height) = (between(random, 2, 6), between(random, 2, 6));
            let shape = match random.random() % 2 {
                0 => Shape::Ellipse(x, y, width, height),
                _ => Shape::Rect(x - width, y - height, x + width, y + height),
            };
            let near = if y < horizon { above } else { below };
            (shape, varied(near, 35, random))
        });
        Background { above, below, horizon, blots }
    }

    fn colour(&self, x: i64, y: i64) -> [i64; 3] {
        let blot = self.blots.iter().rev().find(|(shape, _)| shape.contains(x, y));
        match blot {
            Some((_, colour)) => *colour,
            None if y < self.horizon => self.above,
            None => self.below,
        }
    }
}

/// Place, size, slant and direction of the drawing.
struct Placement {
    x: i64,
    y: i64,
    /// Size in 64ths.
    scale: i64,
    /// Shift to the side per unit of height, in 64ths.
    slant: i64,
    /// 1, or -1 for a drawing that looks the other way.
    direction: i64,
}

impl Placement {
    fn random(random: &mut PyTorchGenerator) -> Placement {
        let middle = SIDE * UNITS / 2;
        Placement {
            x: middle + between(random, -32, 32),
            y: middle + between(random, -28, 28),
            scale: between(random, 50, 72),
            slant: between(random, -10, 10),
            direction: between(random, 0, 1) * 2 - 1,
        }
    }

    /// The centre of pixel `(x, y)` on the drawing's own square.
    fn to_drawing(&self, x: i64, y: i64) -> (i64, i64) {
        let v = (y * UNITS + UNITS / 2 - self.y) * 64 / self.scale;
        let u = (x * UNITS + UNITS / 2 - self.x) * 64 / self.scale;
        (u * self.direction + v * self.slant / 64, v)
    }
}

/// The colours of the drawing.
struct Palette {
    body: [i64; 3],
    detail: [i64; 3],
    dark: [i64; 3],
}

impl Palette {
    /// Random colours, all of them lighter than the backgrounds but for the dark one.
    fn random(random: &mut PyTorchGenerator) -> Palette {
        let body = varied([195, 195, 195], 60, random);
        let detail = varied([175, 175, 175], 75, random);
        Palette { body, detail, dark: varied([18, 18, 20], 15, random) }
    }

    fn colour(&self, paint: Paint) -> [i64; 3] {
        match paint {
            Paint::Body => self.body,
            Paint::Detail => self.detail,
            Paint::Dark => self.dark,
        }
    }
}
