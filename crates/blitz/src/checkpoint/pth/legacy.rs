//! Files that `torch.save` wrote before version 1.6, and writes still with
//! `_use_new_zipfile_serialization=False`: a magic number, the format's version and facts about the
//! machine, the object, the storages' keys, each a pickle; then the storages in the keys' order, each
//! with its length before it.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use crate::checkpoint::contents::{Contents, Place, Storage};
use crate::checkpoint::dtype::Dtype;
use crate::checkpoint::pickle::{self, Parsed};
use crate::checkpoint::strided::Records;

type Result<T> = std::result::Result<T, String>;

/// A file in memory.
pub(in crate::checkpoint) struct Legacy {
    bytes: Vec<u8>,
    /// Where the storages lie, by their keys; the lengths that stand before them are counted in
    /// numbers, whose width the tensors say.
    places: HashMap<String, Range<usize>>,
}

impl Legacy {
    /// Opens the file `bytes`; `None` where it is a pickle of something else.
    pub(in crate::checkpoint) fn open(bytes: Vec<u8>) -> Result<Option<(Legacy, Contents)>> {
        let (first, rest) = pickle::parse(&bytes)?;
        if !first.is_magic() {
            return Ok(None);
        }
        let (_, rest) = pickle::parse(rest)?;
        // Whether that machine was little-endian; the numbers always are.
        let (_, rest) = pickle::parse(rest)?;
        let (object, rest) = pickle::parse(rest)?;
        let contents = object.contents()?;
        let (keys, rest) = pickle::parse(rest)?;
        let start = bytes.len() - rest.len();
        let places = places(&keys, &object.storage_widths(), &bytes, start)?;
        Ok(Some((Legacy { bytes, places }, contents)))
    }
}

/// Where the storages lie. They are in the order of `keys`, the first at `start`.
fn places(
    keys: &Parsed<'_>,
    widths: &HashMap<Rc<str>, usize>,
    bytes: &[u8],
    start: usize,
) -> Result<HashMap<String, Range<usize>>> {
    let keys = keys.keys().ok_or("it has no list of its storages")?;
    let mut places = HashMap::new();
    let mut start = start;
    let cut_off = || "it is cut off".to_owned();
    for key in keys {
        // Of a kind that cannot be read, such as quantised numbers; nobody asks for the rest.
        let Some(width) = widths.get(key) else { break };
        let length = bytes.get(start..).and_then(|rest| rest.first_chunk()).ok_or_else(cut_off)?;
        let length = usize::try_from(i64::from_le_bytes(*length)).ok();
        start += 8;
        let end = length.and_then(|length| length.checked_mul(*width)?.checked_add(start));
        let end = end.filter(|end| *end <= bytes.len()).ok_or_else(cut_off)?;
        places.insert(key.to_owned(), start..end);
        start = end;
    }
    Ok(places)
}

impl Records for Legacy {
    fn bytes(&mut self, storage: &Storage, _: Dtype) -> Result<Vec<u8>> {
        let Place::Record(key) = &storage.place else {
            return Err("it lies in no record".to_owned());
        };
        let place = self.places.get(&**key).ok_or("its storage is not in the file")?;
        let bytes = &self.bytes[place.clone()];
        if bytes.len() as u64 != storage.bytes {
            return Err(format!("expected {} bytes, found {}", storage.bytes, bytes.len()));
        }
        Ok(bytes.to_vec())
    }
}
