//! Writing `.safetensors`.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::checkpoint::plain::Plain;
use crate::error::{Error, Result};

/// Writes `tensors` in their order; tied ones as often as they have names, as the format has it.
pub(in crate::checkpoint) fn write(
    tensors: &[Plain],
    file: &mut impl Write,
    path: &Path,
) -> Result<()> {
    let io = |error| Error::io("write", path)(error);
    let mut header = Map::new();
    let mut end = 0;
    for Plain { name, dtype, tensor } in tensors {
        let start = end;
        end += tensor.numel() * dtype.bytes();
        let dtype = dtype.safetensors().ok_or_else(|| Error::Shape {
            operation: "checkpoint::save",
            expected: "parameters of a kind that .safetensors has (.pth has this one)".to_owned(),
            got: format!("{name}: {:?}", tensor.kind()),
        })?;
        let place = json!({
            "dtype": dtype, "shape": tensor.size(), "data_offsets": [start, end],
        });
        header.insert(name.clone(), place);
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    // The bytes after it begin at a multiple of 8.
    header.resize(header.len().next_multiple_of(8), b' ');
    file.write_all(&(header.len() as u64).to_le_bytes()).map_err(io)?;
    file.write_all(&header).map_err(io)?;
    for tensor in tensors {
        file.write_all(&tensor.bytes()?).map_err(io)?;
    }
    Ok(())
}
