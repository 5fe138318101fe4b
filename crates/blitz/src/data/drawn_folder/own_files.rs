//! Which files of a folder are its own, so that nothing of anybody else's is overwritten.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The list of the files, as `sha256sum` writes it.
const LIST: &str = ".rust-blitz-drawn";
const ELSEWHERE: &str = "Name another folder, or an empty one.";

/// The files that an earlier call has written into a folder.
pub(super) struct OwnFiles {
    dir: PathBuf,
    /// SHA-256 in hexadecimal digits by name.
    listed: BTreeMap<String, String>,
}

impl OwnFiles {
    /// What `dir`, which need not be there, has of them.
    pub(super) fn of(dir: &Path) -> Result<OwnFiles> {
        let list = dir.join(LIST);
        let listed = match fs::read_to_string(&list) {
            Ok(text) => text
                .lines()
                .filter_map(|line| line.split_once("  "))
                .map(|(digest, name)| (name.to_owned(), digest.to_owned()))
                .collect(),
            Err(_) if !dir.exists() => BTreeMap::new(),
            Err(_) if !dir.is_dir() => {
                return Err(refused(dir, "it is a file".to_owned(), ELSEWHERE));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut entries = fs::read_dir(dir).map_err(Error::io("read", dir))?;
                if let Some(Ok(entry)) = entries.next() {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    return Err(refused(dir, format!("{name} is in it already"), ELSEWHERE));
                }
                BTreeMap::new()
            }
            Err(error) => return Err(Error::io("read", &list)(error)),
        };
        Ok(OwnFiles { dir: dir.to_owned(), listed })
    }

    /// Writes `files`, names below the folder and contents, and removes own ones that are not among
    /// them. Nothing is done where one of them is there and not this function's.
    pub(super) fn replace(&self, files: &[(String, Vec<u8>)]) -> Result<()> {
        for (name, bytes) in files {
            let path = self.dir.join(name);
            if path.symlink_metadata().is_ok() && !self.is_own(name, Some(&digest(bytes))) {
                let reason = format!("{} is there and was not drawn here", path.display());
                return Err(refused(
                    &self.dir,
                    reason,
                    "Move it elsewhere, or name another folder.",
                ));
            }
        }
        let wanted: BTreeMap<&str, String> =
            files.iter().map(|(name, bytes)| (name.as_str(), digest(bytes))).collect();
        let stale: Vec<&String> = self
            .listed
            .keys()
            .filter(|name| !wanted.contains_key(name.as_str()) && self.is_own(name, None))
            .collect();
        fs::create_dir_all(&self.dir).map_err(Error::io("create", &self.dir))?;
        // First, so that a later call knows what this one has written when it was killed.
        let list: String =
            wanted.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
        let path = self.dir.join(LIST);
        fs::write(&path, list).map_err(Error::io("write", &path))?;
        for name in stale {
            self.remove(name)?;
        }
        for (name, bytes) in files {
            let path = self.dir.join(name);
            let folder = path.parent().unwrap_or(&self.dir);
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
            fs::write(&path, bytes).map_err(Error::io("write", &path))?;
        }
        Ok(())
    }

    /// Whether the file is as it was listed, or as it will be.
    fn is_own(&self, name: &str, new: Option<&str>) -> bool {
        let path = self.dir.join(name);
        // Behind a link lies what is somebody else's, and below the folder only what was put there.
        let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
        if !is_file || Path::new(name).components().any(|part| part.as_os_str() == "..") {
            return false;
        }
        fs::read(&path).is_ok_and(|bytes| {
            let found = digest(&bytes);
            self.listed.get(name) == Some(&found) || new == Some(&found)
        })
    }

    /// Removes a file, and its folder where that was the last one.
    fn remove(&self, name: &str) -> Result<()> {
        let path = self.dir.join(name);
        fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        if let Some(folder) = path.parent() {
            // Refused where something is left in it.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(dir: &Path, reason: String, remedy: &str) -> Error {
    let expected = "a folder to draw into";
    Error::Folder { path: dir.to_owned(), expected, reason, remedy: remedy.to_owned() }
}
