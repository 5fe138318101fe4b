//! The transfer over HTTP, continued where it broke.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::archive::Archive;
use super::part::{length, open_at, remove, state, verify};
use super::progress::Progress;
use super::request::{Broken, ask, start_of};
use super::timeouts::Timeouts;
use crate::display::interrupt::Watch;
use crate::error::{Error, Result};
use crate::language::{say, told};

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
            say("What an earlier download had left does not fit; beginning anew ...");
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
        let (reason, seconds) = (capitalised(&told(&reason)), pause.as_secs_f64());
        say(&format!("{reason}; trying again in {seconds:.1} s ..."));
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
