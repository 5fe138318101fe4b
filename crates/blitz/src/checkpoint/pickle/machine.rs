//! The stack machine that reads a pickle.

use std::collections::HashMap;

use super::state_dict::known;
use super::{Entry, Name, Storage, opcode};

pub(super) type Result<T> = std::result::Result<T, String>;

/// The tensors of the `state_dict` that `bytes` is the pickle of, or why it is none.
pub(in crate::checkpoint) fn read(bytes: &[u8]) -> Result<Vec<Entry>> {
    let mut machine = Machine { rest: bytes, ..Machine::default() };
    let top = loop {
        if let Some(top) = machine.step()? {
            break top;
        }
    };
    machine.state_dict(top)
}

/// A value; whatever is larger than a number lies in one of the machine's lists.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    None,
    Bool,
    Float,
    Integer(i64),
    Text(usize),
    List,
    Tuple(usize),
    Dict(usize),
    Name(Name),
    Storage(usize),
    Tensor(usize),
}

impl Value {
    /// For messages.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Value::None => "None",
            Value::Bool => "a bool",
            Value::Float => "a float",
            Value::Integer(_) => "an integer",
            Value::Text(_) => "a string",
            Value::List => "a list",
            Value::Tuple(_) => "a tuple",
            Value::Dict(_) => "a dict",
            Value::Name(_) => "a class",
            Value::Storage(_) => "a storage",
            Value::Tensor(_) => "a tensor",
        }
    }
}

#[derive(Default)]
pub(super) struct Machine<'a> {
    rest: &'a [u8],
    stack: Vec<Value>,
    /// Heights of the stack at the marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    pub(super) texts: Vec<&'a str>,
    pub(super) tuples: Vec<Vec<Value>>,
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    pub(super) storages: Vec<Storage>,
    /// Their names are not known yet.
    pub(super) tensors: Vec<Entry>,
}

impl<'a> Machine<'a> {
    /// Carries one opcode out; returns the result when it was the last.
    fn step(&mut self) -> Result<Option<Value>> {
        match self.byte()? {
            opcode::PROTO => match self.byte()? {
                2 | 3 => {}
                other => return Err(format!("it is a pickle of protocol {other}, not 2")),
            },
            opcode::MARK => self.marks.push(self.stack.len()),
            opcode::STOP => return self.pop().map(Some),
            opcode::NONE => self.stack.push(Value::None),
            opcode::NEWTRUE | opcode::NEWFALSE => self.stack.push(Value::Bool),
            opcode::BINFLOAT => {
                self.take(8)?;
                self.stack.push(Value::Float);
            }
            integer @ (opcode::BININT | opcode::BININT1 | opcode::BININT2 | opcode::LONG1) => {
                self.integer(integer)?;
            }
            opcode::BINUNICODE => {
                let length = self.u32()? as usize;
                let text = std::str::from_utf8(self.take(length)?);
                self.texts.push(text.map_err(|_| "a string in it is not UTF-8")?);
                self.stack.push(Value::Text(self.texts.len() - 1));
            }
            opcode::GLOBAL => {
                let (module, name) = (self.line()?, self.line()?);
                self.stack.push(Value::Name(known(module, name)?));
            }
            memo
            @ (opcode::BINPUT | opcode::LONG_BINPUT | opcode::BINGET | opcode::LONG_BINGET) => {
                self.memorise(memo)?
            }
            other => self.compound(other)?,
        }
        Ok(None)
    }

