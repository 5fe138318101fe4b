//! Fetching an archive: download, check, unpack, and only then put it where others look.
//!
//! What arrived before a connection broke is kept beside the data, and the next attempt continues
//! from there. Of several processes that want the same archive, one fetches it and the others
//! wait for it.

mod archive;
mod lock;
mod part;
mod progress;
mod request;
mod timeouts;
mod transfer;
mod unpack;

use std::fs;
use std::path::{Path, PathBuf};

use crate::data::records::BATCHES_DIR;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};
use crate::language::say;

pub use archive::Archive;
pub use timeouts::Timeouts;

/// Downloads `archive`, checks its length and SHA-256, and unpacks it to
/// `cache_dir/cifar-10-batches-bin`, whose path it returns. Shows a progress bar.
///
/// The directory appears complete or not at all. Where another process is fetching, this one waits
/// for it and uses its directory. A broken connection is tried again, and the transfer continues
/// where it broke if the server can do so (`Range`). Proxies named by the environment
/// (`HTTPS_PROXY`) are honoured.
///
/// # Errors
///
/// [`Error::Download`] where the network, the server or the archive's content fails,
/// [`Error::WrongArchive`] for another length or SHA-256 (nothing is kept), [`Error::Io`] where
/// `cache_dir` cannot be written or the disk is full, [`Error::Option`] for `tries` 0,
/// [`Error::Interrupted`] where the person asked to stop. An interrupt is noticed between two
/// pieces, so after `timeouts.read` at the latest. Unless the content was wrong, the beginning of
/// the archive stays in `cache_dir`, and the next call continues from there.
pub fn fetch(archive: &Archive, cache_dir: &Path, timeouts: &Timeouts) -> Result<PathBuf> {
    if timeouts.tries == 0 {
        return Err(Error::option("tries", "at least 1", 0));
    }
    let watch = Watch::new();
    let target = cache_dir.join(BATCHES_DIR);
    fs::create_dir_all(cache_dir).map_err(Error::io("create", cache_dir))?;
    let _lock = lock::wait_for(&cache_dir.join("download.lock"), &watch)?;
    if target.is_dir() {
        say(&format!("Another process has unpacked to {}", target.display()));
        return Ok(target);
    }
    let part = archive.part(cache_dir);
    transfer::complete(archive, &part, timeouts, &watch)?;
    unpack::unpack(archive, &part, &target, &watch)?;
    // Whatever cannot be removed costs disk space, nothing else.
    let _ = fs::remove_file(&part);
    say(&format!("Unpacked to {}", target.display()));
    Ok(target)
}
