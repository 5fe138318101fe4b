//! Writing a dictionary of tensors as `torch.save` does, without its table of repeated values.

use super::{Entry, Name, STORAGES, opcode};

/// The pickle of `OrderedDict([(name, tensor), ...])`; fails for a kind that has no storage class.
pub(in crate::checkpoint) fn write(entries: &[Entry]) -> Result<Vec<u8>, String> {
    let mut out = vec![opcode::PROTO, 2];
    ordered_dict(&mut out);
    out.push(opcode::MARK);
    for entry in entries {
        text(&mut out, &entry.name);
        tensor(&mut out, entry)?;
    }
    out.extend([opcode::SETITEMS, opcode::STOP]);
    Ok(out)
}

/// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`
fn tensor(out: &mut Vec<u8>, entry: &Entry) -> Result<(), String> {
    global(out, Name::RebuildTensor)?;
    out.push(opcode::MARK);
    storage(out, entry)?;
    integer(out, entry.offset);
    integers(out, &entry.size);
    integers(out, &entry.stride);
    out.push(opcode::NEWFALSE);
    ordered_dict(out);
    out.extend([opcode::TUPLE, opcode::REDUCE]);
    Ok(())
}

/// `("storage", class, key, "cpu", len)`, which stands for the record `data/KEY`.
fn storage(out: &mut Vec<u8>, entry: &Entry) -> Result<(), String> {
    out.push(opcode::MARK);
    text(out, "storage");
    global(out, Name::Storage(entry.storage.kind))?;
    text(out, &entry.storage.key);
    text(out, "cpu");
    integer(out, entry.storage.len);
    out.extend([opcode::TUPLE, opcode::BINPERSID]);
    Ok(())
}

fn ordered_dict(out: &mut Vec<u8>) {
    out.extend(b"ccollections\nOrderedDict\n");
    out.extend([opcode::EMPTY_TUPLE, opcode::REDUCE]);
}

fn global(out: &mut Vec<u8>, name: Name) -> Result<(), String> {
    match name {
        Name::Storage(kind) => {
            let class = STORAGES.iter().find(|(_, known)| *known == kind);
            let (class, _) = class.ok_or_else(|| format!(".pth files have no {kind:?}"))?;
            out.extend(format!("ctorch\n{class}\n").bytes());
        }
        Name::RebuildTensor => out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n"),
        Name::OrderedDict | Name::RebuildParameter => unreachable!("written elsewhere or never"),
    }
    Ok(())
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
