//! What a net learns from, and what shows how good it is.

use crate::data::loader::DataLoader;

/// The loaders of a training, made by `into()`: out of `&mut train_loader`, or out of
/// `(&mut train_loader, &mut test_loader)` for the accuracy after each epoch.
#[derive(Debug)]
pub struct Loaders<'a> {
    /// What the net learns from.
    pub train: &'a mut DataLoader,
    /// What shows after each epoch how good it is; the net learns nothing from it.
    pub test: Option<&'a mut DataLoader>,
}

impl<'a> From<&'a mut DataLoader> for Loaders<'a> {
    fn from(train: &'a mut DataLoader) -> Loaders<'a> {
        Loaders { train, test: None }
    }
}

impl<'a> From<(&'a mut DataLoader, &'a mut DataLoader)> for Loaders<'a> {
    fn from((train, test): (&'a mut DataLoader, &'a mut DataLoader)) -> Loaders<'a> {
        Loaders { train, test: Some(test) }
    }
}
