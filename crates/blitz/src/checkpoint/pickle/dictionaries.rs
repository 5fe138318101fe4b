//! The dictionaries of tensors within what a pickle holds.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::call::LONGEST_NAME;
use super::machine::{Machine, Parsed, Result};
use super::remedy::{ARRAYS, QUANTISED_NET, RESAVE, WHOLE_NET, ZIP};
use super::value::Value;
use crate::checkpoint::contents::{
    Contents, Described, Dictionary, Entry, Other, Place, Storage, Stored, limited,
};
use crate::checkpoint::dtype::Dtype;
use crate::tensor::repr::python_float;

/// Dictionaries deeper than this are not looked at.
const DEEPEST: usize = 8;

/// Of a dictionary's values that are no tensors only the first are kept, and of dictionaries without
/// tensors.
const MOST_OTHERS: usize = 1_024;
const MOST_NOTES: usize = 256;

impl Parsed<'_> {
    /// The dictionaries, the outermost first. They are looked for below keys
    /// that are strings: what an optimizer keeps stands below integers, and in lists.
    pub(in crate::checkpoint) fn contents(&self) -> Result<Contents> {
        let machine = &self.machine;
        let whole = match self.top {
            // Only said where nothing in it can be read.
            Value::Dict(dict) => machine.describe_dict(dict)?,
            other => machine.describe_whole(other),
        };
        let mut contents = Contents { whole, ..Contents::default() };
        let mut queue = VecDeque::from([(self.top, String::new(), 0)]);
        let mut seen = HashSet::new();
        while let Some((value, key, depth)) = queue.pop_front() {
            let Value::Dict(dict) = value else { continue };
            let mut found = Dictionary { key, ..Dictionary::default() };
            for (name, value) in machine.items(dict)? {
                match (name, value) {
                    (Value::Text(name), Value::Tensor(tensor)) => {
                        let name = short(machine.texts[name])?;
                        let tensor = machine.tensors[tensor].clone();
                        found.entries.push(Entry { name, tensor, shard: 0 });
                    }
                    (name, value) => {
                        if let (Value::Text(_), Value::Dict(dict)) = (name, value)
                            && depth < DEEPEST
                            && seen.insert(dict)
                        {
                            let key = join(&found.key, &machine.label(name));
                            queue.push_back((value, key, depth + 1));
                        }
                        if found.others.len() < MOST_OTHERS {
                            found.others.push(machine.other(name, value));
                        }
                    }
                }
            }
            if !found.entries.is_empty() {
                contents.dictionaries.push(found);
            } else if contents.notes.len() < MOST_NOTES {
                contents.notes.push(found);
            }
        }
        Ok(contents)
    }

    /// The integers and strings of a list, as an old file has them at its end: its storages' keys.
    pub(in crate::checkpoint) fn keys(&self) -> Option<Vec<&str>> {
        let Value::List(list) = self.top else { return None };
        let key = |value: &Value| match value {
            Value::Text(text) => Some(self.machine.texts[*text]),
            _ => None,
        };
        self.machine.lists[list].iter().map(key).collect()
    }

    /// The bytes of a number of each storage, by the storage's key.
    pub(in crate::checkpoint) fn storage_widths(&self) -> HashMap<Rc<str>, usize> {
        let width = |(storage, dtype, _): &'_ (Storage, Option<Dtype>, i64)| {
            let Place::Record(key) = &storage.place else { return None };
            Some((key.clone(), dtype.map_or(1, Dtype::bytes)))
        };
        self.machine.storages.iter().filter_map(width).collect()
    }

    /// Whether it is the number that PyTorch's old files begin with.
    pub(in crate::checkpoint) fn is_magic(&self) -> bool {
        matches!(self.top, Value::Magic)
    }
}

fn join(key: &str, name: &str) -> String {
    if key.is_empty() { name.to_owned() } else { format!("{key}/{name}") }
}

fn short(name: &str) -> Result<String> {
    match name.len() <= LONGEST_NAME {
        true => Ok(name.to_owned()),
        false => Err(format!("it has a name of {} bytes", name.len())),
    }
}

