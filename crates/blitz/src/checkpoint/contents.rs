//! What a file of parameters holds: named tensors, in one dictionary or several.

use std::rc::Rc;

use super::dtype::Dtype;

/// Of a JSON text's values only the first are kept.
const MOST_JSON: usize = 1_024;

/// A file as far as it is known before any number is read.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Those with tensors in them.
    pub(super) dictionaries: Vec<Dictionary>,
    /// Others that the file has: what else somebody noted in it.
    pub(super) notes: Vec<Dictionary>,
    /// What the file holds as a whole, for messages.
    pub(super) whole: Described,
}

/// What a value is, and what in Python makes something of it that can be read; for messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    /// `an integer`
    pub(super) what: String,
    /// A sentence without its full stop; empty where nothing is known.
    pub(super) remedy: String,
}

/// A dictionary whose keys are names.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// The keys that lead to it, joined by `/`; empty for the whole file.
    pub(super) key: String,
    /// In the file's order.
    pub(super) entries: Vec<Entry>,
    /// Its values that are no tensors.
    pub(super) others: Vec<Other>,
}

/// A named value that is no tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) name: String,
    pub(super) what: Described,
    /// The value itself where it is short, such as a number; else what it is.
    pub(super) shown: String,
}

/// A named tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) tensor: Rc<Stored>,
    /// Of a net in several files, in which of them it lies.
    pub(super) shard: usize,
}

/// A tensor in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// One that can be read.
    Strided(Strided),
    /// One that cannot, such as a sparse one.
    Unreadable(Described),
}

/// Which numbers of which storage a tensor has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Strided {
    pub(super) storage: Storage,
    pub(super) dtype: Dtype,
    /// Place of its first number in the storage, counted in numbers.
    pub(super) offset: i64,
    pub(super) size: Vec<i64>,
    pub(super) stride: Vec<i64>,
    pub(super) marks: Marks,
}

/// What is still to be done to the numbers of a storage: PyTorch puts `imag` of a conjugate, for
/// one, off until somebody needs it, and saves the tensor with its mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Marks {
    /// The numbers have the other sign.
    pub(super) negative: bool,
    /// The numbers are the complex conjugates.
    pub(super) conjugate: bool,
}

/// Numbers that lie in one piece in the file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Storage {
    pub(super) place: Place,
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// Whether the file says nothing of what the bytes are; the tensor does.
    pub(super) untyped: bool,
}

/// Where a storage lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// A record with this key.
    Record(Rc<str>),
    /// From this byte of the file on.
    Offset(u64),
}

impl Stored {
    /// Its shape, where it is known.
    pub(super) fn size(&self) -> Option<&[i64]> {
        match self {
            Stored::Strided(strided) => Some(&strided.size),
            Stored::Unreadable(_) => None,
        }
    }
}

impl Described {
    pub(super) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Described {
        Described { what: what.into(), remedy: remedy.into() }
    }
}

impl Dictionary {
    /// What stands in a JSON text below `key`; nothing where that is no dictionary.
    pub(super) fn of_json(key: &str, value: &serde_json::Value) -> Dictionary {
        let values = value.as_object().into_iter().flatten().take(MOST_JSON);
        let others = values.map(|(name, value)| Other::of_json(name, value)).collect();
        Dictionary { key: key.to_owned(), entries: Vec::new(), others }
    }
}

impl Other {
    /// A value of a JSON text.
    pub(super) fn of_json(name: &str, value: &serde_json::Value) -> Other {
        use serde_json::Value;
        let shown = match value {
            Value::Array(list) => format!("a list of {}", list.len()),
            Value::Object(dict) => format!("a dict of {}", dict.len()),
            other => limited(&other.to_string()),
        };
        Other { name: limited(name), what: Described::default(), shown }
    }
}

/// As much of a text as a message needs.
pub(super) fn limited(text: &str) -> String {
    text.chars().take(200).collect()
}
