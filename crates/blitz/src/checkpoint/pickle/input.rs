//! The bytes of a pickle, and what stands in them behind an opcode.

use super::machine::{Machine, Result};
use super::opcode;
use super::value::Value;

impl<'a> Machine<'a> {
    pub(super) fn text(&mut self, code: u8) -> Result<Value> {
        let length = self.length(code)?;
        // Python's strings may hold what is no UTF-8; none of PyTorch's names does.
        Ok(match std::str::from_utf8(self.take(length)?) {
            Ok(text) => {
                self.texts.push(text);
                Value::Text(self.texts.len() - 1)
            }
            Err(_) => Value::Bytes,
        })
    }

    /// The length that stands before text or bytes.
    pub(super) fn length(&mut self, code: u8) -> Result<usize> {
        match code {
            opcode::SHORT_BINUNICODE | opcode::SHORT_BINSTRING | opcode::SHORT_BINBYTES => {
                self.byte().map(usize::from)
            }
            opcode::BINUNICODE | opcode::BINSTRING | opcode::BINBYTES => {
                self.u32().map(|length| length as usize)
            }
            _ => {
                let bytes = self.take(8)?.try_into().expect("8 bytes");
                usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| ends_too_early())
            }
        }
    }

    pub(super) fn memo_place(&mut self, code: u8) -> Result<u32> {
        match code {
            opcode::BINPUT | opcode::BINGET => self.byte().map(u32::from),
            opcode::LONG_BINPUT | opcode::LONG_BINGET => self.u32(),
            _ => self.line()?.parse().map_err(|_| "it stores a value nowhere".to_owned()),
        }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(ends_too_early)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub(super) fn line(&mut self) -> Result<&'a str> {
        let end = self.rest.iter().position(|byte| *byte == b'\n').ok_or_else(ends_too_early)?;
        let line = std::str::from_utf8(self.take(end)?).map_err(|_| "a name is not UTF-8")?;
        self.take(1)?;
        Ok(line)
    }
}

fn ends_too_early() -> String {
    "it ends too early".to_owned()
}
