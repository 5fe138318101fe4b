//! What a file holds, without a net.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use tch::Kind;

use super::contents::{Dictionary, Entry, Stored, Strided};
use super::fault::{damaged, holds};
use super::open::open;
use super::strided::check_bounds;
use crate::display::table::{Table, thousands};
use crate::display::{Bundle, Output, Show};
use crate::error::Result;

/// The tensors of a file, and what else stands in it; made by [`inspect`].
///
/// Shows itself as a table: `{}` as text, as a cell's last expression in HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The file.
    pub path: PathBuf,
    /// The tensors that can be loaded, in the file's order; those of an outer dictionary first.
    pub tensors: Vec<TensorEntry>,
    /// Everything else with a name: numbers and texts, such as `epoch`, and tensors that cannot be
    /// loaded, such as quantised ones. Of more than a thousand in one dictionary, the first.
    pub others: Vec<OtherEntry>,
}

/// A tensor in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorEntry {
    /// The keys that lead to its dictionary, joined by `/`, as in
    /// [`LoadOptions::key`](super::LoadOptions::key); empty for the file's own.
    pub key: String,
    /// Its name there, such as `conv1.weight`.
    pub name: String,
    /// Its shape.
    pub size: Vec<i64>,
    /// Its kind as Python names it, without `torch.`: `float32`.
    pub dtype: &'static str,
    /// Its kind; `None` where tch has none, and the numbers are loaded as a wider kind.
    pub kind: Option<Kind>,
    /// How many numbers it has.
    pub numel: usize,
    /// Their memory. Views of the same numbers count each by itself.
    pub bytes: usize,
}

/// Something in a file that is no tensor, or none that can be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherEntry {
    /// The keys that lead to its dictionary, joined by `/`; empty for the file's own.
    pub key: String,
    /// Its name there.
    pub name: String,
    /// A number, text, `True`, `False` or `None` as it is; else what it is: `a list of 3`.
    pub value: String,
}

/// Lists what a file of parameters holds, in any of the formats that [`load`](super::load) reads.
/// The tensors' numbers are not read, so damage to them is not noticed; nothing is executed.
///
/// Tensors are looked for in dictionaries below keys that are strings, as `load` does. What an
/// optimizer keeps stands in other places, and is named as a whole.
///
/// ```
/// use blitz::prelude::*;
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("net.pth");
/// let vs = nn::VarStore::new(Device::Cpu);
/// linear(vs.root() / "fc", 4, 3);
/// checkpoint::save(&vs, &path)?; // net.pth, say
///
/// let inspection = checkpoint::inspect(&path)?;
/// assert_eq!(inspection.tensors[0].name, "fc.weight");
/// assert_eq!(inspection.tensors[0].size, [3, 4]);
/// println!("{inspection}");
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::MissingFile`](crate::Error::MissingFile),
/// [`Error::DamagedCheckpoint`](crate::Error::DamagedCheckpoint) for a file that cannot be read, or
/// holds nothing with a name.
pub fn inspect(path: impl AsRef<Path>) -> Result<Inspection> {
    let path = path.as_ref();
    let contents = open(path)?.contents;
    let notes: Vec<&Dictionary> =
        contents.notes.iter().filter(|dictionary| !dictionary.others.is_empty()).collect();
    if contents.dictionaries.is_empty() && notes.is_empty() {
        return Err(damaged(path)(holds(&contents.whole)));
    }
    let mut inspection =
        Inspection { path: path.to_owned(), tensors: Vec::new(), others: Vec::new() };
    for dictionary in &contents.dictionaries {
        for entry in &dictionary.entries {
            inspection
                .add_tensor(&dictionary.key, entry)
                .map_err(|reason| damaged(path)(reason.into()))?;
        }
    }
    let listed = || contents.dictionaries.iter().chain(notes.iter().copied());
    let keys: HashSet<&str> = listed().map(|dictionary| dictionary.key.as_str()).collect();
    for Dictionary { key, others, .. } in listed() {
        for other in others {
            // Its own entries stand in the list.
            if !keys.contains(joined(key, &other.name).as_str()) {
                let (name, value) = (other.name.clone(), other.shown.clone());
                inspection.others.push(OtherEntry { key: key.clone(), name, value });
            }
        }
    }
    Ok(inspection)
}

fn joined(key: &str, name: &str) -> String {
    if key.is_empty() { name.to_owned() } else { format!("{key}/{name}") }
}

impl Inspection {
    /// Shows the table now: [`crate::display::show`].
    pub fn show(&self) {
        crate::display::show(self);
    }

    /// What evcxr calls when the inspection is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }

    fn add_tensor(&mut self, key: &str, entry: &Entry) -> std::result::Result<(), String> {
        let (key, name) = (key.to_owned(), entry.name.clone());
        match &*entry.tensor {
            Stored::Unreadable(described) => {
                self.others.push(OtherEntry { key, name, value: described.what.clone() });
            }
            Stored::Strided(strided) => {
                check_bounds(strided).map_err(|reason| format!("parameter {name}: {reason}"))?;
                let Strided { dtype, size, .. } = strided;
                // No negative sizes, and no overflow: that is within the bounds.
                let numel = size.iter().map(|size| *size as usize).product::<usize>();
                let bytes = numel.saturating_mul(dtype.bytes());
                let (size, kind, dtype) = (size.clone(), dtype.kind(), dtype.torch());
                self.tensors.push(TensorEntry { key, name, size, dtype, kind, numel, bytes });
            }
        }
        Ok(())
    }

    fn table(&self) -> Table<'static, 5> {
        let row = |tensor: &TensorEntry| {
            let TensorEntry { key, name, size, dtype, numel, bytes, .. } = tensor;
            [
                joined(key, name),
                format!("{size:?}"),
                (*dtype).to_owned(),
                thousands(*numel),
                thousands(*bytes),
            ]
        };
        let sum = |of: fn(&TensorEntry) -> usize| {
            thousands(self.tensors.iter().map(of).fold(0, usize::saturating_add))
        };
        let mut lines = vec![format!(
            "{} tensors, {} numbers, {} bytes",
            thousands(self.tensors.len()),
            sum(|tensor| tensor.numel),
            sum(|tensor| tensor.bytes)
        )];
        let others = self.others.iter();
        lines.extend(
            others.map(|other| format!("{}: {}", joined(&other.key, &other.name), other.value)),
        );
        Table {
            headings: ["Name", "Shape", "Kind", "Numbers", "Bytes"],
            numbers: 2,
            rows: self.tensors.iter().map(row).collect(),
            lines,
        }
    }
}

impl Show for Inspection {
    fn bundle(&self) -> Bundle {
        Bundle::new().with_text("text/html", self.table().html()).with_alt(self.to_string())
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.table().text())
    }
}
