//! What PyTorch's functions that put tensors together give; they are not called, but understood.

use std::rc::Rc;

use super::machine::{Machine, Result};
use super::remedy::{FLOAT, SUBCLASS, UNREADABLE};
use super::value::{Name, Object, Value};
use crate::checkpoint::contents::{Described, Marks, Place, Storage, Stored, Strided, limited};
use crate::checkpoint::dtype::Dtype;

/// libtorch's own limit.
const LARGEST_RANK: usize = 64;

/// What is copied is short, so that a small file cannot ask for much memory.
pub(super) const LONGEST_NAME: usize = 4_096;

/// Tensor classes whose tensors are plain ones in a file.
const PLAIN_CLASSES: [(&str, &str); 4] = [
    ("torch", "Tensor"),
    ("torch._tensor", "Tensor"),
    ("torch.nn.parameter", "Parameter"),
    ("torch.nn.parameter", "Buffer"),
];

impl<'a> Machine<'a> {
    /// What `function(*arguments)` is.
    pub(super) fn call(&mut self, function: Value, arguments: Value) -> Result<Value> {
        let (Value::Name(name), Value::Tuple(arguments)) = (function, arguments) else {
            return Ok(self.opaque(function));
        };
        let Name { module, name: function_name } = self.names[name];
        // None of the functions has more.
        let arguments: Vec<_> = self.tuples[arguments].iter().take(16).copied().collect();
        match (module, function_name) {
            ("collections", "OrderedDict" | "defaultdict" | "Counter") => {
                self.dictionary(&arguments)
            }
            ("torch._tensor", "_rebuild_from_type_v2" | "_rebuild_from_type") => {
                self.typed(&arguments)
            }
            // TorchScript's, of which the second argument is the type of the first.
            ("torch.jit._pickle", "restore_type_tag") => {
                Ok(arguments.first().copied().unwrap_or(Value::None))
            }
            ("torch._utils", function) => Ok(match self.rebuilt(function, &arguments)? {
                Some(tensor) => self.tensor(tensor),
                None => match (function.starts_with("_rebuild_parameter"), arguments.first()) {
                    (true, Some(tensor @ Value::Tensor(_))) => *tensor,
                    _ => self.opaque(Value::Name(name)),
                },
            }),
            _ => Ok(self.opaque(Value::Name(name))),
        }
    }

    fn tensor(&mut self, tensor: Stored) -> Value {
        self.tensors.push(Rc::new(tensor));
        Value::Tensor(self.tensors.len() - 1)
    }

    /// Something that is never made, of this class.
    pub(super) fn opaque(&mut self, class: Value) -> Value {
        let class = match class {
            Value::Name(name) => Some(name),
            Value::Object(object) => self.objects[object].class,
            _ => None,
        };
        self.objects.push(Object { class, state: None });
        Value::Object(self.objects.len() - 1)
    }

    /// `OrderedDict()`, or, as Python 2 has it, `OrderedDict([[key, value], ...])`.
    fn dictionary(&mut self, arguments: &[Value]) -> Result<Value> {
        let dict = match arguments {
            [dict @ Value::Dict(_)] => return Ok(*dict),
            _ => self.dict(),
        };
        if let ([Value::List(pairs)], Value::Dict(dict)) = (arguments, dict) {
            self.spend(self.lists[*pairs].len())?;
            for pair in self.lists[*pairs].clone() {
                let pair = match pair {
                    Value::List(pair) => &self.lists[pair],
                    Value::Tuple(pair) => &self.tuples[pair],
                    other => return Err(format!("it makes a dict of {}", other.kind())),
                };
                let [key, value] = pair.as_slice() else {
                    return Err("it has a key without a value".to_owned());
                };
                let pair = (*key, *value);
                self.dicts[dict].push(pair);
            }
        }
        Ok(dict)
    }

