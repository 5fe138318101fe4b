//! A net as PyTorch prints it.
//!
//! `#[derive(Debug)]`, which every `Module` has, tells the structure of a net: its fields, their
//! names and types. The layers of this crate print themselves as PyTorch's do. So the debug form
//! holds all that `print(net)` shows in Python; what is left is to read it ([`debug_tree`]), pick
//! out the modules ([`module_tree`]) and lay them out.

mod debug_tree;
mod module_tree;
mod tch_layers;

use std::fmt::{self, Debug};

use crate::display::{Bundle, Output, Show};

/// What [`describe`] returns: shows itself, as text, by `{}`, by `{:?}` and as a cell's last
/// expression.
#[derive(Clone, PartialEq, Eq)]
pub struct Description(String);

/// `net` as Python's `print(net)` shows it: the modules within it, by the names of the fields that
/// hold them. Any type with `#[derive(Debug)]` will do.
///
/// Shown are this crate's layers, tch's, lists of layers, and structs that hold layers or
/// tensors; other fields are left out, as in PyTorch. A closure appears as `Func()`: what it does
/// is hidden in it. A struct whose `Debug` is written by hand appears as that says.
///
/// ```
/// use blitz::nn::{Conv2d, Linear, conv2d, describe, linear};
/// use blitz::tch::{Device, nn::VarStore};
///
/// #[derive(Debug)]
/// struct Net {
///     conv1: Conv2d,
///     fc1: Linear,
/// }
///
/// let vs = VarStore::new(Device::Cpu);
/// let net = Net { conv1: conv2d(vs.root() / "conv1", 1, 6, 5), fc1: linear(vs.root() / "fc1", 84, 10) };
/// assert_eq!(
///     describe(&net).to_string(),
///     "Net(\n  \
///        (conv1): Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))\n  \
///        (fc1): Linear(in_features=84, out_features=10, bias=True)\n\
///      )"
/// );
/// ```
pub fn describe<M: Debug + ?Sized>(net: &M) -> Description {
    let debug = format!("{net:#?}");
    // What cannot be read is shown as it is.
    let described = debug_tree::parse(&debug).map(|tree| module_tree::of(&tree).to_string());
    Description(described.unwrap_or(debug))
}

impl Description {
    /// What evcxr calls when the description is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

impl Show for Description {
    fn bundle(&self) -> Bundle {
        Bundle::new().with_alt(self.0.as_str())
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
