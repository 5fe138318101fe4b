//! A file of parameters, whatever its format.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use tch::Tensor;

use super::contents::{Contents, Described, Entry, Storage, Stored};
use super::dtype::Dtype;
use super::fault::{Fault, damaged, unreadable};
use super::pth::{Archive, Legacy};
use super::safetensors::{self, Ranges};
use super::signature::{BEGINNING, Signature, signature};
use super::strided::{Records, Storages};
use crate::error::{Error, Result};

/// A file that is open: what it holds is known, its numbers are still to be read.
pub(super) struct Opened {
    pub(super) contents: Contents,
    /// One, or those of a net in several files; [`Entry::shard`] counts them.
    pub(super) shards: Vec<Shard>,
}

/// One file, and what was read of it.
pub(super) struct Shard {
    source: Source,
    storages: Storages,
}

enum Source {
    Archive(Archive),
    Legacy(Legacy),
    Ranges(Ranges),
}

impl Records for Source {
    fn bytes(&mut self, storage: &Storage, dtype: Dtype) -> std::result::Result<Vec<u8>, String> {
        match self {
            Source::Archive(archive) => archive.bytes(storage, dtype),
            Source::Legacy(legacy) => legacy.bytes(storage, dtype),
            Source::Ranges(ranges) => ranges.bytes(storage, dtype),
        }
    }
}

/// Opens one file of a net in several.
pub(super) fn open_shard(path: &Path) -> Result<Opened> {
    let (file, found) = begin(path)?;
    open_single(file, found, path)
}

/// The file and what it is by how it begins; `None` where that is nothing known.
pub(super) fn begin(path: &Path) -> Result<(File, Option<Signature>)> {
    if path.is_dir() {
        let what = Described::new("a directory", "name the file in it that holds the parameters");
        return Err(damaged(path)(what.into()));
    }
    if !path.is_file() {
        let remedy = "Run the cell that saves the net first, or correct the path.".to_owned();
        return Err(Error::MissingFile { path: path.to_owned(), remedy });
    }
    let io = || Error::io("read", path);
    let mut file = File::open(path).map_err(io())?;
    let mut beginning = Vec::new();
    file.by_ref().take(BEGINNING as u64).read_to_end(&mut beginning).map_err(io())?;
    file.rewind().map_err(io())?;
    if beginning.is_empty() {
        return Err(damaged(path)("it is empty".to_owned().into()));
    }
    Ok((file, signature(&beginning)))
}

/// Opens a file that is no index.
pub(super) fn open_single(file: File, found: Option<Signature>, path: &Path) -> Result<Opened> {
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    let read = match found {
        Some(Signature::Zip) => open_zip(file),
        Some(Signature::Pickle) => open_pickle(file, length),
        Some(Signature::Safetensors) => {
            let opened = safetensors::open(file, length).map_err(Fault::from);
            opened.map(|(ranges, contents)| (Source::Ranges(ranges), contents))
        }
        Some(Signature::Other(what, remedy)) => Err(Described::new(what, remedy).into()),
        Some(Signature::Json) => Err("it is a text in JSON, not parameters".to_owned().into()),
        None => Err("it is no file of torch.save, safetensors or libtorch".to_owned().into()),
    };
    let (source, contents) = read.map_err(damaged(path))?;
    let shards = vec![Shard { source, storages: Storages::default() }];
    Ok(Opened { contents, shards })
}

fn open_zip(file: File) -> std::result::Result<(Source, Contents), Fault> {
    let Some(mut archive) = Archive::open(file)? else {
        return Err(Described::new(
            "a zip archive without data.pkl, so not from torch.save",
            "if it holds the file, unpack it first; if NumPy wrote it (.npz), save it in Python: \
             torch.save({k: torch.from_numpy(v) for k, v in numpy.load(path).items()}, path)",
        )
        .into());
    };
    let contents = archive.contents()?;
    Ok((Source::Archive(archive), contents))
}

fn open_pickle(file: File, length: u64) -> std::result::Result<(Source, Contents), Fault> {
    match Legacy::open(file, length)? {
        Some((legacy, contents)) => Ok((Source::Legacy(legacy), contents)),
        None => Err(Described::new(
            "a pickle that torch.save did not write",
            "let PyTorch write it in Python: torch.save(pickle.load(open(path, \"rb\")), path)",
        )
        .into()),
    }
}

impl Opened {
    /// Whether its first file is one of safetensors.
    pub(super) fn is_safetensors(&self) -> bool {
        matches!(self.shards.first(), Some(Shard { source: Source::Ranges(_), .. }))
    }

    /// The tensor of an entry.
    pub(super) fn tensor(&mut self, entry: &Entry, path: &Path) -> Result<Tensor> {
        let Entry { name, tensor, shard } = entry;
        let read = match &**tensor {
            Stored::Strided(strided) => {
                let Shard { source, storages } = &mut self.shards[*shard];
                storages
                    .tensor(strided, source)
                    .map_err(|reason| format!("parameter {name}: {reason}").into())
            }
            Stored::Unreadable(described) => Err(unreadable(name, described)),
        };
        read.map_err(damaged(path))
    }
}
