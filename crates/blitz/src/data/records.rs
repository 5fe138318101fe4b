//! The binary record format of CIFAR-10: one label byte, then 3,072 bytes of picture.
//!
//! A picture is its red, green and blue plane in turn, each 32 rows of 32 pixels; see
//! <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::fs;
use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use crate::data::split::Split;
use crate::error::{Error, Result};

/// Bytes of one record in the files: a label and a picture.
pub const RECORD_LEN: usize = 1 + 3 * 32 * 32;
/// The directory that the official archive unpacks to.
pub(crate) const BATCHES_DIR: &str = "cifar-10-batches-bin";
/// The training files, in order.
pub(crate) const TRAIN_FILES: [&str; 5] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
];
/// The test file.
pub(crate) const TEST_FILE: &str = "test_batch.bin";

/// The bytes of one file and the name to use in errors.
pub(crate) struct RecordFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

/// Reads the six files of `dir` into the train and the test split.
pub(crate) fn read_dir(dir: &Path) -> Result<(Split, Split)> {
    // All six are looked for first: a missing last file should not cost reading the others.
    for name in TRAIN_FILES.iter().chain([&TEST_FILE]) {
        let path = dir.join(name);
        if !path.is_file() {
            let remedy = format!(
                "The directory must hold {} to {} and {TEST_FILE}.",
                TRAIN_FILES[0], TRAIN_FILES[4]
            );
            return Err(Error::MissingFile { path, remedy });
        }
    }
    let paths = TRAIN_FILES.map(|name| dir.join(name));
    Ok((read_split(&paths)?, read_split(&[dir.join(TEST_FILE)])?))
}

/// Reads one file at a time, so that next to the split itself there is never more than one.
fn read_split(paths: &[PathBuf]) -> Result<Split> {
    let mut bytes = 0;
    for path in paths {
        bytes += path.metadata().map_err(Error::io("read", path))?.len() as usize;
    }
    split(bytes, paths.iter().map(|path| read(path)))
}

fn read(path: &Path) -> Result<RecordFile> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    Ok(RecordFile { path: path.to_owned(), bytes })
}

/// Checks the files, `bytes` long together, and joins them to one split.
pub(crate) fn split(
    bytes: usize,
    files: impl Iterator<Item = Result<RecordFile>>,
) -> Result<Split> {
    const PICTURE: i64 = RECORD_LEN as i64 - 1;
    let room = (bytes / RECORD_LEN) as i64;
    let images = Tensor::empty([room, PICTURE], (Kind::Uint8, Device::Cpu));
    let labels = Tensor::empty([room], (Kind::Int64, Device::Cpu));
    let mut start = 0;
    for file in files {
        let file = file?;
        check(&file)?;
        let count = (file.bytes.len() / RECORD_LEN) as i64;
        if start + count > room {
            return Err(changed(&file));
        }
        // [count * 3073] -> [count, 3073]: column 0 is the label, the others are the picture
        let records = Tensor::from_slice(&file.bytes).view([count, RECORD_LEN as i64]);
        labels.narrow(0, start, count).copy_(&records.select(1, 0));
        images.narrow(0, start, count).copy_(&records.narrow(1, 1, PICTURE));
        start += count;
    }
    // [N, 3072] -> [N, 3, 32, 32]; files that shrank meanwhile have left room
    let images = images.narrow(0, 0, start).view([-1, 3, 32, 32]);
    Ok(Split { images, labels: labels.narrow(0, 0, start) })
}

fn changed(file: &RecordFile) -> Error {
    Error::DamagedFile {
        path: file.path.clone(),
        expected: "the length that it had a moment ago".to_owned(),
        found: file.bytes.len() as u64,
        remedy: "Another program is writing it; load again when that is done.".to_owned(),
    }
}

fn check(file: &RecordFile) -> Result<()> {
    if file.bytes.is_empty() || !file.bytes.len().is_multiple_of(RECORD_LEN) {
        let last = file.bytes.len() / RECORD_LEN * RECORD_LEN;
        return Err(Error::DamagedFile {
            path: file.path.clone(),
            expected: format!("a multiple of {RECORD_LEN} bytes, and not 0"),
            found: file.bytes.len() as u64,
            remedy: format!(
                "The record at byte {last} was cut off, or the file is of another format; fetch it \
                 again."
            ),
        });
    }
    for (index, record) in file.bytes.chunks_exact(RECORD_LEN).enumerate() {
        if record[0] > 9 {
            let offset = index * RECORD_LEN;
            return Err(Error::BadLabel { path: file.path.clone(), offset, found: record[0] });
        }
    }
    Ok(())
}
