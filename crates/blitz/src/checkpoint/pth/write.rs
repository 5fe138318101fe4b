//! Writing as `torch.save` does.

use std::collections::HashMap;
use std::io::{Seek, Write};
use std::path::Path;

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::checkpoint::pickle::{self, Written};
use crate::checkpoint::plain::Plain;
use crate::error::{Error, Result};

/// Records begin at multiples of this, as PyTorch's do, so that they can be mapped into memory.
const ALIGNMENT: u16 = 64;

/// The directory of all records; PyTorch takes the file's name, and reads any.
const ROOT: &str = "archive";

/// Writes `tensors` in their order; tied ones, which have the same numbers in memory, once.
pub(in crate::checkpoint) fn write(
    tensors: &[Plain],
    file: &mut (impl Write + Seek),
    path: &Path,
) -> Result<()> {
    let io = |error: ZipError| Error::io("write", path)(error.into());
    let mut storages: Vec<&Plain> = Vec::new();
    let mut keys = HashMap::new();
    let mut written = Vec::with_capacity(tensors.len());
    for plain in tensors {
        let key = *keys.entry(plain.place()).or_insert(storages.len());
        if key == storages.len() {
            storages.push(plain);
        }
        let Plain { name, dtype, .. } = plain;
        let (size, stride) = (plain.tensor.size(), plain.tensor.stride());
        let len = plain.tensor.numel() as i64;
        written.push(Written { name, dtype: *dtype, key, len, size, stride });
    }
    let pickle = pickle::write(&written);
    let mut archive = ZipWriter::new(file);
    let mut record = |name: &str, bytes: &[u8]| {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .with_alignment(ALIGNMENT)
            .large_file(u32::try_from(bytes.len()).is_err());
        archive.start_file(format!("{ROOT}/{name}"), options)?;
        archive.write_all(bytes).map_err(ZipError::Io)
    };
    record("data.pkl", &pickle).map_err(io)?;
    record("byteorder", b"little").map_err(io)?;
    for (index, plain) in storages.iter().enumerate() {
        record(&format!("data/{index}"), &plain.bytes()?).map_err(io)?;
    }
    record("version", b"3\n").map_err(io)?;
    archive.finish().map_err(io)?;
    Ok(())
}
