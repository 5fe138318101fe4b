//! The transfer over HTTP, continued where it broke.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use ureq::http::StatusCode;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, RANGE};

use super::archive::Archive;
use super::progress::Progress;
use super::timeouts::Timeouts;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};

type Response = ureq::http::Response<ureq::Body>;

/// Why a connection ended before all was there.
enum Broken {
    /// Another try may bring more.
    Temporary(String),
    /// No try will.
    Final(Error),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Broken {
        Broken::Final(error)
    }
}

/// Makes the file `part` the whole archive, checked; what it already holds is not fetched again.
pub(super) fn complete(
    archive: &Archive,
    part: &Path,
    timeouts: &Timeouts,
    watch: &Watch,
) -> Result<()> {
    let kept = part.metadata().map_or(0, |metadata| metadata.len());
    fetch_rest(archive, part, timeouts, watch)?;
    let checked = verify(archive, part, watch);
    match checked {
        // The server's file has changed since the beginning was kept.
        Err(Error::WrongArchive { .. }) if kept > 0 => {
            println!("What an earlier download had left does not fit; beginning anew ...");
            remove(part)?;
            fetch_rest(archive, part, timeouts, watch)?;
            verify(archive, part, watch)
        }
        checked => checked,
    }
    .inspect_err(|error| {
        if matches!(error, Error::WrongArchive { .. }) {
            let _ = fs::remove_file(part);
        }
    })
}

/// Connects until all is there, or `timeouts.tries` connections in a row brought nothing new.
fn fetch_rest(archive: &Archive, part: &Path, timeouts: &Timeouts, watch: &Watch) -> Result<()> {
    let failed = |reason: String| Error::Download { url: archive.url.clone(), reason };
    if !archive.url.starts_with("https://") && !archive.url.starts_with("http://") {
        return Err(failed("only http and https addresses can be fetched".to_owned()));
    }
    let mut furthest = length(part);
    let mut failures = 0;
    loop {
        let reason = match connect_and_read(archive, part, timeouts, watch) {
            Ok(()) => return Ok(()),
            Err(Broken::Final(error)) => return Err(error),
            Err(Broken::Temporary(reason)) => reason,
        };
        // A server that begins anew each time must get further than before to count.
        let gained = length(part).saturating_sub(furthest);
        furthest += gained;
        failures = if gained * 100 >= archive.size { 1 } else { failures + 1 };
        if failures >= timeouts.tries {
            let kept = match length(part) {
                0 => String::new(),
                _ => "; what arrived is kept, and loading again continues from there".to_owned(),
            };
            let times = match failures {
                1 => String::new(),
                _ => format!(", {failures} times in a row"),
            };
            return Err(failed(format!("{reason}{times}{kept}")));
        }
        let pause = pause_after(failures, timeouts);
        println!("{}; trying again in {:.1} s ...", capitalised(&reason), pause.as_secs_f64());
        wait(pause, archive, part, watch)?;
    }
}

/// One connection: asks for what is missing and appends it to `part`.
fn connect_and_read(
    archive: &Archive,
    part: &Path,
    timeouts: &Timeouts,
    watch: &Watch,
) -> Result<(), Broken> {
    let kept = length(part);
    if kept == archive.size {
        return Ok(());
    }
    let kept = if kept > archive.size { 0 } else { kept };
    let mut response = ask(archive, kept, timeouts, part)?;
    let start = start_of(&response, kept, archive)?;
    let mut file = open_at(part, start)?;
    let mut progress = Progress::start(archive, start);
    let mut reader = response.body_mut().as_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        watch.check_during("the download", || state(archive, part))?;
        let read = reader.read(&mut buffer).map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
            let error = match inner {
                Some(ureq::Error::Timeout(_)) => "nothing came for a while".to_owned(),
                _ => error.to_string(),
            };
            broken(progress.received, archive, &error)
        })?;
        match read {
            0 if progress.received < archive.size => {
                return Err(broken(progress.received, archive, "the server ended it"));
            }
            0 => return Ok(()),
            _ => {}
        }
        file.write_all(&buffer[..read]).map_err(Error::io("write", part))?;
        progress.add(read as u64);
        if progress.received > archive.size {
            return Ok(()); // Longer than it should be: the rest need not be fetched.
        }
    }
}

fn broken(received: u64, archive: &Archive, error: &str) -> Broken {
    let size = archive.size;
    Broken::Temporary(format!("the connection broke after {received} of {size} bytes ({error})"))
}

