//! The files of a class, in torchvision's order.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// torchvision's `IMG_EXTENSIONS`, and what learners have besides.
const ENDINGS: [&str; 14] = [
    "jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp", "gif", "jfif", "heic",
    "heif", "avif",
];

pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What a person does not see: names with a dot first, and what macOS adds to archives.
pub(super) fn is_hidden(path: &Path) -> bool {
    let name = name_of(path);
    name.starts_with('.') || name == "__MACOSX"
}

pub(super) fn has_picture_name(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// All files below `folder` that are named as pictures are, sorted as torchvision's `make_dataset`
/// does: folders by their whole paths as texts, then files by name.
pub(super) fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    walk(folder, &mut Vec::new(), &mut folders)?;
    // As texts: `a-b` comes before `a/b`, which paths compared part by part would not do.
    folders.sort_by(|(one, _), (other, _)| {
        one.as_os_str().as_bytes().cmp(other.as_os_str().as_bytes())
    });
    Ok(folders.into_iter().flat_map(|(_, files)| files).collect())
}

/// Adds `folder` with its pictures, and the folders in it; `ancestors` are the real paths of those
/// that it lies in.
fn walk(
    folder: &Path,
    ancestors: &mut Vec<PathBuf>,
    folders: &mut Vec<(PathBuf, Vec<PathBuf>)>,
) -> Result<()> {
    let real = folder.canonicalize().map_err(Error::io("read", folder))?;
    if ancestors.contains(&real) {
        return Err(Error::Folder {
            path: folder.to_owned(),
            expected: "a folder of pictures",
            reason: "it is a link to a folder that it lies in, so it has no end".to_owned(),
            remedy: "Remove the link.".to_owned(),
        });
    }
    ancestors.push(real);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        match path.is_dir() {
            _ if is_hidden(&path) => {}
            true => walk(&path, ancestors, folders)?,
            false if has_picture_name(&path) => files.push(path),
            false => {}
        }
    }
    files.sort();
    folders.push((folder.to_owned(), files));
    ancestors.pop();
    Ok(())
}
