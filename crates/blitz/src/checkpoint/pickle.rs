//! The part of Python's pickle that a `state_dict` needs, and nothing beyond it.
//!
//! A pickle is a program for a small stack machine, which in Python may call any function. Here
//! only the opcodes below are known, only the few names of [`Name`] may be called, and what they do
//! is written out in this file: nothing is ever executed on behalf of the pickle. Values refer to
//! each other by their places in lists, so that no nesting, however deep, needs a deep stack.

mod machine;
mod state_dict;
mod write;

use tch::Kind;

pub(super) use machine::read;
pub(super) use write::write;

/// A tensor of the dictionary: which elements of which storage it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) storage: Storage,
    /// Place of its first element in the storage.
    pub(super) offset: i64,
    pub(super) size: Vec<i64>,
    pub(super) stride: Vec<i64>,
}

/// A record `data/KEY` of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) key: String,
    pub(super) kind: Kind,
    /// Elements, not bytes.
    pub(super) len: i64,
}

/// The names that the pickle of a `state_dict` calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`
    RebuildParameter,
    /// `torch.FloatStorage` and its like.
    Storage(Kind),
}

/// The storage classes of `torch`, by the kind of their elements.
const STORAGES: [(&str, Kind); 10] = [
    ("FloatStorage", Kind::Float),
    ("DoubleStorage", Kind::Double),
    ("HalfStorage", Kind::Half),
    ("BFloat16Storage", Kind::BFloat16),
    ("LongStorage", Kind::Int64),
    ("IntStorage", Kind::Int),
    ("ShortStorage", Kind::Int16),
    ("CharStorage", Kind::Int8),
    ("ByteStorage", Kind::Uint8),
    ("BoolStorage", Kind::Bool),
];

/// The opcodes, under pickle's own names.
mod opcode {
    pub(super) const MARK: u8 = b'(';
    pub(super) const STOP: u8 = b'.';
    pub(super) const BINFLOAT: u8 = b'G';
    pub(super) const BININT: u8 = b'J';
    pub(super) const BININT1: u8 = b'K';
    pub(super) const BININT2: u8 = b'M';
    pub(super) const NONE: u8 = b'N';
    pub(super) const BINPERSID: u8 = b'Q';
    pub(super) const REDUCE: u8 = b'R';
    pub(super) const BINUNICODE: u8 = b'X';
    pub(super) const EMPTY_LIST: u8 = b']';
    pub(super) const APPEND: u8 = b'a';
    pub(super) const BUILD: u8 = b'b';
    pub(super) const GLOBAL: u8 = b'c';
    pub(super) const APPENDS: u8 = b'e';
    pub(super) const BINGET: u8 = b'h';
    pub(super) const LONG_BINGET: u8 = b'j';
    pub(super) const BINPUT: u8 = b'q';
    pub(super) const LONG_BINPUT: u8 = b'r';
    pub(super) const SETITEM: u8 = b's';
    pub(super) const TUPLE: u8 = b't';
    pub(super) const SETITEMS: u8 = b'u';
    pub(super) const EMPTY_DICT: u8 = b'}';
    pub(super) const EMPTY_TUPLE: u8 = b')';
    pub(super) const PROTO: u8 = 0x80;
    pub(super) const TUPLE1: u8 = 0x85;
    pub(super) const TUPLE2: u8 = 0x86;
    pub(super) const TUPLE3: u8 = 0x87;
    pub(super) const NEWTRUE: u8 = 0x88;
    pub(super) const NEWFALSE: u8 = 0x89;
    pub(super) const LONG1: u8 = 0x8a;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let entry = |name: &str, key: &str, kind, size: &[i64], stride: &[i64]| Entry {
            name: name.to_owned(),
            storage: Storage { key: key.to_owned(), kind, len: size.iter().product() },
            offset: 0,
            size: size.to_vec(),
            stride: stride.to_vec(),
        };
        vec![
            entry("conv1.weight", "0", Kind::Float, &[6, 3, 5, 5], &[75, 25, 5, 1]),
            entry("größe", "1", Kind::Half, &[70_000], &[1]),
            entry("huge", "2", Kind::Int64, &[1 << 40], &[1]),
            entry("scalar", "3", Kind::Double, &[], &[]),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(&write(&entries()).unwrap()).unwrap(), entries());
        assert_eq!(read(&write(&[]).unwrap()).unwrap(), []);
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_an_error_or_another_dictionary() {
        let bytes = write(&entries()).unwrap();
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "{length}");
        }
        for position in 0..bytes.len() {
            for change in 1..=255 {
                let mut damaged = bytes.clone();
                damaged[position] ^= change;
                // It must come back, without a panic.
                let _ = read(&damaged);
            }
        }
    }

    #[test]
    fn other_programs_are_refused_by_name() {
        let refused = |bytes: &[u8]| read(bytes).unwrap_err();
        let text = refused(b"\x80\x02cposix\nsystem\nX\x02\0\0\0ls\x85R.");
        assert!(text.contains("posix.system") && text.contains("executed"), "{text}");
        let text = refused(b"\x80\x02c__main__\nNet\n)R.");
        assert!(text.contains("__main__.Net") && text.contains("net.state_dict()"), "{text}");
        let text = refused(b"\x80\x02}X\x05\0\0\0epochK\x05s.");
        assert!(text.contains("\"epoch\"") && text.contains("an integer"), "{text}");
        assert!(refused(b"\x80\x02]K\x05a.").contains("a list"));
        assert!(refused(b"\x80\x04\x95").contains("protocol 4"));
        assert!(refused(b"\x80\x02\x93.").contains("opcode 0x93"));
    }

    #[test]
    fn no_nesting_is_too_deep() {
        let mut bytes = b"\x80\x02)".to_vec();
        bytes.extend(std::iter::repeat_n(opcode::TUPLE1, 3_000_000));
        bytes.push(opcode::STOP);
        assert!(read(&bytes).unwrap_err().contains("a tuple"));
    }
}
