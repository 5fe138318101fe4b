//! The parameters of a net within a TorchScript file: what `torch.jit.save` wrote, and what C++ and
//! tch's `VarStore::save` write, which is a module without code.

use super::call::LONGEST_NAME;
use super::machine::{Parsed, Result};
use super::value::Value;
use crate::checkpoint::contents::{Contents, Described, Dictionary, Entry};

/// Modules within modules.
const DEEPEST: usize = 64;

impl Parsed<'_> {
    /// All tensors of a module and of the modules in it, by names such as `conv1.weight`.
    pub(in crate::checkpoint) fn module(&self) -> Result<Contents> {
        let machine = &self.machine;
        let mut dictionary = Dictionary::default();
        // Modules may stand in several places, so that names can be longer than the file; those of
        // a real one are not.
        let mut letters_left = 4 * machine.length;
        let mut todo = vec![(self.top, String::new(), 0)];
        while let Some((value, prefix, depth)) = todo.pop() {
            let Value::Object(object) = value else { continue };
            let Some(Value::Dict(state)) = machine.objects[object].state else { continue };
            let mut inner = Vec::new();
            let items = machine.items(state)?;
            letters_left = letters_left.saturating_sub(items.len());
            for (key, value) in items {
                let Value::Text(key) = key else { continue };
                // tch writes names with | because C++ allows no dot in them.
                let name = machine.texts[key].replace('|', ".");
                let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                if !matches!(value, Value::Tensor(_) | Value::Object(_)) {
                    continue;
                }
                let left = letters_left.checked_sub(name.len() + 1);
                letters_left = left.ok_or("its names are longer than the file")?;
                if name.len() > LONGEST_NAME || depth > DEEPEST {
                    return Err("its modules are nested too deeply".to_owned());
                }
                match value {
                    Value::Tensor(tensor) => {
                        let tensor = machine.tensors[tensor].clone();
                        dictionary.entries.push(Entry { name, tensor, shard: 0 });
                    }
                    _ => inner.push((value, name, depth + 1)),
                }
            }
            // The last is taken first.
            todo.extend(inner.into_iter().rev());
        }
        let whole = Described::new("a TorchScript program without parameters", "");
        Ok(Contents { dictionaries: vec![dictionary], notes: Vec::new(), whole })
    }
}
