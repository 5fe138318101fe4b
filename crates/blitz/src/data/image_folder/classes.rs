//! The classes of a folder: the folders in it.

use std::fs;
use std::path::{Path, PathBuf};

use super::files::{has_picture_name, is_hidden, name_of, pictures};
use super::{AlikeNames, Skipped};
use crate::error::{Error, Result};

/// A class and its files, in their order.
pub(super) struct Class {
    pub(super) name: String,
    pub(super) files: Vec<PathBuf>,
}

/// What lies in a folder.
pub(super) struct Found {
    pub(super) classes: Vec<Class>,
    /// Pictures beside the folders.
    pub(super) stray: Vec<Skipped>,
}

impl Found {
    pub(super) fn file_count(&self) -> usize {
        self.classes.iter().map(|class| class.files.len()).sum()
    }
}

const EXPECTED: &str = "a folder of classes";
const LAYOUT: &str = "Make a folder for each class in it, such as cat and dog, with its pictures";

/// The classes of `root` with their files; each has one at least, and there are two or more.
pub(super) fn find(root: &Path, alike_names: AlikeNames) -> Result<Found> {
    let (folders, stray) = entries(root)?;
    if folders.is_empty() {
        let reason = match stray.len() {
            0 => "there is no folder in it, and no picture".to_owned(),
            1 => "a picture lies directly in it, so it has no class".to_owned(),
            pictures => format!("{pictures} pictures lie directly in it, so they have no class"),
        };
        return Err(refused(root, reason, format!("{LAYOUT}.")));
    }
    let names: Vec<String> = folders.iter().map(|folder| name_of(folder)).collect();
    check_names(root, &names, alike_names)?;
    let mut classes = Vec::new();
    for (folder, name) in folders.iter().zip(names) {
        classes.push(Class { name, files: pictures(folder)? });
    }
    check_files(root, &classes)?;
    let skipped = |path| Skipped { path, reason: "it lies in no class's folder".to_owned() };
    Ok(Found { classes, stray: stray.into_iter().map(skipped).collect() })
}

/// The folders in `root` and the pictures beside them, each sorted.
fn entries(root: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    if !root.is_dir() {
        let reason = match root.exists() {
            true => "it is a file",
            false => "it is not there",
        };
        let here = std::env::current_dir().unwrap_or_default();
        let remedy = format!("Paths are looked for from {}.", here.display());
        return Err(refused(root, reason.to_owned(), remedy));
    }
    let (mut folders, mut stray) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(root).map_err(Error::io("read", root))? {
        let path = entry.map_err(Error::io("read", root))?.path();
        match path.is_dir() {
            _ if is_hidden(&path) => {}
            true => folders.push(path),
            false if has_picture_name(&path) => stray.push(path),
            false => {}
        }
    }
    folders.sort();
    stray.sort();
    Ok((folders, stray))
}

fn check_names(root: &Path, names: &[String], alike_names: AlikeNames) -> Result<()> {
    const PARTS: [&str; 6] = ["train", "training", "test", "val", "valid", "validation"];
    if names.iter().all(|name| PARTS.contains(&name.to_lowercase().as_str())) {
        let reason = format!("{} are parts of a data set, not classes", names.join(" and "));
        let remedy = format!("Load each of them: {}.", root.join(&names[0]).display());
        return Err(refused(root, reason, remedy));
    }
    if let [only] = names {
        let reason = format!("{only} is its only class, and there is nothing to tell it from");
        return Err(refused(root, reason, format!("{LAYOUT}.")));
    }
    if alike_names == AlikeNames::Keep {
        return Ok(());
    }
    let plain: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
    for (index, name) in plain.iter().enumerate() {
        if let Some(first) = plain[..index].iter().position(|earlier| earlier == name) {
            let reason = format!("{:?} and {:?} look like one class", names[first], names[index]);
            let remedy = "Put their pictures into one of the two folders and remove the other; or, \
                          where they are two classes, set alike_names: AlikeNames::Keep.";
            return Err(refused(root, reason, remedy.to_owned()));
        }
    }
    Ok(())
}

fn check_files(root: &Path, classes: &[Class]) -> Result<()> {
    let empty: Vec<&str> = classes
        .iter()
        .filter(|class| class.files.is_empty())
        .map(|class| class.name.as_str())
        .collect();
    if empty.is_empty() {
        return Ok(());
    }
    let reason = format!("there is no picture in {}", empty.join(", "));
    let remedy = "Put pictures there (PNG, JPEG, WebP, BMP, GIF, by their endings), or remove what is \
                  no class.";
    Err(refused(root, reason, remedy.to_owned()))
}

/// A class whose files were all skipped.
pub(super) fn none_readable(root: &Path, class: &str) -> Error {
    let reason = format!("no picture in {class} can be read");
    let remedy = "Set broken: Broken::Refuse to see what is wrong with them.";
    refused(root, reason, remedy.to_owned())
}

fn refused(root: &Path, reason: String, remedy: String) -> Error {
    Error::Folder { path: root.to_owned(), expected: EXPECTED, reason, remedy }
}
