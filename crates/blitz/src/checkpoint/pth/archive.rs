//! The zip archives of `torch.save` and of TorchScript.

use std::fs::File;
use std::io::{self, BufReader, Read};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive};

use crate::checkpoint::contents::{Contents, Place, Storage};
use crate::checkpoint::dtype::Dtype;
use crate::checkpoint::pickle;
use crate::checkpoint::strided::Records;

type Result<T> = std::result::Result<T, String>;

/// An archive whose numbers are still in the file.
pub(in crate::checkpoint) struct Archive {
    zip: ZipArchive<BufReader<File>>,
    /// What stands before `data.pkl`, with the slash.
    root: String,
    big_endian: bool,
}

impl Archive {
    /// Opens it; `None` where the archive holds no `data.pkl`.
    pub(in crate::checkpoint) fn open(file: File) -> Result<Option<Archive>> {
        // Nothing stands before the archive. Searching for its directory, as the crate does where
        // it is not told so, misses that of some files.
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let zip = ZipArchive::with_config(config, BufReader::new(file))
            .map_err(|error| format!("it is cut off, or no zip archive ({error})"))?;
        if zip.has_duplicate_names() {
            return Err("its zip archive has several records of one name".to_owned());
        }
        let names = zip.file_names().filter_map(|name| Some(name.ok()?.into_owned()));
        let root = names.into_iter().find_map(|name| {
            let root = name.strip_suffix("data.pkl")?;
            (root.ends_with('/') && root.matches('/').count() == 1 || root.is_empty())
                .then(|| root.to_owned())
        });
        let Some(root) = root else { return Ok(None) };
        let mut archive = Archive { zip, root, big_endian: false };
        if archive.has("byteorder") {
            archive.big_endian = match archive.record("byteorder", None)?.as_slice() {
                b"little" => false,
                b"big" => true,
                _ => return Err("its record byteorder says neither little nor big".to_owned()),
            };
        }
        Ok(Some(archive))
    }

    fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(&format!("{}{name}", self.root)).is_some()
    }

    /// What `data.pkl` says.
    pub(in crate::checkpoint) fn contents(&mut self) -> Result<Contents> {
        let pickle = self.record("data.pkl", None)?;
        let (parsed, _) = pickle::parse(&pickle)?;
        // Only TorchScript has this record.
        if self.has("constants.pkl") { parsed.module() } else { parsed.contents() }
    }

    /// The bytes of a record, checked against its sum.
    fn record(&mut self, name: &str, expected: Option<u64>) -> Result<Vec<u8>> {
        let failed = |error: &dyn std::fmt::Display| format!("record {name}: {error}");
        let index = self.zip.index_for_name(&format!("{}{name}", self.root));
        let index = index.ok_or_else(|| failed(&"it is not in the archive"))?;
        let file = self.zip.by_index_raw(index).map_err(|error| failed(&error))?;
        let (size, sum, method) = (file.size(), file.crc32(), file.compression());
        if file.encrypted() {
            return Err(failed(&"it is encrypted"));
        }
        if let Some(expected) = expected.filter(|expected| *expected != size) {
            return Err(format!("expected {expected} bytes, found {size}"));
        }
        // One byte more, so that too many are noticed.
        let limit = size.saturating_add(1);
        let mut bytes = Vec::new();
        let read = match method {
            CompressionMethod::Stored => file.take(limit).read_to_end(&mut bytes),
            // What other programs make of an archive; PyTorch reads it too.
            CompressionMethod::DEFLATE => {
                DeflateDecoder::new(file).take(limit).read_to_end(&mut bytes)
            }
            _ => Err(io::Error::other("it is compressed in another way than PyTorch reads")),
        };
        read.map_err(|error| failed(&error))?;
        if bytes.len() as u64 != size {
            return Err(failed(&format!("expected {size} bytes, found {}", bytes.len())));
        }
        // torch.serialization.set_crc32_options(False) leaves all sums out.
        let mut found = Crc::new();
        found.update(&bytes);
        if sum != 0 && found.sum() != sum {
            return Err(failed(&"its bytes do not agree with their sum (CRC-32)"));
        }
        Ok(bytes)
    }
}

impl Records for Archive {
    fn bytes(&mut self, storage: &Storage, dtype: Dtype) -> Result<Vec<u8>> {
        let Place::Record(key) = &storage.place else {
            return Err("it lies in no record".to_owned());
        };
        let mut bytes = self.record(&format!("data/{key}"), Some(storage.bytes))?;
        if self.big_endian && dtype.word() > 1 {
            if storage.untyped {
                return Err(format!(
                    "it has big-endian numbers of the kind {}, which PyTorch does not turn round",
                    dtype.torch()
                ));
            }
            bytes.chunks_exact_mut(dtype.word()).for_each(<[u8]>::reverse);
        }
        Ok(bytes)
    }
}
