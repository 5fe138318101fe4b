//! What to load of a file.

/// Which tensors of a file are meant.
///
/// ```
/// use blitz::checkpoint::LoadOptions;
///
/// // Of {"state_dict": ..., "ema": ...} the second, and of its names, such as model.conv1.weight,
/// // those of the part `model`.
/// let options = LoadOptions { key: Some("ema".into()), prefix: Some("model.".into()) };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// The key of the dictionary of tensors in a file that has several; several keys, one within the
    /// other, are joined by `/`. `None` for the one that fits.
    pub key: Option<String>,
    /// Taken off the names, with the dot; names that do not begin with it are left out. `None` for
    /// names as they are in the net, or with the additions of well-known wrappers.
    pub prefix: Option<String>,
}
