//! The modules within a debug form, laid out as PyTorch does.

use std::fmt;

use super::debug_tree::Value;
use super::tch_layers::{self, is_tensor};

/// A module, as `print` shows it in Python.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Module {
    /// A layer in one line: `ReLU()`.
    Line(String),
    /// A module with modules in it, by name.
    Parent { name: String, children: Vec<(String, Module)> },
    /// `ModuleList`, where equal neighbours are counted.
    List(Vec<Module>),
}

/// The module that `value` describes; for a value of another kind, a module without content.
pub(super) fn of(value: &Value) -> Module {
    within(value).unwrap_or_else(|| match value {
        Value::Atom(text) if is_type_name(text) => Module::Line(format!("{text}()")),
        Value::Atom(text) => Module::Line(text.clone()),
        Value::Group { name, .. } => Module::Line(format!("{name}()")),
    })
}

/// The module that `value` describes, where it surely is or holds one.
fn within(value: &Value) -> Option<Module> {
    let (name, open, items) = match value {
        Value::Atom(text) => return line(text).map(Module::Line),
        Value::Group { name, open, items } => (name.as_str(), *open, items),
    };
    match (name, open) {
        ("Some", '(') => return within(&items.first()?.1),
        ("Sequential" | "SequentialT", '{') => {
            if let Some(layers) = value.field("layers") {
                let children = numbered(layers);
                return Some(Module::Parent { name: "Sequential".to_owned(), children });
            }
        }
        ("", '{') => return parent("ModuleDict", modules(items)),
        ("", _) => {
            let any = items.iter().any(|(_, item)| within(item).is_some());
            return any.then(|| Module::List(items.iter().map(|(_, item)| of(item)).collect()));
        }
        _ => {}
    }
    if let Some(line) = tch_layers::line(name, value) {
        return Some(Module::Line(line));
    }
    // A struct with tensors is a layer of its own, however little it says about itself.
    let layer = || Module::Line(format!("{name}()"));
    parent(name, modules(items))
        .or_else(|| items.iter().any(|(_, item)| is_tensor(item)).then(layer))
}

/// The line of a layer that prints itself as PyTorch's do, or of tch's closures.
fn line(text: &str) -> Option<String> {
    match text {
        "func" => return Some("Func()".to_owned()),
        "funcT" => return Some("FuncT()".to_owned()),
        _ => {}
    }
    let (name, _) = text.strip_suffix(')')?.split_once('(')?;
    // `derive` writes what is in brackets on lines of its own.
    (is_type_name(name) && !text.contains('\n')).then(|| text.to_owned())
}

fn is_type_name(text: &str) -> bool {
    text.starts_with(char::is_uppercase) && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn parent(name: &str, children: Vec<(String, Module)>) -> Option<Module> {
    (!children.is_empty()).then(|| Module::Parent { name: name.to_owned(), children })
}

/// Those of `items` that are modules; without a name, the position is the name.
fn modules(items: &[(Option<String>, Value)]) -> Vec<(String, Module)> {
    let named = items.iter().enumerate().filter_map(|(index, (key, item))| {
        Some((key.clone().unwrap_or_else(|| index.to_string()), within(item)?))
    });
    named.collect()
}

/// All items of a list of modules.
fn numbered(list: &Value) -> Vec<(String, Module)> {
    let Value::Group { items, .. } = list else { return Vec::new() };
    items.iter().enumerate().map(|(index, (_, item))| (index.to_string(), of(item))).collect()
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indented = |module: &Module| module.to_string().replace('\n', "\n  ");
        match self {
            Module::Line(text) => f.write_str(text),
            Module::Parent { name, children } if children.is_empty() => write!(f, "{name}()"),
            Module::Parent { name, children } => {
                writeln!(f, "{name}(")?;
                for (key, child) in children {
                    writeln!(f, "  ({key}): {}", indented(child))?;
                }
                f.write_str(")")
            }
            Module::List(items) => {
                writeln!(f, "ModuleList(")?;
                let mut start = 0;
                for run in items.chunk_by(|a, b| a == b) {
                    let text = indented(&run[0]);
                    match run.len() {
                        1 => writeln!(f, "  ({start}): {text}")?,
                        n => writeln!(f, "  ({start}-{}): {n} x {text}", start + n - 1)?,
                    }
                    start += run.len();
                }
                f.write_str(")")
            }
        }
    }
}
