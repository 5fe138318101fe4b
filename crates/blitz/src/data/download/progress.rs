//! How far the download is.

use super::archive::Archive;
use crate::display::{ProgressBar, ProgressOptions};
use crate::language::told;

/// A bar that counts megabytes.
pub(super) struct Progress {
    pub(super) received: u64,
    size: u64,
    /// Bytes that the bar has counted.
    shown: u64,
    bar: ProgressBar,
}

const MEGABYTE: u64 = 1_000_000;

impl Progress {
    pub(super) fn start(archive: &Archive, received: u64) -> Progress {
        let label = match received {
            0 => format!("downloading {}", archive.url),
            _ => format!("downloading the rest of {}", archive.url),
        };
        let label = told(&label);
        let options = ProgressOptions { label, unit: "MB".to_owned(), ..Default::default() };
        // A bar that counted what was there already would promise too much speed.
        let total = (archive.size - received).div_ceil(MEGABYTE);
        let bar = ProgressBar::with_options(Some(total), options);
        Progress { received, size: archive.size, shown: received, bar }
    }

    pub(super) fn add(&mut self, bytes: u64) {
        self.received += bytes;
        let new = self.received.saturating_sub(self.shown);
        // The last megabyte is rarely a whole one.
        let new = if self.received < self.size { new / MEGABYTE } else { new.div_ceil(MEGABYTE) };
        if new > 0 {
            self.bar.count(new);
            self.shown += new * MEGABYTE;
        }
    }
}
