//! What became of each parameter when a file was loaded.

use std::fmt;
use std::path::PathBuf;

use super::names::{Assignment, Found, Target};
use crate::display::{Bundle, Output, Show};

/// Lines for parameters of another shape, and names in each of the other lines.
const MOST_NAMED: usize = 6;

/// Which parameters [`load_with`](super::load_with) loaded, and what did not fit. Names are those of
/// the net, in its order, and those of the file, in that one's. Buffers count as parameters.
///
/// Shows itself in a few lines, also as a cell's last expression.
///
/// ```
/// use blitz::checkpoint::{LoadOptions, Mismatches};
/// use blitz::prelude::*;
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("net.pth");
/// let saved = nn::VarStore::new(Device::Cpu);
/// linear(saved.root() / "fc1", 4, 8);
/// linear(saved.root() / "fc2", 8, 5);
/// checkpoint::save(&saved, &path)?; // net.pth, say
///
/// let mut vs = nn::VarStore::new(Device::Cpu);
/// linear(vs.root() / "fc1", 4, 8);
/// linear(vs.root() / "fc2", 8, 3);
/// let options = LoadOptions { mismatches: Mismatches::Leave, ..Default::default() };
/// let report = checkpoint::load_with(&mut vs, &path, &options)?;
/// assert_eq!(report.loaded, ["fc1.weight", "fc1.bias"]);
/// assert_eq!(
///     report.to_string(),
///     "loaded 2 of 4 parameters\n\
///      fc2.weight: [5, 8] in the file, [3, 8] in the net: left as it was\n\
///      fc2.bias: [5] in the file, [3] in the net: left as it was"
/// );
/// # Ok::<(), blitz::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadReport {
    /// The file.
    pub path: PathBuf,
    /// Parameters that have the file's numbers now.
    pub loaded: Vec<String>,
    /// In the net, not in the file (PyTorch: `missing_keys`). They were left as they were, unless
    /// they share their memory with one that was loaded.
    pub missing: Vec<String>,
    /// In the file, not in the net (PyTorch: `unexpected_keys`), without the prefix.
    pub unexpected: Vec<String>,
    /// In both, in different shapes: left as they were.
    pub other_shapes: Vec<OtherShape>,
    /// In the net, but not among [`LoadOptions::only`](super::LoadOptions::only): left as they were.
    pub left_out: Vec<String>,
}

/// A parameter that has one shape in a file and another one in a net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherShape {
    /// Its name in the net.
    pub name: String,
    /// Its shape in the file.
    pub in_file: Vec<i64>,
    /// Its shape in the net.
    pub in_net: Vec<i64>,
}

impl LoadReport {
    pub(super) fn new(path: PathBuf, targets: &[Target], assignment: &Assignment) -> LoadReport {
        let mut report = LoadReport {
            path,
            loaded: Vec::new(),
            missing: Vec::new(),
            unexpected: assignment.unexpected.clone(),
            other_shapes: Vec::new(),
            left_out: Vec::new(),
        };
        for ((name, size), found) in targets.iter().zip(&assignment.found) {
            let name = name.clone();
            match found {
                Found::Tensor(_) => report.loaded.push(name),
                Found::Nothing => report.missing.push(name),
                Found::LeftOut => report.left_out.push(name),
                Found::OtherShape(in_file) => report.other_shapes.push(OtherShape {
                    name,
                    in_file: in_file.to_vec(),
                    in_net: size.clone(),
                }),
            }
        }
        report
    }

    /// Whether the whole net was loaded, and the whole file.
    pub fn is_whole(&self) -> bool {
        let LoadReport { missing, unexpected, other_shapes, left_out, .. } = self;
        missing.is_empty()
            && unexpected.is_empty()
            && other_shapes.is_empty()
            && left_out.is_empty()
    }

    /// Shows the report now: [`crate::display::show`].
    pub fn show(&self) {
        crate::display::show(self);
    }

    /// What evcxr calls when the report is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

impl Show for LoadReport {
    fn bundle(&self) -> Bundle {
        Bundle::new().with_alt(self.to_string())
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LoadReport { loaded, missing, unexpected, other_shapes, left_out, .. } = self;
        let all = loaded.len() + missing.len() + other_shapes.len() + left_out.len();
        write!(f, "loaded {} of {all} parameters", loaded.len())?;
        for OtherShape { name, in_file, in_net } in other_shapes.iter().take(MOST_NAMED) {
            write!(f, "\n{name}: {in_file:?} in the file, {in_net:?} in the net: left as it was")?;
        }
        if let Some(more @ 1..) = other_shapes.len().checked_sub(MOST_NAMED) {
            write!(f, "\nand {more} more of another shape")?;
        }
        for (what, names) in [
            ("not in the file", missing),
            ("not in the net", unexpected),
            ("not asked for", left_out),
        ] {
            if !names.is_empty() {
                write!(f, "\n{what}: {}", listed(names))?;
            }
        }
        Ok(())
    }
}

/// The first names, and how many more there are.
fn listed(names: &[String]) -> String {
    let shown = names.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(MOST_NAMED) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}
