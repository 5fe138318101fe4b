//! Fetching an archive: download, check, unpack, and only then put it where others look.
//!
//! What arrived before a connection broke is kept beside the data, and the next attempt continues
//! from there. Of several processes that want the same archive, one fetches it and the others
//! wait for it.

mod lock;
mod progress;
mod transfer;
mod unpack;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::data::records::BATCHES_DIR;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};

/// A file on the network that is known byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// An `http` or `https` address of a `.tar.gz` file.
    pub url: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Records in each of the six `.bin` files that it holds.
    pub records_per_file: u64,
}

impl Archive {
    /// The binary version of CIFAR-10 from its author's page (162 MiB).
    pub fn official() -> Archive {
        Archive {
            url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz".to_owned(),
            size: 170_052_171,
            sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd".to_owned(),
            records_per_file: 10_000,
        }
    }

    /// Where its beginning is kept until all of it is there. What another archive left behind
    /// has another name.
    fn part(&self, cache_dir: &Path) -> PathBuf {
        let start: String = self.sha256.chars().take(16).collect();
        cache_dir.join(format!("cifar-10-binary-{start}.tar.gz.part"))
    }
}

/// How long a download waits, and how often it tries, before it gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the server's name to be found and, again, for the connection to stand; 5 s.
    pub connect: Duration,
    /// For the answer to begin and, again, for each further piece; 30 s.
    pub read: Duration,
    /// Connections in a row that bring nothing new before it gives up, at least 1; 3. A server
    /// that cannot be reached at all is tried once, so that nobody without a network waits.
    pub tries: u32,
    /// From a broken connection to the next; 1 s, and twice as long each further time.
    pub pause: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(30),
            tries: 3,
            pause: Duration::from_secs(1),
        }
    }
}

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
        println!("Another process has unpacked to {}", target.display());
        return Ok(target);
    }
    let part = archive.part(cache_dir);
    transfer::complete(archive, &part, timeouts, &watch)?;
    unpack::unpack(archive, &part, &target, &watch)?;
    // Whatever cannot be removed costs disk space, nothing else.
    let _ = fs::remove_file(&part);
    println!("Unpacked to {}", target.display());
    Ok(target)
}
