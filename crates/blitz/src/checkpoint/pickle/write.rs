//! Writing a dictionary of tensors as `torch.save` does, without its table of repeated values.

use super::opcode;
use crate::checkpoint::dtype::Dtype;

/// A tensor of the dictionary, contiguous from the beginning of its storage on.
pub(in crate::checkpoint) struct Written<'a> {
    pub(in crate::checkpoint) name: &'a str,
    pub(in crate::checkpoint) dtype: Dtype,
    /// The number of the storage's record.
    pub(in crate::checkpoint) key: usize,
    /// Numbers in the storage.
    pub(in crate::checkpoint) len: i64,
    pub(in crate::checkpoint) size: Vec<i64>,
    pub(in crate::checkpoint) stride: Vec<i64>,
}

/// The pickle of `OrderedDict([(name, tensor), ...])`.
pub(in crate::checkpoint) fn write(entries: &[Written<'_>]) -> Vec<u8> {
    let mut out = vec![opcode::PROTO, 2];
    ordered_dict(&mut out);
    out.push(opcode::MARK);
    for entry in entries {
        text(&mut out, entry.name);
        tensor(&mut out, entry);
    }
    out.extend([opcode::SETITEMS, opcode::STOP]);
    out
}

/// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`; for kinds without a
/// storage class `_rebuild_tensor_v3`, whose last argument is the kind.
fn tensor(out: &mut Vec<u8>, entry: &Written<'_>) {
    let class = entry.dtype.storage_class();
    let function = if class.is_some() { "_rebuild_tensor_v2" } else { "_rebuild_tensor_v3" };
    global(out, "torch._utils", function);
    out.push(opcode::MARK);
    storage(out, entry, class.as_deref());
    integer(out, 0);
    integers(out, &entry.size);
    integers(out, &entry.stride);
    out.push(opcode::NEWFALSE);
    ordered_dict(out);
    if class.is_none() {
        global(out, "torch", entry.dtype.torch());
    }
    out.extend([opcode::TUPLE, opcode::REDUCE]);
}

/// `("storage", class, key, "cpu", len)`, which stands for the record `data/KEY`.
fn storage(out: &mut Vec<u8>, entry: &Written<'_>, class: Option<&str>) {
    out.push(opcode::MARK);
    text(out, "storage");
    match class {
        Some(class) => global(out, "torch", class),
        None => global(out, "torch.storage", "UntypedStorage"),
    }
    text(out, &entry.key.to_string());
    text(out, "cpu");
    let width = if class.is_some() { 1 } else { entry.dtype.bytes() as i64 };
    integer(out, entry.len * width);
    out.extend([opcode::TUPLE, opcode::BINPERSID]);
}

fn ordered_dict(out: &mut Vec<u8>) {
    global(out, "collections", "OrderedDict");
    out.extend([opcode::EMPTY_TUPLE, opcode::REDUCE]);
}

fn global(out: &mut Vec<u8>, module: &str, name: &str) {
    out.push(opcode::GLOBAL);
    out.extend(format!("{module}\n{name}\n").bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(opcode::BINUNICODE);
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.bytes());
}

fn integer(out: &mut Vec<u8>, value: i64) {
    match i32::try_from(value) {
        Ok(small) => {
            out.push(opcode::BININT);
            out.extend(small.to_le_bytes());
        }
        Err(_) => {
            out.extend([opcode::LONG1, 8]);
            out.extend(value.to_le_bytes());
        }
    }
}

fn integers(out: &mut Vec<u8>, values: &[i64]) {
    out.push(opcode::MARK);
    for value in values {
        integer(out, *value);
    }
    out.push(opcode::TUPLE);
}
