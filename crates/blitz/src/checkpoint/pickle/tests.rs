//! Pickles as they are written here, as others write them, and as nobody should.

use super::*;
use crate::checkpoint::contents::{Contents, Stored, Strided};
use crate::checkpoint::dtype::Dtype;

fn read(bytes: &[u8]) -> Result<Contents, String> {
    parse(bytes)?.0.contents()
}

fn dtype(name: &str) -> Dtype {
    Dtype::of_torch(name).expect("a kind")
}

const NAMES: [&str; 5] = ["conv1.weight", "größe", "huge", "scalar", "eighth"];

fn entries() -> Vec<Written<'static>> {
    let entry = |key, dtype, size: &[i64], stride: &[i64]| Written {
        name: NAMES[key],
        dtype,
        key,
        len: size.iter().product(),
        size: size.to_vec(),
        stride: stride.to_vec(),
    };
    vec![
        entry(0, dtype("float32"), &[6, 3, 5, 5], &[75, 25, 5, 1]),
        entry(1, dtype("float16"), &[70_000], &[1]),
        entry(2, dtype("int64"), &[1 << 40], &[1]),
        entry(3, dtype("float64"), &[], &[]),
        entry(4, dtype("float8_e4m3fn"), &[3], &[1]),
    ]
}

#[test]
fn what_is_written_is_read() {
    let contents = read(&write(&entries())).expect("a dictionary");
    let [dictionary] = &contents.dictionaries[..] else { panic!("{contents:?}") };
    assert!(dictionary.key.is_empty() && dictionary.others.is_empty());
    for (found, expected) in dictionary.entries.iter().zip(entries()) {
        assert_eq!(found.name, expected.name);
        let Stored::Strided(Strided { storage, dtype, offset, size, stride, .. }) = &*found.tensor
        else {
            panic!("{found:?}")
        };
        assert_eq!((size, stride, *offset), (&expected.size, &expected.stride, 0));
        assert_eq!(*dtype, expected.dtype);
        assert_eq!(storage.bytes, expected.len as u64 * expected.dtype.bytes() as u64);
    }
    assert_eq!(dictionary.entries.len(), NAMES.len());
    assert!(read(&write(&[])).expect("a dictionary").dictionaries.is_empty());
}

#[test]
fn every_truncation_and_every_changed_byte_is_an_error_or_another_dictionary() {
    let bytes = write(&entries());
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
fn other_programs_are_named_and_not_executed() {
    let whole = |bytes: &[u8]| {
        let contents = read(bytes).expect("a pickle");
        assert!(contents.dictionaries.is_empty());
        format!("{}; {}", contents.whole.what, contents.whole.remedy)
    };
    let text = whole(b"\x80\x02cposix\nsystem\nX\x02\0\0\0ls\x85R.");
    assert!(text.contains("posix.system") && text.contains("never made or executed"), "{text}");
    let text = whole(b"\x80\x02c__main__\nNet\n)R.");
    assert!(text.contains("__main__.Net") && text.contains(".state_dict()"), "{text}");
    let text = whole(b"\x80\x02}X\x05\0\0\0epochK\x05s.");
    assert!(text.contains("\"epoch\" is an integer"), "{text}");
    assert!(whole(b"\x80\x02]K\x05a.").contains("a list"));
    assert!(read(b"\x80\x06.").expect_err("protocol").contains("protocol 6"));
    assert!(read(b"\x80\x02\x97.").expect_err("opcode").contains("opcode 0x97"));
}

#[test]
fn no_nesting_is_too_deep() {
    let deep = |beginning: &[u8], repeated: &[u8], end: &[u8]| {
        let mut bytes = beginning.to_vec();
        (0..1_000_000).for_each(|_| bytes.extend(repeated));
        bytes.extend(end);
        read(&bytes)
    };
    let tuples = deep(b"\x80\x02)", b"\x85", b".").expect("a pickle");
    assert!(tuples.whole.what.contains("a tuple"));
    // {"a": {"a": ...}}
    let dicts = deep(b"\x80\x02", b"}U\x01a", b"N");
    assert!(dicts.is_err());
    let mut bytes = b"\x80\x02".to_vec();
    (0..100_000).for_each(|_| bytes.extend(b"}U\x01a"));
    bytes.push(b'N');
    (0..100_000).for_each(|_| bytes.push(b's'));
    bytes.push(b'.');
    assert!(read(&bytes).expect("a pickle").dictionaries.is_empty());
    // A dictionary that holds itself.
    let own = read(b"\x80\x02}q\x00U\x01ah\x00s.").expect("a pickle");
    assert!(own.dictionaries.is_empty());
}

#[test]
fn shapes_that_are_used_again_and_again_are_refused() {
    // One shape of 60 sizes for a thousand tensors.
    let mut bytes = b"\x80\x02}(".to_vec();
    bytes.extend(b"0ctorch._utils\n_rebuild_tensor_v2\nq\x000");
    bytes.extend(b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x01tQq\x010(");
    (0..60).for_each(|_| bytes.extend(b"K\x01"));
    bytes.extend(b"tq\x020");
    for index in 0..1_000u16 {
        bytes.extend([b'U', 2, b'a' + (index / 26 % 26) as u8, b'a' + (index % 26) as u8]);
        bytes.extend(b"h\x00(h\x01K\x00h\x02h\x02\x89NtR");
    }
    bytes.extend(b"u.");
    let text = read(&bytes).expect_err("too many shapes");
    assert!(text.contains("more shapes"), "{text}");
}
