//! What a file is, by how it begins: the name's ending says little of files from elsewhere.

/// What is read of a file to tell.
pub(super) const BEGINNING: usize = 512;

/// What a file seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    /// A zip archive, such as PyTorch writes.
    Zip,
    /// A pickle.
    Pickle,
    /// A dictionary in JSON, perhaps the index of parameters in several files.
    Json,
    Safetensors,
    /// Something else: what it is, and what helps.
    Other(&'static str, &'static str),
}

/// Files that hold no parameters, by their first bytes.
const OTHERS: [(&[u8], &str, &str); 17] = [
    (b"\x1f\x8b", "packed with gzip", "unpack it first (gzip -d)"),
    (b"BZh", "packed with bzip2", "unpack it first (bzip2 -d)"),
    (b"\xfd7zXZ", "packed with xz", "unpack it first (xz -d)"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "unpack it first (zstd -d)"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"Rar!", "a rar archive", "unpack it first"),
    (
        b"version https://git-lfs",
        "a pointer of Git LFS, not the file itself",
        "fetch it (git lfs pull)",
    ),
    (b"\x89HDF", "an HDF5 file, as Keras writes", ""),
    (
        b"\x93NUMPY",
        "a NumPy array",
        "save it in Python: torch.save({\"NAME\": torch.from_numpy(numpy.load(path))}, path)",
    ),
    (b"GGUF", "a GGUF file of llama.cpp", "take the .safetensors file that it was made from"),
    (b"ggml", "a GGML file of llama.cpp", "take the .safetensors file that it was made from"),
    (b"\x89PNG", "a picture (PNG)", ""),
    (b"\xff\xd8\xff", "a picture (JPEG)", ""),
    (b"GIF8", "a picture (GIF)", ""),
    (b"%PDF", "a PDF document", ""),
    (b"\x7fELF", "a program", ""),
    (b"PK\x05\x06", "an empty zip archive", "fetch or save it again"),
];

const PAGE: &str = "fetch the file itself: this is what a server answers instead of it";

/// What a file that begins with `bytes` seems to be; `None` where nothing is known.
pub(super) fn signature(bytes: &[u8]) -> Option<Signature> {
    let starts = |with: &[u8]| bytes.starts_with(with);
    if starts(b"PK\x03\x04") {
        return Some(Signature::Zip);
    }
    let other = OTHERS.iter().find(|(beginning, ..)| starts(beginning));
    if let Some((_, what, remedy)) = other {
        return Some(Signature::Other(what, remedy));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        let remedy = "unpack it first (tar -xf); in a file of torch.save from before version 0.2, \
                      load it in Python and save it again";
        return Some(Signature::Other("a tar archive", remedy));
    }
    if bytes.get(4..8) == Some(b"PTMF") {
        return Some(Signature::Other("a program for PyTorch Mobile", SAVE));
    }
    if bytes.get(4..8) == Some(b"TFL3") {
        return Some(Signature::Other("a net of TensorFlow Lite", ""));
    }
    if super::safetensors::begins(bytes) {
        return Some(Signature::Safetensors);
    }
    if is_pickle(bytes) {
        return Some(Signature::Pickle);
    }
    if !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0) {
        let remedy = "fetch or save it again: it was never filled";
        return Some(Signature::Other("nothing but zeros at its beginning", remedy));
    }
    text(bytes).or_else(|| is_onnx(bytes).then_some(Signature::Other("an ONNX net", SAVE)))
}

const SAVE: &str = "save the parameters in Python: torch.save(net.state_dict(), path)";

fn text(bytes: &[u8]) -> Option<Signature> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let lower: Vec<u8> = bytes.iter().take(16).map(u8::to_ascii_lowercase).collect();
    match bytes.first()? {
        b'{' => Some(Signature::Json),
        b'<' if lower.starts_with(b"<!doctype") || lower.starts_with(b"<html") => {
            Some(Signature::Other("a web page (HTML)", PAGE))
        }
        b'<' if lower.starts_with(b"<?xml") => Some(Signature::Other("an XML document", PAGE)),
        _ => None,
    }
}

/// From protocol 2 on a pickle says so; the old files of protocol 1 begin with PyTorch's number.
fn is_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 1..=5, ..]) || bytes.starts_with(b"L119547037146038801333356L\n")
}

/// A message of protocol buffers whose first field is a small version and whose next is the name of
/// the program that wrote it, as in all ONNX files.
fn is_onnx(bytes: &[u8]) -> bool {
    let [0x08, 1..=0x20, 0x12, length, rest @ ..] = bytes else { return false };
    let name = rest.get(..usize::from(*length));
    name.is_some_and(|name| !name.is_empty() && name.iter().all(|byte| (32..127).contains(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_told_apart() {
        assert_eq!(signature(b"PK\x03\x04..."), Some(Signature::Zip));
        assert_eq!(signature(b"\x80\x02\x8a\x0al"), Some(Signature::Pickle));
        assert_eq!(signature(b"\x02\0\0\0\0\0\0\0{}"), Some(Signature::Safetensors));
        assert_eq!(signature(b"\xef\xbb\xbf {\"weight_map\""), Some(Signature::Json));
        assert_eq!(signature(b""), None);
        assert_eq!(signature(b"not a checkpoint"), None);
        let what = |bytes: &[u8]| match signature(bytes) {
            Some(Signature::Other(what, _)) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(what(b"\n<!DOCTYPE html>"), "a web page (HTML)");
        assert_eq!(what(b"\x08\x08\x12\x07pytorch\x1a"), "an ONNX net");
        assert_eq!(what(&[0; 30]), "nothing but zeros at its beginning");
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(what(&tar), "a tar archive");
    }
}
