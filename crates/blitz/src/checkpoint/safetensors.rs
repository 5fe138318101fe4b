//! Writing `.safetensors`: a header in JSON that says where each tensor lies, then their bytes.
//!
//! tch can write it too, but neither to a file that is already open nor in a fixed order.
//! Format: <https://github.com/huggingface/safetensors>.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};
use tch::{Kind, Tensor};

use super::bytes;
use crate::error::{Error, Result};

/// Writes `tensors`, which are contiguous and on the CPU, in their order.
pub(super) fn write(
    tensors: &[(String, Tensor)],
    file: &mut impl Write,
    path: &Path,
) -> Result<()> {
    let io = |error| Error::io("write", path)(error);
    let mut header = Map::new();
    let mut end = 0;
    for (name, tensor) in tensors {
        let start = end;
        end += tensor.numel() * tensor.kind().elt_size_in_bytes();
        let place = json!({
            "dtype": dtype(tensor.kind())?, "shape": tensor.size(), "data_offsets": [start, end],
        });
        header.insert(name.clone(), place);
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    // The bytes after it begin at a multiple of 8.
    header.resize(header.len().next_multiple_of(8), b' ');
    file.write_all(&(header.len() as u64).to_le_bytes()).map_err(io)?;
    file.write_all(&header).map_err(io)?;
    for (_, tensor) in tensors {
        file.write_all(&bytes(tensor)?).map_err(io)?;
    }
    Ok(())
}

fn dtype(kind: Kind) -> Result<&'static str> {
    Ok(match kind {
        Kind::Float => "F32",
        Kind::Double => "F64",
        Kind::Half => "F16",
        Kind::BFloat16 => "BF16",
        Kind::Int64 => "I64",
        Kind::Int => "I32",
        Kind::Int16 => "I16",
        Kind::Int8 => "I8",
        Kind::Uint8 => "U8",
        Kind::Bool => "BOOL",
        other => {
            return Err(Error::Shape {
                operation: "checkpoint::save",
                expected: "parameters of real numbers, integers or bools".to_owned(),
                got: format!("{other:?}"),
            });
        }
    })
}
