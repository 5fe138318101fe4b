//! Fetching an archive: download, check, unpack, and only then put it where others look.

use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::cifar10::BATCHES_DIR;
use crate::error::{Error, Result};
use crate::interrupt::Watch;

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
}

/// How long a download waits before it gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the server's name to be found and, again, for the connection to stand; 5 s.
    pub connect: Duration,
    /// For the answer to begin and, again, for each further piece; 30 s.
    pub read: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { connect: Duration::from_secs(5), read: Duration::from_secs(30) }
    }
}

/// Downloads `archive`, checks its length and SHA-256, and unpacks it to
/// `cache_dir/cifar-10-batches-bin`, whose path it returns. Prints progress lines.
///
/// The directory appears complete or not at all. Where another process was faster, its directory
/// is used. Proxies named by the environment (`HTTPS_PROXY`) are honoured.
///
/// # Errors
///
/// [`Error::Download`] where the network, the server or the archive's content fails,
/// [`Error::WrongArchive`] for another length or SHA-256 (nothing is kept), [`Error::Io`] where
/// `cache_dir` cannot be written, [`Error::Interrupted`] where the person asked to stop (nothing is
/// kept). An interrupt is noticed between two pieces, so after `timeouts.read` at the latest.
pub fn fetch(archive: &Archive, cache_dir: &Path, timeouts: &Timeouts) -> Result<PathBuf> {
    fs::create_dir_all(cache_dir).map_err(Error::io("create", cache_dir))?;
    let pid = process::id();
    let part = Temporary(cache_dir.join(format!("cifar-10-binary.tar.gz.part-{pid}")));
    download(archive, &part.0, timeouts)?;
    let unpacked = Temporary(cache_dir.join(format!("unpacking-{pid}")));
    unpack(archive, &part.0, &unpacked.0)?;
    publish(&unpacked.0.join(BATCHES_DIR), &cache_dir.join(BATCHES_DIR))
}

/// A file or directory that is removed however the function ends.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Whatever cannot be removed costs disk space, nothing else.
        let _ =
            if self.0.is_dir() { fs::remove_dir_all(&self.0) } else { fs::remove_file(&self.0) };
    }
}

/// Streams the archive into the file `part` and checks it.
fn download(archive: &Archive, part: &Path, timeouts: &Timeouts) -> Result<()> {
    let failed = |reason: String| Error::Download { url: archive.url.clone(), reason };
    if !archive.url.starts_with("https://") && !archive.url.starts_with("http://") {
        return Err(failed("only http and https addresses can be fetched".to_owned()));
    }
    println!("Downloading {} ({}) ...", archive.url, megabytes(archive.size));
    let mut response =
        agent(timeouts).get(&archive.url).call().map_err(|error| failed(explain(&error)))?;
    let mut reader = response.body_mut().as_reader();
    let mut file = File::create(part).map_err(Error::io("create", part))?;
    let mut hasher = Sha256::new();
    let mut progress = Progress::start(archive.size);
    let mut buffer = vec![0; 1 << 16];
    let watch = Watch::new();
    loop {
        watch.check_during("the download", || {
            "nothing was kept; load the data again to begin anew".to_owned()
        })?;
        let read = reader.read(&mut buffer).map_err(|error| {
            failed(format!(
                "the connection broke after {} of {} bytes ({error})",
                progress.received, archive.size
            ))
        })?;
        if read == 0 {
            break;
        }
        file.write_all(&buffer[..read]).map_err(Error::io("write", part))?;
        hasher.update(&buffer[..read]);
        progress.add(read as u64);
        if progress.received > archive.size {
            break; // Longer than it should be: the rest need not be fetched.
        }
    }
    verify(archive, progress.received, hasher)
}

fn agent(timeouts: &Timeouts) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_resolve(Some(timeouts.connect))
        .timeout_connect(Some(timeouts.connect))
        .timeout_recv_response(Some(timeouts.read))
        .timeout_per_read(Some(timeouts.read))
        .build()
        .into()
}

/// ureq's error in a learner's words.
fn explain(error: &ureq::Error) -> String {
    const NO_NAME: &str = "the server's name could not be looked up (no network?)";
    match error {
        ureq::Error::HostNotFound => NO_NAME.to_owned(),
        // The system's resolver has no error kind of its own.
        ureq::Error::Io(error) if error.to_string().contains("failed to lookup") => {
            NO_NAME.to_owned()
        }
        ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
            "the server refused the connection".to_owned()
        }
        ureq::Error::StatusCode(404) => "the server has no such file (HTTP status 404)".to_owned(),
        ureq::Error::StatusCode(code) => format!("the server answered with HTTP status {code}"),
        ureq::Error::Timeout(_) => "the server did not answer in time".to_owned(),
        other => other.to_string(),
    }
}

fn verify(archive: &Archive, received: u64, hasher: Sha256) -> Result<()> {
    let wrong = |expected: String, got: String| {
        Err(Error::WrongArchive { url: archive.url.clone(), expected, got })
    };
    if received != archive.size {
        let more = if received > archive.size { " or more" } else { "" };
        return wrong(format!("{} bytes", archive.size), format!("{received} bytes{more}"));
    }
    let sha256: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if sha256 != archive.sha256 {
        return wrong(format!("SHA-256 {}", archive.sha256), format!("SHA-256 {sha256}"));
    }
    Ok(())
}

fn unpack(archive: &Archive, part: &Path, dir: &Path) -> Result<()> {
    let file = File::open(part).map_err(Error::io("open", part))?;
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    tar.unpack(dir).map_err(Error::io("unpack the archive to", dir))?;
    if !dir.join(BATCHES_DIR).is_dir() {
        let reason = format!("the archive holds no directory {BATCHES_DIR}");
        return Err(Error::Download { url: archive.url.clone(), reason });
    }
    Ok(())
}

/// Moves the finished directory to its place in one step.
fn publish(unpacked: &Path, target: &Path) -> Result<PathBuf> {
    match fs::rename(unpacked, target) {
        Ok(()) => println!("Unpacked to {}", target.display()),
        // Another process put its directory there meanwhile; it passed the same checks.
        Err(_) if target.is_dir() => println!("Another process unpacked to {}", target.display()),
        Err(error) => return Err(Error::io("rename a finished download to", target)(error)),
    }
    Ok(target.to_owned())
}

/// Prints how far the download is, about every two seconds.
struct Progress {
    received: u64,
    size: u64,
    started: Instant,
    printed: Instant,
}

impl Progress {
    fn start(size: u64) -> Progress {
        let now = Instant::now();
        Progress { received: 0, size, started: now, printed: now }
    }

    fn add(&mut self, bytes: u64) {
        self.received += bytes;
        if self.printed.elapsed() >= Duration::from_secs(2) {
            self.printed = Instant::now();
            let percent = self.received * 100 / self.size.max(1);
            let seconds = self.started.elapsed().as_secs();
            println!(
                "  {} of {} ({percent} %), {seconds} s",
                megabytes(self.received),
                megabytes(self.size)
            );
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
