//! The built-in stand-in for CIFAR-10: ten classes drawn by code, in the same record format.
//!
//! Each picture shows one drawing ([`crate::data::cifar10::CLASSES`] names it) at a random place, size
//! and colour on a cluttered, noisy background. Half of the backgrounds are typical of the class
//! and half are not, so colour alone helps but does not decide. A set is a function of its
//! options: the same bytes on every machine.

mod drawing;
pub(crate) mod scene;

use std::fs;
use std::iter;
use std::path::{Path, PathBuf};

use crate::data::records::{self, RECORD_LEN, RecordFile, TEST_FILE, TRAIN_FILES};
use crate::data::split::Split;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};
use crate::tensor::random::PyTorchGenerator;
use scene::{SIDE, UNITS, View, noisy};

const CLASS_COUNT: usize = 10;
/// Pictures of a split: 3 GB.
const MOST: usize = 1_000_000;

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
    let view = View::random(label, random);
    let mut planes = [0; RECORD_LEN - 1];
    for y in 0..SIDE {
        for x in 0..SIDE {
            let middle = |pixel: i64| pixel * UNITS + UNITS / 2;
            let colour = noisy(view.colour(middle(x), middle(y)), random);
            for channel in 0..3 {
                planes[channel * 1024 + (y * SIDE + x) as usize] = colour[channel];
            }
        }
    }
    planes
}