    /// `(function, class, arguments, state)`: a tensor of a class, or with attributes of its own.
    fn typed(&mut self, arguments: &[Value]) -> Result<Value> {
        let [Value::Name(function), Value::Name(class), Value::Tuple(inner), ..] = arguments else {
            return Err("it makes a tensor with other arguments".to_owned());
        };
        let Name { module, name } = self.names[*class];
        if !PLAIN_CLASSES.contains(&(module, name)) {
            return Ok(self.tensor(Stored::Unreadable(Described::new(
                format!("a tensor of the class {}", limited(&format!("{module}.{name}"))),
                SUBCLASS,
            ))));
        }
        let function = self.names[*function];
        let inner = self.tuples[*inner].clone();
        let rebuilt = match function.module {
            "torch._utils" => self.rebuilt(function.name, &inner)?,
            _ => None,
        };
        let rebuilt = rebuilt.ok_or("it makes a tensor by an unknown function")?;
        Ok(self.tensor(rebuilt))
    }

    /// What the function `torch._utils.FUNCTION` makes; `None` for one that makes no new tensor.
    fn rebuilt(&mut self, function: &str, arguments: &[Value]) -> Result<Option<Stored>> {
        if let Some((_, what, remedy)) = UNREADABLE.iter().find(|(name, ..)| *name == function) {
            return Ok(Some(Stored::Unreadable(Described::new(*what, *remedy))));
        }
        let (own_dtype, metadata) = match (function, arguments) {
            ("_rebuild_tensor", _) => (None, None),
            ("_rebuild_tensor_v2", _) => (None, arguments.get(6)),
            ("_rebuild_tensor_v3", [_, _, _, _, _, _, dtype, ..]) => {
                (Some(*dtype), arguments.get(7))
            }
            _ => return Ok(None),
        };
        let [storage, Value::Integer(offset), size, stride, ..] = arguments else {
            return Err(format!("it calls {function} with other arguments"));
        };
        let (storage, of_storage, base) = match storage {
            Value::Storage(storage) => self.storages[*storage].clone(),
            other => {
                let what = format!("a tensor of {}", self.describe(*other).what);
                return Ok(Some(Stored::Unreadable(Described::new(what, FLOAT))));
            }
        };
        let dtype = match own_dtype {
            Some(dtype) => match self.dtype(dtype)? {
                Ok(dtype) => dtype,
                Err(name) => {
                    let what = format!("a tensor of numbers of the kind {name}");
                    return Ok(Some(Stored::Unreadable(Described::new(what, FLOAT))));
                }
            },
            None => of_storage.unwrap_or(Dtype::of_torch("uint8").expect("a kind")),
        };
        let (size, stride) = (self.integers(*size)?, self.integers(*stride)?);
        let offset = offset.checked_add(base).ok_or("it has a tensor at an impossible place")?;
        let marks = self.marks(metadata.copied().unwrap_or(Value::None))?;
        Ok(Some(Stored::Strided(Strided { storage, dtype, offset, size, stride, marks })))
    }

    /// The kind that `torch.float8_e4m3fn`, say, names, or else its name.
    fn dtype(&self, value: Value) -> Result<std::result::Result<Dtype, String>> {
        match value {
            Value::Name(name) if self.names[name].module == "torch" => {
                let name = self.names[name].name;
                Ok(Dtype::of_torch(name).ok_or_else(|| limited(name)))
            }
            other => Err(format!("it has {} for a kind of numbers", other.kind())),
        }
    }

    /// `{"neg": True}`: the tensor has but a mark for its sign.
    fn marks(&self, metadata: Value) -> Result<Marks> {
        let mut marks = Marks::default();
        let dict = match metadata {
            Value::None => return Ok(marks),
            Value::Dict(dict) => &self.dicts[dict],
            other => return Err(format!("it marks a tensor with {}", other.kind())),
        };
        for (key, value) in dict {
            let key = match key {
                Value::Text(text) => self.texts[*text],
                other => return Err(format!("it marks a tensor with {}", other.kind())),
            };
            match (key, value) {
                ("neg", Value::Bool(true)) => marks.negative = true,
                ("conj", Value::Bool(true)) => marks.conjugate = true,
                _ => return Err(format!("it marks a tensor with \"{}\"", limited(key))),
            }
        }
        Ok(marks)
    }

