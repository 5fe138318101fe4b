//! The numbers of a pickle.

use super::machine::{Machine, Result};
use super::opcode;
use super::value::Value;

/// `0x1950a86a20f9469cfc6c`, little-endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// The same in protocol 1.
const MAGIC_TEXT: &str = "119547037146038801333356";

impl Machine<'_> {
    /// The number that `code` begins.
    pub(super) fn number(&mut self, code: u8) -> Result<Value> {
        Ok(match code {
            opcode::BININT1 => Value::Integer(i64::from(self.byte()?)),
            opcode::BININT2 => {
                let bytes = self.take(2)?;
                Value::Integer(i64::from(u16::from_le_bytes([bytes[0], bytes[1]])))
            }
            opcode::BININT => Value::Integer(i64::from(self.u32()? as i32)),
            opcode::LONG1 => {
                let length = usize::from(self.byte()?);
                long(self.take(length)?)
            }
            opcode::LONG4 => {
                let length = self.u32()? as usize;
                long(self.take(length)?)
            }
            opcode::BINFLOAT => {
                let bytes = self.take(8)?.try_into().expect("8 bytes");
                Value::Float(f64::from_be_bytes(bytes))
            }
            opcode::FLOAT => {
                // Python writes it as Rust reads it; of anything else nothing is known.
                Value::Float(self.line()?.parse().unwrap_or(f64::NAN))
            }
            _ => text(self.line()?)?,
        })
    }
}

/// Little-endian two's complement: the last byte's sign fills the rest.
fn long(bytes: &[u8]) -> Value {
    if bytes == MAGIC {
        return Value::Magic;
    }
    if bytes.len() > 8 {
        return Value::Long;
    }
    let sign = if bytes.last().is_some_and(|last| *last >= 0x80) { 0xff } else { 0 };
    let mut whole = [sign; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    Value::Integer(i64::from_le_bytes(whole))
}

/// Decimal digits, as in protocol 1.
fn text(line: &str) -> Result<Value> {
    let digits = line.strip_suffix('L').unwrap_or(line);
    match (line, digits.parse()) {
        ("00", _) => Ok(Value::Bool(false)),
        ("01", _) => Ok(Value::Bool(true)),
        (_, Ok(number)) => Ok(Value::Integer(number)),
        _ if digits == MAGIC_TEXT => Ok(Value::Magic),
        _ if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Value::Long)
        }
        _ => Err("it has a number that is none".to_owned()),
    }
}
