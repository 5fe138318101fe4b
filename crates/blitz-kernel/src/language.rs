//! Which language the person reads.

use blitz_contract::{Layout, variables};
use blitz_messages::{Choice, Messages, Wishes};
use std::path::{Path, PathBuf};

/// Jupyter's server tells a kernel which notebook it is for.
const NOTEBOOK: &str = "JPY_SESSION_NAME";

/// The messages for the person who has started this kernel: in the language that they have set, else in
/// the notebook's, else in the environment's.
pub fn messages(layout: &Layout) -> Messages {
    let variable = |name: &str| std::env::var(name).ok();
    let wishes = Wishes {
        option: variable(variables::LANGUAGE),
        folder: folder(layout, variable(NOTEBOOK).map(PathBuf::from)),
        locales: Wishes::locales_of(variable),
    };
    Messages::new(Choice::in_dir(&layout.translations_dir()).messages_dir(&wishes))
}

/// The notebook's folder, below that of all notebooks; front ends that do not name the notebook start
/// its kernel there.
fn folder(layout: &Layout, notebook: Option<PathBuf>) -> Option<PathBuf> {
    let dir = match notebook.filter(|path| path.is_absolute()) {
        Some(path) => path.parent().map(Path::to_owned)?,
        None => std::env::current_dir().ok()?,
    };
    let notebooks = layout.notebooks_dir();
    let below = |dir: &Path, notebooks: &Path| dir.strip_prefix(notebooks).ok().map(Path::to_owned);
    below(&dir, &notebooks)
        .or_else(|| below(&dir.canonicalize().ok()?, &notebooks.canonicalize().ok()?))
}