    fn integers(&mut self, value: Value) -> Result<Vec<i64>> {
        let tuple = match value {
            Value::Tuple(tuple) => tuple,
            other => return Err(format!("it has a shape that is {}", other.kind())),
        };
        let rank = self.tuples[tuple].len();
        if rank > LARGEST_RANK {
            return Err(format!("it has a tensor of {rank} dimensions"));
        }
        self.spend(rank)?;
        let integer = |value: &Value| match value {
            Value::Integer(integer) => Ok(*integer),
            other => Err(format!("it has a shape with {} in it", other.kind())),
        };
        self.tuples[tuple].iter().map(integer).collect()
    }

    /// Copies `count` values. A list takes at least a byte for each of its values, but may be used
    /// again and again; this keeps a small file from asking for much memory.
    fn spend(&mut self, count: usize) -> Result<()> {
        let left = self.copies_left.checked_sub(count);
        self.copies_left = left.ok_or("it has more shapes or items than its length allows")?;
        Ok(())
    }

    /// `("storage", class, key, location, len, view)`; the view is in files from before PyTorch 0.4.
    pub(super) fn storage(&mut self, id: Value) -> Result<Value> {
        let parts = match id {
            Value::Tuple(parts) => self.tuples[parts].clone(),
            _ => Vec::new(),
        };
        let no_storage = "it refers to something other than a storage";
        let (class, key, len, view) = match parts.as_slice() {
            // A class with its source, which old files have for whole nets.
            [Value::Text(kind), class, ..] if self.texts[*kind] == "module" => return Ok(*class),
            [
                Value::Text(kind),
                Value::Name(class),
                Value::Text(key),
                _,
                Value::Integer(len),
                view @ ..,
            ] if self.texts[*kind] == "storage" => {
                (self.names[*class], self.texts[*key], *len, view.first().copied())
            }
            _ => return Err(no_storage.to_owned()),
        };
        let base = match view {
            None | Some(Value::None) => 0,
            Some(Value::Tuple(view)) => match self.tuples[view].as_slice() {
                [_, Value::Integer(offset), ..] if *offset >= 0 => *offset,
                _ => return Err(no_storage.to_owned()),
            },
            Some(_) => return Err(no_storage.to_owned()),
        };
        let dtype = Dtype::of_storage(class.name);
        let untyped = class.name == "UntypedStorage";
        let width = match dtype {
            Some(dtype) => dtype.bytes() as u64,
            None if untyped => 1,
            None => {
                self.names.push(class);
                return Ok(self.opaque(Value::Name(self.names.len() - 1)));
            }
        };
        let len = u64::try_from(len).ok().and_then(|len| len.checked_mul(width));
        let bytes = len.ok_or("it has a storage of an impossible length")?;
        if key.len() > LONGEST_NAME {
            return Err(format!("it has a name of {} bytes", key.len()));
        }
        let storage = Storage { place: Place::Record(key.into()), bytes, untyped };
        self.storages.push((storage, dtype, base));
        Ok(Value::Storage(self.storages.len() - 1))
    }

    /// `BUILD`: gives the value on the stack its state.
    pub(super) fn build(&mut self, state: Value) -> Result<()> {
        match self.top()? {
            Value::Object(object) => self.objects[object].state = Some(state),
            Value::Tensor(tensor) => {
                let what = "a tensor that sets its own state";
                self.tensors[tensor] = Rc::new(Stored::Unreadable(Described::new(what, SUBCLASS)));
            }
            // A dictionary's `_metadata`: versions of the modules.
            _ => {}
        }
        Ok(())
    }
}