impl Machine<'_> {
    /// The items of a dictionary; of equal keys the last value counts, at the first one's place.
    pub(super) fn items(&self, dict: usize) -> Result<Vec<(Value, Value)>> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut items: Vec<(Value, Value)> = Vec::with_capacity(self.dicts[dict].len());
        for (key, value) in &self.dicts[dict] {
            if let Value::Text(text) = key {
                let place = *places.entry(self.texts[*text]).or_insert(items.len());
                if place < items.len() {
                    items[place].1 = *value;
                    continue;
                }
            }
            items.push((*key, *value));
        }
        Ok(items)
    }

    /// A key, for messages.
    fn label(&self, key: Value) -> String {
        match key {
            Value::Text(text) => limited(self.texts[text]),
            Value::Integer(number) => number.to_string(),
            other => other.kind().to_owned(),
        }
    }

    /// A value that is no tensor.
    fn other(&self, name: Value, value: Value) -> Other {
        let what = self.describe(value);
        let shown = match value {
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Float(number) => python_float(number),
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => format!("{:?}", limited(self.texts[text])),
            Value::List(list) => format!("{} of {}", what.what, self.lists[list].len()),
            Value::Tuple(tuple) => format!("{} of {}", what.what, self.tuples[tuple].len()),
            Value::Dict(dict) => format!("{} of {}", what.what, self.dicts[dict].len()),
            _ => what.what.clone(),
        };
        Other { name: self.label(name), what, shown }
    }

    /// What a value is, for messages.
    pub(super) fn describe(&self, value: Value) -> Described {
        let object = match value {
            Value::Object(object) => object,
            Value::Tuple(tuple) => return self.describe_list("a tuple", &self.tuples[tuple]),
            Value::List(list) => return self.describe_list("a list", &self.lists[list]),
            other => return Described::new(other.kind(), ""),
        };
        let class = self.objects[object].class.map(|name| self.names[name]);
        let Some(class) = class else { return Described::new("an object", "") };
        let name = limited(&format!("{}.{}", class.module, class.name));
        match (class.module.split('.').next().unwrap_or_default(), class.name) {
            ("numpy", _) => Described::new(format!("a NumPy array or number ({name})"), ARRAYS),
            (_, "UninitializedParameter" | "UninitializedBuffer") => Described::new(
                "a parameter of a lazy layer, which has no shape yet",
                "run the net once in Python before saving it",
            ),
            ("torch", _) if class.name == "_load_from_bytes" => {
                Described::new("a storage that pickle itself wrote", RESAVE)
            }
            _ => Described::new(
                format!("an object of {name}, which is never made or executed here"),
                "",
            ),
        }
    }

    /// A list, with what in it cannot be read: a quantised layer keeps its weights in a tuple.
    fn describe_list(&self, list: &str, values: &[Value]) -> Described {
        let unreadable = values.iter().take(8).find_map(|value| match value {
            Value::Tensor(tensor) => match &*self.tensors[*tensor] {
                Stored::Unreadable(described) => Some(described),
                Stored::Strided(_) => None,
            },
            _ => None,
        });
        unreadable.map_or_else(
            || Described::new(list, ""),
            |inner| Described::new(format!("{list} with {}", inner.what), QUANTISED_NET),
        )
    }

    /// What the whole file is, where it is no dictionary.
    fn describe_whole(&self, top: Value) -> Described {
        let tensors = |values: &[Value]| {
            values.iter().filter(|value| matches!(value, Value::Tensor(_))).count()
        };
        match top {
            Value::Tensor(_) => Described::new(
                "a tensor without a name",
                "give it one in Python: torch.save({\"NAME\": tensor}, path)",
            ),
            Value::List(list) if tensors(&self.lists[list]) > 0 => {
                Described::new(format!("a list of {} tensors", tensors(&self.lists[list])), ZIP)
            }
            Value::Tuple(tuple) if tensors(&self.tuples[tuple]) > 0 => {
                Described::new(format!("a tuple of {} tensors", tensors(&self.tuples[tuple])), ZIP)
            }
            Value::Object(_) => {
                let Described { what, remedy } = self.describe(top);
                let remedy = if remedy.is_empty() { WHOLE_NET.to_owned() } else { remedy };
                Described { what, remedy }
            }
            other => Described::new(other.kind(), ""),
        }
    }

    /// A dictionary in which nothing can be read.
    fn describe_dict(&self, dict: usize) -> Result<Described> {
        let items = self.items(dict)?;
        if items.is_empty() {
            return Ok(Described::new("an empty dict", ""));
        }
        let object = items.iter().find_map(|(key, value)| match (key, value) {
            (Value::Text(key), Value::Object(_)) => Some((limited(self.texts[*key]), *value)),
            _ => None,
        });
        let labels: Vec<_> = items
            .iter()
            .take(8)
            .map(|(key, value)| {
                format!("\"{}\" is {}", self.label(*key), self.describe(*value).what)
            })
            .collect();
        let what = format!("a dict without named tensors ({})", labels.join(", "));
        let remedy = match object {
            Some((_, value)) if !self.describe(value).remedy.is_empty() => {
                self.describe(value).remedy
            }
            Some((key, _)) => format!(
                "if \"{key}\" is the net: torch.save(torch.load(path, \
                 weights_only=False)[\"{key}\"].state_dict(), path)"
            ),
            None => String::new(),
        };
        Ok(Described::new(what, remedy))
    }
}
