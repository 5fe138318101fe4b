//! What is downloaded.

use std::path::{Path, PathBuf};

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
    pub(super) fn part(&self, cache_dir: &Path) -> PathBuf {
        let start: String = self.sha256.chars().take(16).collect();
        cache_dir.join(format!("cifar-10-binary-{start}.tar.gz.part"))
    }
}
