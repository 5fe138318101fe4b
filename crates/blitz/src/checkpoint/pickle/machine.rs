//! The stack machine that reads a pickle.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::contents::{Storage, Stored};
use super::opcode;
use super::value::{Name, Object, Value};
use crate::checkpoint::dtype::Dtype;

pub(super) type Result<T> = std::result::Result<T, String>;

/// A pickle that was read to its end.
pub(in crate::checkpoint) struct Parsed<'a> {
    pub(super) machine: Machine<'a>,
    pub(super) top: Value,
}

/// Reads the pickle at the beginning of `bytes`; returns also what comes after it.
pub(in crate::checkpoint) fn parse(bytes: &[u8]) -> Result<(Parsed<'_>, &[u8])> {
    let length = bytes.len();
    let mut machine = Machine { rest: bytes, length, copies_left: length, ..Machine::default() };
    let top = loop {
        if let Some(top) = machine.step()? {
            break top;
        }
    };
    let rest = machine.rest;
    Ok((Parsed { machine, top }, rest))
}

#[derive(Default)]
pub(super) struct Machine<'a> {
    pub(super) rest: &'a [u8],
    /// Bytes of the whole pickle, and of what comes after it.
    pub(super) length: usize,
    stack: Vec<Value>,
    /// Heights of the stack at the marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    pub(super) texts: Vec<&'a str>,
    pub(super) lists: Vec<Vec<Value>>,
    pub(super) tuples: Vec<Vec<Value>>,
    /// Keys and values in the order in which they were set; of equal keys the last counts.
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    pub(super) names: Vec<Name<'a>>,
    pub(super) objects: Vec<Object>,
    /// With the kind that the storage's class names, if any.
    pub(super) storages: Vec<(Storage, Option<Dtype>, i64)>,
    pub(super) tensors: Vec<Rc<Stored>>,
    /// Values that may still be copied.
    pub(super) copies_left: usize,
}

impl<'a> Machine<'a> {
    /// Carries one opcode out; returns the result when it was the last.
    fn step(&mut self) -> Result<Option<Value>> {
        let value = match self.byte()? {
            opcode::STOP => return self.pop().map(Some),
            opcode::PROTO => {
                let protocol = self.byte()?;
                if protocol > 5 {
                    return Err(format!("it is a pickle of protocol {protocol}, not 1 to 5"));
                }
                return Ok(None);
            }
            opcode::FRAME => {
                self.take(8)?;
                return Ok(None);
            }
            opcode::NONE => Value::None,
            opcode::NEWTRUE => Value::Bool(true),
            opcode::NEWFALSE => Value::Bool(false),
            code @ (opcode::BININT
            | opcode::BININT1
            | opcode::BININT2
            | opcode::LONG1
            | opcode::LONG4
            | opcode::BINFLOAT
            | opcode::FLOAT
            | opcode::INT
            | opcode::LONG) => self.number(code)?,
            code @ (opcode::BINUNICODE
            | opcode::SHORT_BINUNICODE
            | opcode::BINUNICODE8
            | opcode::BINSTRING
            | opcode::SHORT_BINSTRING) => self.text(code)?,
            code @ (opcode::BINBYTES
            | opcode::SHORT_BINBYTES
            | opcode::BINBYTES8
            | opcode::BYTEARRAY8) => {
                let length = self.length(code)?;
                self.take(length)?;
                Value::Bytes
            }
            opcode::GLOBAL => {
                let (module, name) = (self.line()?, self.line()?);
                self.name(module, name)
            }
            opcode::STACK_GLOBAL => self.stack_global()?,
            other => return self.stack_step(other).map(|()| None),
        };
        self.stack.push(value);
        Ok(None)
    }

