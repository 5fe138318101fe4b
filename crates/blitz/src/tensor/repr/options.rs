//! How tensors are printed.

/// How tensors are printed. PyTorch: `torch.set_printoptions`.
///
/// ```
/// use blitz::prelude::*;
/// use blitz::tensor::repr::{ReprOptions, repr_with};
///
/// let x = Tensor::from_slice(&[1.0f32 / 3.0]);
/// let options = ReprOptions { precision: 2, ..Default::default() };
/// assert_eq!(repr_with(&x, &options).to_string(), "tensor([0.33])");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReprOptions {
    /// Digits after the point.
    pub precision: u16,
    /// A tensor with more elements is summarised; `usize::MAX` never summarises.
    pub threshold: usize,
    /// How many elements a summary shows at the beginning and the end of each dimension.
    pub edge_items: usize,
    /// The length of a line in characters.
    pub line_width: usize,
    /// Whether numbers have the form `1.0000e+02`; `None` lets the numbers decide.
    pub sci_mode: Option<bool>,
}

impl Default for ReprOptions {
    fn default() -> ReprOptions {
        ReprOptions { precision: 4, threshold: 1000, edge_items: 3, line_width: 80, sci_mode: None }
    }
}
