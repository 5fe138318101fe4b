//! Reading `.safetensors`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;

use super::header::{Header, Place as Found};
use crate::checkpoint::contents::{
    Contents, Described, Dictionary, Entry, Marks, Place, Storage, Stored, Strided,
};
use crate::checkpoint::dtype::Dtype;
use crate::checkpoint::strided::Records;

type Result<T> = std::result::Result<T, String>;

/// The format's own limit for a header.
const LONGEST_HEADER: u64 = 100_000_000;

/// Where the format has room for texts.
const METADATA: &str = "__metadata__";

/// A file whose tensors are ranges of bytes.
pub(in crate::checkpoint) struct Ranges {
    file: File,
}

/// Whether a file that begins with these bytes is one: the length of the header, then its brace.
pub(in crate::checkpoint) fn begins(bytes: &[u8]) -> bool {
    let length = bytes.first_chunk().map(|length| u64::from_le_bytes(*length));
    // Python lets white space stand before it, Rust too.
    let brace =
        bytes.get(8..).and_then(|rest| rest.iter().find(|byte| !byte.is_ascii_whitespace()));
    length.is_some_and(|length| length < 1 << 48) && brace == Some(&b'{')
}

/// Opens the file of `length` bytes.
pub(in crate::checkpoint) fn open(mut file: File, length: u64) -> Result<(Ranges, Contents)> {
    let failed = |error: std::io::Error| format!("its header cannot be read ({error})");
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(failed)?;
    let size = u64::from_le_bytes(size);
    let start = size.checked_add(8).filter(|start| *start <= length);
    let start = start.ok_or_else(|| format!("it is cut off: its header has {size} bytes"))?;
    if size > LONGEST_HEADER {
        return Err(format!("its header has {size} bytes, more than the format allows"));
    }
    let mut header = vec![0; size as usize];
    file.read_exact(&mut header).map_err(failed)?;
    let header: Header = serde_json::from_slice(&header)
        .map_err(|error| format!("its header is damaged ({error})"))?;
    drop_damaged(&header, length - start)?;
    let metadata = Dictionary::of_json(METADATA, &header.metadata);
    let entries = header.places.into_iter().map(|(name, found)| entry(name, found, start));
    let entries = entries.collect::<Result<_>>()?;
    let dictionary = Dictionary { entries, ..Dictionary::default() };
    let whole = Described::new("no tensors", "");
    let contents = Contents { dictionaries: vec![dictionary], notes: vec![metadata], whole };
    Ok((Ranges { file }, contents))
}

/// The rules of the format: the tensors lie one behind the other, and together are the rest of the
/// file, of `length` bytes.
fn drop_damaged(header: &Header, length: u64) -> Result<()> {
    let mut names = HashSet::new();
    let mut places: Vec<_> = header.places.iter().collect();
    places.sort_by_key(|(_, place)| (place.start, place.end));
    let mut end = 0;
    for (name, place) in places {
        if !names.insert(name.as_str()) {
            return Err(format!("parameter {name} stands in its header twice"));
        }
        if place.start != end || place.end < place.start {
            let (found, expected) = (place.start, end);
            return Err(format!(
                "parameter {name} begins at byte {found}, expected {expected}: tensors overlap, or \
                 something lies between them"
            ));
        }
        end = place.end;
    }
    match end == length {
        true => Ok(()),
        false => Err(format!("expected {end} bytes after its header, found {length}")),
    }
}

/// `start` is where the first tensor lies in the file.
fn entry(name: String, found: Found, start: u64) -> Result<Entry> {
    let Found { dtype, shape, start: from, end } = found;
    let Some(dtype) = Dtype::of_safetensors(&dtype) else {
        let what = format!("a tensor of the kind {dtype}");
        let tensor = Rc::new(Stored::Unreadable(Described::new(what, OTHER_KIND)));
        return Ok(Entry { name, tensor, shard: 0 });
    };
    let count =
        shape.iter().try_fold(1i64, |count, size| count.checked_mul(*size).filter(|_| *size >= 0));
    let expected = count.and_then(|count| (count as u64).checked_mul(dtype.bytes() as u64));
    if expected != Some(end - from) {
        return Err(format!(
            "parameter {name} has shape {shape:?} of {}, but {} bytes",
            dtype.torch(),
            end - from
        ));
    }
    let mut stride = vec![1i64; shape.len()];
    for index in (1..shape.len()).rev() {
        // Of an empty tensor any strides will do.
        stride[index - 1] = stride[index].saturating_mul(shape[index].max(1));
    }
    let place = Place::Offset(start + from);
    let storage = Storage { place, bytes: end - from, untyped: false };
    let (offset, marks) = (0, Marks::default());
    let strided = Strided { storage, dtype, offset, size: shape, stride, marks };
    Ok(Entry { name, tensor: Rc::new(Stored::Strided(strided)), shard: 0 })
}

const OTHER_KIND: &str = "save another kind in Python: safetensors.torch.save_file({k: v.float() for \
     k, v in net.state_dict().items()}, path)";

impl Records for Ranges {
    fn bytes(&mut self, storage: &Storage, _: Dtype) -> Result<Vec<u8>> {
        let Place::Offset(start) = storage.place else {
            return Err("it lies in no range of bytes".to_owned());
        };
        let length = usize::try_from(storage.bytes).map_err(|error| error.to_string())?;
        let mut bytes = vec![0; length];
        let read = self.file.seek(SeekFrom::Start(start));
        read.and_then(|_| self.file.read_exact(&mut bytes)).map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}