/// Sends the request; the answer's head is there when this returns.
fn ask(archive: &Archive, kept: u64, timeouts: &Timeouts, part: &Path) -> Result<Response, Broken> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_resolve(Some(timeouts.connect))
        .timeout_connect(Some(timeouts.connect))
        .timeout_recv_response(Some(timeouts.read))
        .timeout_per_read(Some(timeouts.read))
        .build()
        .into();
    let mut request = agent.get(&archive.url);
    if kept > 0 {
        request = request.header(RANGE, format!("bytes={kept}-"));
    }
    request.call().map_err(|error| {
        if matches!(error, ureq::Error::StatusCode(416)) {
            // The server has nothing from there on: its file is another one.
            return match remove(part) {
                Ok(()) => Broken::Temporary("the server's file is shorter than before".to_owned()),
                Err(error) => Broken::Final(error),
            };
        }
        let reason = explain(&error);
        match error {
            ureq::Error::StatusCode(429 | 500..) => Broken::Temporary(reason),
            ureq::Error::StatusCode(_) => Broken::Final(download_error(archive, reason)),
            // Some of it has arrived before, so the server exists and may come back.
            _ if kept > 0 => Broken::Temporary(reason),
            _ => Broken::Final(download_error(archive, reason)),
        }
    })
}

/// The position in the archive that the answer's body starts at.
fn start_of(response: &Response, kept: u64, archive: &Archive) -> Result<u64, Broken> {
    let header = |name: HeaderName| response.headers().get(name)?.to_str().ok();
    let wrong_length = |length: u64| {
        let (expected, got) = (format!("{} bytes", archive.size), format!("{length} bytes"));
        Broken::Final(Error::WrongArchive { url: archive.url.clone(), expected, got })
    };
    if response.status() != StatusCode::PARTIAL_CONTENT {
        // All of it, also where a part was asked for.
        let length = header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        return match length {
            Some(length) if length != archive.size => Err(wrong_length(length)),
            _ => Ok(0),
        };
    }
    // bytes START-END/SIZE, where SIZE may be *
    let range = header(CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
    let (range, size) = range.and_then(|range| range.split_once('/')).unwrap_or_default();
    let start = range.split_once('-').and_then(|(start, _)| start.parse::<u64>().ok());
    if let Some(size) = size.parse().ok().filter(|size| *size != archive.size) {
        return Err(wrong_length(size));
    }
    match start {
        Some(start) if start == kept => Ok(start),
        _ => {
            let reason = format!("the server sent another part than asked for (bytes {range})");
            Err(Broken::Final(download_error(archive, reason)))
        }
    }
}

fn download_error(archive: &Archive, reason: String) -> Error {
    Error::Download { url: archive.url.clone(), reason }
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

fn verify(archive: &Archive, part: &Path, watch: &Watch) -> Result<()> {
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
fn state(archive: &Archive, part: &Path) -> String {
    let (received, size) = (length(part), archive.size);
    format!("{received} of {size} bytes are kept; load the data again to continue from there")
}

/// How long to wait after so many connections in a row, at least 1, that brought nothing new.
fn pause_after(failures: u32, timeouts: &Timeouts) -> Duration {
    timeouts.pause.saturating_mul(2u32.saturating_pow(failures - 1))
}

fn wait(pause: Duration, archive: &Archive, part: &Path, watch: &Watch) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < pause {
        watch.check_during("the download", || state(archive, part))?;
        sleep(Duration::from_millis(50).min(pause));
    }
    Ok(())
}

/// Its length, 0 where it is not there.
fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

fn remove(part: &Path) -> Result<()> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", part)(error)),
        _ => Ok(()),
    }
}

/// The file, cut off at `start` and to be written from there.
fn open_at(part: &Path, start: u64) -> Result<File> {
    let open = || {
        let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(part)?;
        file.set_len(start)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    };
    open().map_err(Error::io("write", part))
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_twice_as_long() {
        let timeouts = Timeouts { pause: Duration::from_millis(100), ..Timeouts::default() };
        let pauses = [1, 2, 3, 4].map(|failures| pause_after(failures, &timeouts).as_millis());
        assert_eq!(pauses, [100, 200, 400, 800]);
        let longest = Timeouts { pause: Duration::MAX, ..timeouts };
        assert_eq!(pause_after(200, &longest), Duration::MAX);
    }
}
