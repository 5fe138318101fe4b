//! The beginning of an archive, or all of it, in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::archive::Archive;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};

/// Whether `part` is the whole archive.
pub(super) fn verify(archive: &Archive, part: &Path, watch: &Watch) -> Result<()> {
    let wrong = |expected: String, got: String| {
        Err(Error::WrongArchive { url: archive.url.clone(), expected, got })
    };
    let received = length(part);
    if received != archive.size {
        return wrong(format!("{} bytes", archive.size), format!("{received} bytes or more"));
    }
    let mut file = File::open(part).map_err(Error::io("open", part))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        watch.check_during("the check of the download", || state(archive, part))?;
        match file.read(&mut buffer).map_err(Error::io("read", part))? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    let sha256: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if sha256 != archive.sha256 {
        return wrong(format!("SHA-256 {}", archive.sha256), format!("SHA-256 {sha256}"));
    }
    Ok(())
}

/// What an interrupt leaves behind.
pub(super) fn state(archive: &Archive, part: &Path) -> String {
    let (received, size) = (length(part), archive.size);
    format!("{received} of {size} bytes are kept; load the data again to continue from there")
}

/// Its length, 0 where it is not there.
pub(super) fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

pub(super) fn remove(part: &Path) -> Result<()> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", part)(error)),
        _ => Ok(()),
    }
}

/// The file, cut off at `start` and to be written from there.
pub(super) fn open_at(part: &Path, start: u64) -> Result<File> {
    let open = || {
        let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(part)?;
        file.set_len(start)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    };
    open().map_err(Error::io("write", part))
}
