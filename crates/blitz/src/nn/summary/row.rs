//! What is said of a net: a row for each operation, and totals.

/// One operation of a forward pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The layer's name in the variable store, such as `conv1`; empty for operations without
    /// parameters.
    pub name: String,
    /// PyTorch's type of the layer (`Conv2d`), or the operation (`relu`).
    pub kind: String,
    /// Shape of the output.
    pub output: Vec<i64>,
    /// Numbers to learn in this layer; 0 where an earlier row has counted them.
    pub parameters: usize,
}

/// A net's operations in the order in which they run, and totals; made by [`summary`](super::summary()).
///
/// Shows itself as a table: `{}` as text, as a cell's last expression in HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Shape of the input.
    pub input: Vec<i64>,
    /// The operations.
    pub rows: Vec<SummaryRow>,
    /// Numbers to learn in the whole store, buffers aside.
    pub parameters: usize,
    /// Those of them that are not frozen.
    pub trainable: usize,
    /// Memory of the parameters.
    pub bytes: usize,
    /// Names of parameters that no operation used.
    pub unused: Vec<String>,
}
