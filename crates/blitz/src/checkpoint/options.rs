//! What to load of a file.

/// Which tensors of a file are meant, and what becomes of those that do not fit.
///
/// ```
/// use blitz::checkpoint::{LoadOptions, Mismatches};
///
/// // Of {"state_dict": ..., "ema": ...} the second, and of its names, such as model.conv1.weight,
/// // those of the part `model`.
/// let ema = LoadOptions {
///     key: Some("ema".into()),
///     prefix: Some("model.".into()),
///     ..Default::default()
/// };
/// // Whatever fits, as for a net with another last layer.
/// let features = LoadOptions { mismatches: Mismatches::Leave, ..Default::default() };
/// // Two layers of a net, and these whole.
/// let layers = LoadOptions {
///     only: Some(vec!["conv1".into(), "layer1.0".into()]),
///     ..Default::default()
/// };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// The key of the dictionary of tensors in a file that has several; several keys, one within the
    /// other, are joined by `/`. `None` for the one that fits.
    pub key: Option<String>,
    /// Taken off the names, with the dot; names that do not begin with it are left out. `None` for
    /// names as they are in the net, or with the additions of well-known wrappers.
    pub prefix: Option<String>,
    /// The parameters of the net that are loaded: their names, or those of layers, such as `conv1`
    /// for `conv1.weight` and `conv1.bias`. The others stay as they are, and what the file has for
    /// them is left out. `None` for all.
    pub only: Option<Vec<String>>,
    /// What becomes of parameters that the file does not have, or has in another shape.
    pub mismatches: Mismatches,
}

/// What becomes of names and shapes that differ between a file and a net.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mismatches {
    /// They are an error, and nothing is loaded (PyTorch: `strict=True`).
    #[default]
    Refuse,
    /// What fits is loaded, the rest of the net stays as it is, and the report names it (PyTorch:
    /// `strict=False`, which is still an error for another shape). Where nothing fits, that is an
    /// error.
    Leave,
}
