//! A notebook that is made, and that somebody may then work in: made, renewed, or kept.

use super::nbformat::{Notebook, joined};
use crate::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a made notebook says of itself, in its metadata.
const MARK: &str = "blitz";
/// The key of all that it was made of.
const MADE_FROM: &str = "made_from";
/// The key of the sources that it was made with: with other ones, somebody has worked in it.
const MADE: &str = "made";
/// What is solved, beside the notebook: `blitz::check` keeps it.
const PROGRESS: &str = ".progress";

/// What becomes of a notebook that somebody has worked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays.
    Keep,
    /// It gets another name, and a new one its place.
    MoveAside,
}

/// What became of a notebook.
#[derive(Debug, PartialEq, Eq)]
pub enum Made {
    /// There was none.
    New,
    /// The one that was there, untouched, was out of date.
    Renewed,
    /// The one that is there is untouched and up to date.
    AsItWas,
    /// The one that is there holds somebody's work; the exercises may have changed since.
    Kept {
        /// Whether they have.
        is_outdated: bool,
    },
    /// The one that was there now has this name.
    MovedAside(PathBuf),
}

impl Made {
    /// Whether there is another notebook now than before.
    pub fn is_new(&self) -> bool {
        matches!(self, Made::New | Made::Renewed)
    }
}

/// Whether a notebook was made by [`write`].
pub fn is_made(notebook: &Notebook) -> bool {
    notebook.metadata(MARK)[MADE].is_string()
}

/// Writes `new` to its path, with what tells later whether somebody has worked in it. What somebody has
/// changed is never overwritten.
///
/// # Errors
/// A file cannot be read or written.
pub fn write(mut new: Notebook, existing: Existing) -> Result<Made> {
    let made_from = Fingerprint::new().text(&String::from_utf8_lossy(&new.to_bytes()?)).finish();
    let made = sources(new.cells());
    new.metadata_mut()[MARK] = json!({MADE_FROM: made_from, MADE: made});
    let path = new.path().to_owned();
    if path.symlink_metadata().is_err() {
        new.write(&path)?;
        return Ok(Made::New);
    }
    // One that is no notebook any more is somebody's, too.
    let old = Notebook::read(path.clone()).ok();
    let key = |notebook: &Notebook, name: &str| notebook.metadata(MARK)[name].clone();
    let is_touched = old.as_ref().is_none_or(|old| key(old, MADE) != sources(old.cells()));
    let is_outdated = old.as_ref().is_none_or(|old| key(old, MADE_FROM) != key(&new, MADE_FROM));
    match existing {
        Existing::Keep if is_touched => return Ok(Made::Kept { is_outdated }),
        Existing::Keep if !is_outdated => return Ok(Made::AsItWas),
        _ => {}
    }
    let aside = if is_touched { Some(copy_aside(&path)?) } else { None };
    new.write(&path)?;
    Ok(aside.map_or(Made::Renewed, Made::MovedAside))
}

/// The key of what cells hold. Outputs and cells without a word are nobody's work.
fn sources(cells: &[Value]) -> String {
    let sources = cells.iter().map(|cell| (cell["cell_type"].as_str(), joined(&cell["source"])));
    sources
        .filter(|(_, source)| !source.trim().is_empty())
        .fold(Fingerprint::new(), |print, (kind, source)| {
            print.text(kind.unwrap_or_default()).text(&source)
        })
        .finish()
}

/// Keeps the notebook under a name with a number that is free, and what is solved in it, too. Returns
/// the name.
fn copy_aside(path: &Path) -> Result<PathBuf> {
    let contents = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    for number in 1.. {
        let aside = path.with_extension(format!("{number}.ipynb"));
        match File::create_new(&aside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            made => made
                .and_then(|mut file| file.write_all(&contents))
                .with_context(|| format!("cannot write {}", aside.display()))?,
        }
        let solved = path.with_file_name(PROGRESS).join(path.file_name().unwrap_or_default());
        // Where nothing is solved, there is none.
        let _ = fs::rename(
            solved.with_extension("json"),
            solved.with_extension(format!("{number}.json")),
        );
        return Ok(aside);
    }
    bail!("no name is free beside {}", path.display())
}
