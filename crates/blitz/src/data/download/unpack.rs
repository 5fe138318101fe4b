//! Unpacking beside the place where others look, and the move there.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::archive::Archive;
use crate::data::records::BATCHES_DIR;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};

/// A directory that is removed however the function ends.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Whatever cannot be removed costs disk space, nothing else.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Unpacks the file `part` to the directory `target`, which appears complete or not at all.
pub(super) fn unpack(archive: &Archive, part: &Path, target: &Path, watch: &Watch) -> Result<()> {
    let dir = Temporary(target.with_file_name("unpacking"));
    // What a process that was killed has left.
    drop(Temporary(dir.0.clone()));
    extract(part, &dir.0, watch)?;
    let unpacked = dir.0.join(BATCHES_DIR);
    if !unpacked.is_dir() {
        let reason = format!("the archive holds no directory {BATCHES_DIR}");
        // It has the SHA-256 that was asked for: no other download would be better.
        let _ = fs::remove_file(part);
        return Err(Error::Download { url: archive.url.clone(), reason });
    }
    fs::rename(&unpacked, target).map_err(Error::io("rename a finished download to", target))
}

fn extract(part: &Path, dir: &Path, watch: &Watch) -> Result<()> {
    let failed = || Error::io("unpack the archive to", dir);
    let file = File::open(part).map_err(Error::io("open", part))?;
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    fs::create_dir_all(dir).map_err(failed())?;
    for entry in tar.entries().map_err(failed())? {
        watch.check_during("the unpacking", || {
            "the archive is kept; load the data again to unpack it".to_owned()
        })?;
        entry.and_then(|mut entry| entry.unpack_in(dir)).map_err(failed())?;
    }
    Ok(())
}