    /// Opcodes that work on what lies on the stack.
    fn stack_step(&mut self, code: u8) -> Result<()> {
        match code {
            opcode::MARK => self.marks.push(self.stack.len()),
            opcode::POP => drop(self.pop()?),
            opcode::POP_MARK => drop(self.pop_to_mark()?),
            opcode::DUP => self.stack.push(self.top()?),
            opcode::PUT | opcode::BINPUT | opcode::LONG_BINPUT | opcode::MEMOIZE => {
                let place = match code {
                    opcode::MEMOIZE => self.memo.len() as u32,
                    _ => self.memo_place(code)?,
                };
                let top = self.top()?;
                self.memo.insert(place, top);
            }
            opcode::GET | opcode::BINGET | opcode::LONG_BINGET => {
                let place = self.memo_place(code)?;
                let value = self.memo.get(&place).copied();
                self.stack.push(value.ok_or("it asks for a value that it did not store")?);
            }
            other => self.compound(other)?,
        }
        Ok(())
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
            opcode::EMPTY_LIST | opcode::LIST => {
                let values = if code == opcode::LIST { self.pop_to_mark()? } else { Vec::new() };
                self.lists.push(values);
                self.stack.push(Value::List(self.lists.len() - 1));
            }
            opcode::EMPTY_SET => self.stack.push(Value::Set),
            opcode::FROZENSET => {
                self.pop_to_mark()?;
                self.stack.push(Value::Set);
            }
            opcode::APPEND | opcode::APPENDS | opcode::ADDITEMS => {
                let values =
                    if code == opcode::APPEND { self.pop_many(1)? } else { self.pop_to_mark()? };
                // What is no list, such as a set, keeps nothing that matters here.
                if let Value::List(list) = self.top()? {
                    self.lists[list].extend(values);
                }
            }
            opcode::EMPTY_DICT => {
                let dict = self.dict();
                self.stack.push(dict);
            }
            opcode::DICT => {
                let values = self.pop_to_mark()?;
                let dict = self.dict();
                self.stack.push(dict);
                self.set_items(&values)?;
            }
            opcode::SETITEM => {
                let values = self.pop_many(2)?;
                self.set_items(&values)?;
            }
            opcode::SETITEMS => {
                let values = self.pop_to_mark()?;
                self.set_items(&values)?;
            }
            other => self.object(other)?,
        }
        Ok(())
    }

    /// Opcodes that call something.
    fn object(&mut self, code: u8) -> Result<()> {
        let value = match code {
            opcode::REDUCE | opcode::NEWOBJ | opcode::NEWOBJ_EX => {
                if code == opcode::NEWOBJ_EX {
                    self.pop()?;
                }
                let (arguments, name) = (self.pop()?, self.pop()?);
                match code {
                    opcode::REDUCE => self.call(name, arguments)?,
                    _ => self.opaque(name),
                }
            }
            opcode::BUILD => {
                let state = self.pop()?;
                return self.build(state);
            }
            opcode::BINPERSID => {
                let id = self.pop()?;
                self.storage(id)?
            }
            other => {
                return Err(format!("it has opcode 0x{other:02x}, which torch.save never writes"));
            }
        };
        self.stack.push(value);
        Ok(())
    }

    pub(super) fn name(&mut self, module: &'a str, name: &'a str) -> Value {
        self.names.push(Name { module, name });
        Value::Name(self.names.len() - 1)
    }

    fn stack_global(&mut self) -> Result<Value> {
        match (self.pop()?, self.pop()?) {
            (Value::Text(name), Value::Text(module)) => {
                Ok(self.name(self.texts[module], self.texts[name]))
            }
            _ => Err("it has a name that is no string".to_owned()),
        }
    }

    pub(super) fn tuple(&mut self, values: Vec<Value>) {
        self.tuples.push(values);
        self.stack.push(Value::Tuple(self.tuples.len() - 1));
    }

    /// A new, empty dictionary.
    pub(super) fn dict(&mut self) -> Value {
        self.dicts.push(Vec::new());
        Value::Dict(self.dicts.len() - 1)
    }

    /// `values` is key, value, key, value, ...
    fn set_items(&mut self, values: &[Value]) -> Result<()> {
        let pairs = values.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err("it has a key without a value".to_owned());
        }
        match self.top()? {
            Value::Dict(dict) => self.dicts[dict].extend(pairs.map(|pair| (pair[0], pair[1]))),
            // A dictionary of a class of its own, which is not made here.
            Value::Object(_) => {}
            _ => return Err("it stores items in what is no dict".to_owned()),
        }
        Ok(())
    }

    pub(super) fn top(&self) -> Result<Value> {
        self.stack.last().copied().ok_or_else(stack_is_empty)
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
}

fn stack_is_empty() -> String {
    "it takes a value that is not there".to_owned()
}
