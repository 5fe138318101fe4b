//! One request for what is missing of an archive, and what its answer means.

use std::io::ErrorKind;
use std::path::Path;

use ureq::http::StatusCode;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, RANGE};

use super::archive::Archive;
use super::part::remove;
use super::timeouts::Timeouts;
use crate::error::{Error, Result};

pub(super) type Response = ureq::http::Response<ureq::Body>;

/// Why a connection ended before all was there.
pub(super) enum Broken {
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

/// Sends the request; the answer's head is there when this returns.
pub(super) fn ask(
    archive: &Archive,
    kept: u64,
    timeouts: &Timeouts,
    part: &Path,
) -> Result<Response, Broken> {
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
pub(super) fn start_of(response: &Response, kept: u64, archive: &Archive) -> Result<u64, Broken> {
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
