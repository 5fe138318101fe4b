//! PyTorch's `.pth` files: a zip archive with a pickle that says which tensors there are
//! (`data.pkl`), and a record of bytes for each (`data/0`, `data/1`, ...), not compressed.
//!
//! What `torch.save(net.state_dict(), path)` writes since version 1.6 can be read, and what is
//! written here `torch.load(path, weights_only=True)` reads.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use tch::Tensor;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::bytes;
use super::pickle::{self, Entry, Storage};
use crate::error::{Error, Result};

/// Records begin at multiples of this, as PyTorch's do, so that they can be mapped into memory.
const ALIGNMENT: u16 = 64;

/// The directory of all records; PyTorch takes the file's name, and reads any.
const ROOT: &str = "archive";

/// Writes `tensors` in their order.
pub(super) fn write(
    tensors: &[(String, Tensor)],
    file: &mut (impl Write + Seek),
    path: &Path,
) -> Result<()> {
    let io = |error: ZipError| Error::io("write", path)(error.into());
    let entries: Vec<Entry> = tensors
        .iter()
        .enumerate()
        .map(|(index, (name, tensor))| entry(index, name, tensor))
        .collect();
    let pickle = pickle::write(&entries).map_err(|expected| Error::Shape {
        operation: "checkpoint::save",
        expected: "parameters of another kind".to_owned(),
        got: expected,
    })?;
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
    for (index, (_, tensor)) in tensors.iter().enumerate() {
        let bytes = bytes(tensor)?;
        record(&format!("data/{index}"), &bytes).map_err(io)?;
    }
    record("version", b"3\n").map_err(io)?;
    archive.finish().map_err(io)?;
    Ok(())
}

/// `tensor` is contiguous.
fn entry(index: usize, name: &str, tensor: &Tensor) -> Entry {
    let storage =
        Storage { key: index.to_string(), kind: tensor.kind(), len: tensor.numel() as i64 };
    Entry {
        name: name.to_owned(),
        storage,
        offset: 0,
        size: tensor.size(),
        stride: tensor.stride(),
    }
}

/// The tensors of the file; `check` sees their names and shapes before any of them is made.
pub(super) fn read(
    path: &Path,
    check: impl FnOnce(&[(String, Vec<i64>)]) -> Result<()>,
) -> Result<Vec<(String, Tensor)>> {
    let damaged = |reason: String| Error::DamagedCheckpoint { path: path.to_owned(), reason };
    let mut file = BufReader::new(File::open(path).map_err(Error::io("read", path))?);
    check_beginning(&mut file).map_err(damaged)?;
    let mut archive = Archive::open(file).map_err(damaged)?;
    let entries = archive.entries().map_err(damaged)?;
    let shapes: Vec<_> =
        entries.iter().map(|entry| (entry.name.clone(), entry.size.clone())).collect();
    check(&shapes)?;
    let mut tensors = Vec::with_capacity(entries.len());
    for entry in entries {
        let tensor = archive
            .tensor(&entry)
            .map_err(|reason| damaged(format!("parameter {}: {reason}", entry.name)))?;
        tensors.push((entry.name, tensor));
    }
    Ok(tensors)
}

/// Files that are something else are told apart by how they begin.
fn check_beginning(file: &mut (impl Read + Seek)) -> std::result::Result<(), String> {
    let mut beginning = Vec::new();
    file.take(4).read_to_end(&mut beginning).map_err(|error| error.to_string())?;
    file.rewind().map_err(|error| error.to_string())?;
    match beginning.as_slice() {
        b"PK\x03\x04" => Ok(()),
        [0x80, ..] => Err("it has PyTorch's format from before version 1.6; load it in Python \
                           and save it again"
            .to_owned()),
        _ => Err("it is not a file of torch.save".to_owned()),
    }
}

struct Archive {
    zip: ZipArchive<BufReader<File>>,
    /// What stands before `data.pkl`, with the slash.
    root: String,
}

impl Archive {
    fn open(file: BufReader<File>) -> std::result::Result<Archive, String> {
        let zip = ZipArchive::new(file)
            .map_err(|error| format!("it is cut off, or no zip archive ({error})"))?;
        let names = zip.file_names().filter_map(|name| Some(name.ok()?.into_owned()));
        let root = names.into_iter().find_map(|name| {
            let root = name.strip_suffix("data.pkl")?;
            (root.ends_with('/') && root.matches('/').count() == 1).then(|| root.to_owned())
        });
        let root = root.ok_or("it has no record data.pkl")?;
        let archive = Archive { zip, root };
        if archive.zip.index_for_name(&format!("{}constants.pkl", archive.root)).is_some() {
            return Err("it is a TorchScript program; save net.state_dict() instead".to_owned());
        }
        Ok(archive)
    }

    fn entries(&mut self) -> std::result::Result<Vec<Entry>, String> {
        if self.zip.index_for_name(&format!("{}byteorder", self.root)).is_some()
            && self.record("byteorder")? != b"little"
        {
            return Err("its numbers are big-endian".to_owned());
        }
        pickle::read(&self.record("data.pkl")?)
    }

    /// The bytes of a record, checked against its sum.
    fn record(&mut self, name: &str) -> std::result::Result<Vec<u8>, String> {
        let failed = |error: &dyn std::fmt::Display| format!("record {name}: {error}");
        let file = self.zip.by_name(&format!("{}{name}", self.root));
        let mut file = file.map_err(|error| failed(&error))?;
        if file.compression() != CompressionMethod::Stored {
            return Err(failed(&"it is compressed, which torch.save never does"));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error: io::Error| failed(&error))?;
        Ok(bytes)
    }

    fn tensor(&mut self, entry: &Entry) -> std::result::Result<Tensor, String> {
        let Entry { storage, offset, size, stride, .. } = entry;
        check_bounds(entry)?;
        let bytes = self.record(&format!("data/{}", storage.key))?;
        let expected = storage.len as usize * storage.kind.elt_size_in_bytes();
        if bytes.len() != expected {
            return Err(format!("expected {expected} bytes, found {}", bytes.len()));
        }
        let whole = Tensor::f_from_data_size(&bytes, &[storage.len], storage.kind);
        let tensor =
            whole.and_then(|whole| whole.f_as_strided(size, stride, *offset)?.f_contiguous());
        tensor.map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
    }
}

/// Whether all elements lie within the storage.
fn check_bounds(entry: &Entry) -> std::result::Result<(), String> {
    let Entry { storage, offset, size, stride, .. } = entry;
    let inside = || {
        let mut last = *offset;
        for (size, stride) in size.iter().zip(stride) {
            if *size < 0 || *stride < 0 {
                return None;
            }
            last = last.checked_add(size.checked_sub(1)?.max(0).checked_mul(*stride)?)?;
        }
        let empty = size.contains(&0);
        let end = if empty { *offset } else { last.checked_add(1)? };
        (*offset >= 0 && storage.len >= 0 && size.len() == stride.len() && end <= storage.len)
            .then_some(())
    };
    inside().ok_or_else(|| {
        let len = storage.len;
        format!("shape {size:?}, strides {stride:?} and offset {offset} exceed {len} elements")
    })
}
