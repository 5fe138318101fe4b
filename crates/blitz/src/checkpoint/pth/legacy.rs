//! Files that `torch.save` wrote before version 1.6, and writes still with
//! `_use_new_zipfile_serialization=False`: a magic number, the format's version and facts about the
//! machine, the object, the storages' keys, each a pickle; then the storages in the keys' order, each
//! with its length before it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use crate::checkpoint::contents::{Contents, Place, Storage};
use crate::checkpoint::dtype::Dtype;
use crate::checkpoint::pickle;
use crate::checkpoint::strided::Records;

type Result<T> = std::result::Result<T, String>;

/// What is read of a file at first; its pickles are mostly shorter.
const BEGINNING: u64 = 1 << 20;

/// A file whose numbers are still in it.
pub(in crate::checkpoint) struct Legacy {
    file: File,
    /// Where the storages lie, by their keys; the lengths that stand before them are counted in
    /// numbers, whose width the tensors say.
    places: HashMap<String, Range<u64>>,
}

/// What the pickles say.
struct Pickles {
    contents: Contents,
    /// The storages' keys, in their order in the file, and the bytes of a number of each.
    keys: Vec<(String, Option<usize>)>,
    /// Where the first storage begins.
    start: u64,
}

impl Legacy {
    /// Opens the file of `length` bytes; `None` where it is a pickle of something else.
    pub(in crate::checkpoint) fn open(
        mut file: File,
        length: u64,
    ) -> Result<Option<(Legacy, Contents)>> {
        let mut size = BEGINNING.min(length);
        loop {
            let bytes = read(&mut file, 0..size)?;
            match pickles(&bytes) {
                Ok(Some(Pickles { contents, keys, start })) => {
                    let places = places(&mut file, keys, start, length)?;
                    return Ok(Some((Legacy { file, places }, contents)));
                }
                Ok(None) => return Ok(None),
                // Perhaps they are longer.
                Err(_) if size < length => size = size.saturating_mul(8).min(length),
                Err(reason) => return Err(reason),
            }
        }
    }
}

fn pickles(bytes: &[u8]) -> Result<Option<Pickles>> {
    let (first, rest) = pickle::parse(bytes)?;
    if !first.is_magic() {
        return Ok(None);
    }
    let (_, rest) = pickle::parse(rest)?;
    // Whether that machine was little-endian; the numbers always are.
    let (_, rest) = pickle::parse(rest)?;
    let (object, rest) = pickle::parse(rest)?;
    let contents = object.contents()?;
    let (keys, rest) = pickle::parse(rest)?;
    let keys = keys.keys().ok_or("it has no list of its storages")?;
    let widths = object.storage_widths();
    let keys = keys.into_iter().map(|key| (key.to_owned(), widths.get(key).copied())).collect();
    Ok(Some(Pickles { contents, keys, start: (bytes.len() - rest.len()) as u64 }))
}

/// Where the storages lie. They are in the order of `keys`, the first at `start`.
fn places(
    file: &mut File,
    keys: Vec<(String, Option<usize>)>,
    start: u64,
    length: u64,
) -> Result<HashMap<String, Range<u64>>> {
    let mut places = HashMap::new();
    let mut start = start;
    let cut_off = || "it is cut off".to_owned();
    for (key, width) in keys {
        // Of a kind that cannot be read, such as quantised numbers; nobody asks for the rest.
        let Some(width) = width else { break };
        if length - start < 8 {
            return Err(cut_off());
        }
        let count = read(file, start..start + 8)?.try_into().expect("8 bytes");
        let count = u64::try_from(i64::from_le_bytes(count)).ok();
        start += 8;
        let end = count.and_then(|count| count.checked_mul(width as u64)?.checked_add(start));
        let end = end.filter(|end| *end <= length).ok_or_else(cut_off)?;
        places.insert(key, start..end);
        start = end;
    }
    Ok(places)
}

/// These bytes of the file, which is so long.
fn read(file: &mut File, place: Range<u64>) -> Result<Vec<u8>> {
    let length = usize::try_from(place.end - place.start).map_err(|error| error.to_string())?;
    let mut bytes = vec![0; length];
    let found = file.seek(SeekFrom::Start(place.start)).and_then(|_| file.read_exact(&mut bytes));
    found.map_err(|error| error.to_string())?;
    Ok(bytes)
}

impl Records for Legacy {
    fn bytes(&mut self, storage: &Storage, _: Dtype) -> Result<Vec<u8>> {
        let Place::Record(key) = &storage.place else {
            return Err("it lies in no record".to_owned());
        };
        let place = self.places.get(&**key).ok_or("its storage is not in the file")?.clone();
        let length = place.end - place.start;
        if length != storage.bytes {
            return Err(format!("expected {} bytes, found {length}", storage.bytes));
        }
        read(&mut self.file, place)
    }
}