    /// Opcodes that put values together.
    fn compound(&mut self, code: u8) -> Result<()> {
        match code {
            opcode::EMPTY_TUPLE => self.tuple(Vec::new()),
            opcode::TUPLE1 | opcode::TUPLE2 | opcode::TUPLE3 => {
                let values = self.pop_many(usize::from(code - opcode::TUPLE1) + 1)?;
                self.tuple(values);
            }
            opcode::TUPLE => {
                let values = self.pop_to_mark()?;
                self.tuple(values);
            }
            // A state_dict has no list; they are here only to be refused by their place.
            opcode::EMPTY_LIST => self.stack.push(Value::List),
            opcode::APPEND => drop(self.pop()?),
            opcode::APPENDS => drop(self.pop_to_mark()?),
            opcode::EMPTY_DICT => self.dict(),
            opcode::SETITEM => {
                let values = self.pop_many(2)?;
                self.set_items(&values)?;
            }
            opcode::SETITEMS => {
                let values = self.pop_to_mark()?;
                self.set_items(&values)?;
            }
            opcode::REDUCE => {
                let (arguments, name) = (self.pop()?, self.pop()?);
                let value = self.call(name, arguments)?;
                self.stack.push(value);
            }
            // The dictionary's `_metadata`: versions of the modules.
            opcode::BUILD => drop(self.pop()?),
            opcode::BINPERSID => {
                let id = self.pop()?;
                let value = self.storage(id)?;
                self.stack.push(value);
            }
            other => return Err(format!("it has opcode 0x{other:02x}, which no state_dict has")),
        }
        Ok(())
    }

    fn integer(&mut self, code: u8) -> Result<()> {
        let value = match code {
            opcode::BININT1 => i64::from(self.byte()?),
            opcode::BININT2 => {
                let bytes = self.take(2)?;
                i64::from(u16::from_le_bytes([bytes[0], bytes[1]]))
            }
            opcode::BININT => i64::from(self.u32()? as i32),
            _ => {
                let length = usize::from(self.byte()?);
                let bytes = self.take(length)?;
                if length > 8 {
                    return Err(format!("it has an integer of {length} bytes"));
                }
                // Little-endian two's complement: the last byte's sign fills the rest.
                let sign = if bytes.last().is_some_and(|last| *last >= 0x80) { 0xff } else { 0 };
                let mut whole = [sign; 8];
                whole[..length].copy_from_slice(bytes);
                i64::from_le_bytes(whole)
            }
        };
        self.stack.push(Value::Integer(value));
        Ok(())
    }

    fn memorise(&mut self, code: u8) -> Result<()> {
        let place = match code {
            opcode::BINPUT | opcode::BINGET => u32::from(self.byte()?),
            _ => self.u32()?,
        };
        if matches!(code, opcode::BINPUT | opcode::LONG_BINPUT) {
            let top = *self.stack.last().ok_or_else(stack_is_empty)?;
            self.memo.insert(place, top);
        } else {
            let value = self.memo.get(&place).copied();
            self.stack.push(value.ok_or("it asks for a value that it did not store")?);
        }
        Ok(())
    }

    fn tuple(&mut self, values: Vec<Value>) {
        self.tuples.push(values);
        self.stack.push(Value::Tuple(self.tuples.len() - 1));
    }

    fn dict(&mut self) {
        self.dicts.push(Vec::new());
        self.stack.push(Value::Dict(self.dicts.len() - 1));
    }

    /// `values` is key, value, key, value, ...
    fn set_items(&mut self, values: &[Value]) -> Result<()> {
        let Some(Value::Dict(dict)) = self.stack.last() else {
            return Err("it stores items in what is no dict".to_owned());
        };
        let pairs = values.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err("it has a key without a value".to_owned());
        }
        self.dicts[*dict].extend(pairs.map(|pair| (pair[0], pair[1])));
        Ok(())
    }

    fn pop(&mut self) -> Result<Value> {
        self.stack.pop().ok_or_else(stack_is_empty)
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Value>> {
        let start = self.stack.len().checked_sub(count).ok_or_else(stack_is_empty)?;
        Ok(self.stack.split_off(start))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self.marks.pop().ok_or("it has an end without a beginning")?;
        if mark > self.stack.len() {
            return Err(stack_is_empty());
        }
        Ok(self.stack.split_off(mark))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("it ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn line(&mut self) -> Result<&'a str> {
        let end = self.rest.iter().position(|byte| *byte == b'\n').ok_or("it ends too early")?;
        let line = std::str::from_utf8(self.take(end)?).map_err(|_| "a name is not UTF-8")?;
        self.take(1)?;
        Ok(line)
    }
}

fn stack_is_empty() -> String {
    "it takes a value that is not there".to_owned()
}
