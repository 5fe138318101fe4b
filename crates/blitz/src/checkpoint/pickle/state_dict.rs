//! What the calls and references of a `state_dict` mean.

use super::machine::{Machine, Result, Value};
use super::{Entry, Name, STORAGES, Storage};

/// libtorch's own limit.
const LARGEST_RANK: usize = 64;

/// What is copied is short, so that a small file cannot ask for much memory.
const LONGEST_NAME: usize = 4_096;

impl Machine<'_> {
    /// What `name(*arguments)` is.
    pub(super) fn call(&mut self, name: Value, arguments: Value) -> Result<Value> {
        let Value::Tuple(arguments) = arguments else {
            return Err(format!("it calls with {} for arguments", arguments.describe()));
        };
        let arguments = &self.tuples[arguments];
        match (name, arguments.as_slice()) {
            (Value::Name(Name::OrderedDict), []) => {
                self.dicts.push(Vec::new());
                Ok(Value::Dict(self.dicts.len() - 1))
            }
            (
                Value::Name(Name::RebuildTensor),
                [Value::Storage(storage), Value::Integer(offset), size, stride, ..],
            ) => {
                let tensor = Entry {
                    name: String::new(),
                    storage: self.storages[*storage].clone(),
                    offset: *offset,
                    size: self.integers(*size)?,
                    stride: self.integers(*stride)?,
                };
                self.tensors.push(tensor);
                Ok(Value::Tensor(self.tensors.len() - 1))
            }
            (Value::Name(Name::RebuildParameter), [tensor @ Value::Tensor(_), ..]) => Ok(*tensor),
            (name, _) => Err(format!("it calls {} with other arguments", name.describe())),
        }
    }

    /// `("storage", class, key, location, len)`
    pub(super) fn storage(&mut self, id: Value) -> Result<Value> {
        let parts = match id {
            Value::Tuple(parts) => self.tuples[parts].as_slice(),
            _ => &[],
        };
        let [
            Value::Text(_),
            Value::Name(Name::Storage(kind)),
            Value::Text(key),
            _,
            Value::Integer(len),
        ] = parts
        else {
            return Err("it refers to something other than a storage".to_owned());
        };
        let key = limited(self.texts[*key])?;
        self.storages.push(Storage { key, kind: *kind, len: *len });
        Ok(Value::Storage(self.storages.len() - 1))
    }

    fn integers(&self, value: Value) -> Result<Vec<i64>> {
        let Value::Tuple(values) = value else {
            return Err(format!("it has a shape that is {}", value.describe()));
        };
        let integer = |value: &Value| match value {
            Value::Integer(integer) => Ok(*integer),
            other => Err(format!("it has a shape with {} in it", other.describe())),
        };
        let values = &self.tuples[values];
        if values.len() > LARGEST_RANK {
            return Err(format!("it has a tensor of {} dimensions", values.len()));
        }
        values.iter().map(integer).collect()
    }

    /// The result as a dictionary of tensors.
    pub(super) fn state_dict(mut self, top: Value) -> Result<Vec<Entry>> {
        let Value::Dict(dict) = top else {
            return Err(format!("it holds {}, not a state_dict", top.describe()));
        };
        let mut entries = Vec::new();
        for (key, value) in std::mem::take(&mut self.dicts[dict]) {
            let Value::Text(key) = key else {
                return Err(format!("it has {} for a name", key.describe()));
            };
            let name = self.texts[key];
            let Value::Tensor(tensor) = value else {
                return Err(format!(
                    "\"{name}\" is {}, not a tensor; save net.state_dict() by itself",
                    value.describe()
                ));
            };
            entries.push(Entry { name: limited(name)?, ..self.tensors[tensor].clone() });
        }
        Ok(entries)
    }
}

/// The meaning of `module.name`, one of the few that are known.
pub(super) fn known(module: &str, name: &str) -> Result<Name> {
    match (module, name) {
        ("collections", "OrderedDict") => return Ok(Name::OrderedDict),
        ("torch._utils", "_rebuild_tensor_v2") => return Ok(Name::RebuildTensor),
        ("torch._utils", "_rebuild_parameter") => return Ok(Name::RebuildParameter),
        ("torch", class) => {
            if let Some((_, kind)) = STORAGES.iter().find(|(storage, _)| *storage == class) {
                return Ok(Name::Storage(*kind));
            }
        }
        _ => {}
    }
    Err(format!(
        "it names {module}.{name}, which a dictionary of tensors does not need and which is never \
         executed here; save net.state_dict(), not the net"
    ))
}

fn limited(name: &str) -> Result<String> {
    match name.len() <= LONGEST_NAME {
        true => Ok(name.to_owned()),
        false => Err(format!("it has a name of {} bytes", name.len())),
    }
}
