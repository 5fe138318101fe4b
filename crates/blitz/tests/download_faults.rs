//! Downloads that break, and several at once.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/server.rs"]
mod server;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use blitz::Error;
use blitz::data::download::{Archive, Timeouts, fetch};
use server::{Answer, Server, archive, archive_bytes};

const PER_FILE: usize = 20;

fn timeouts() -> Timeouts {
    // Long, so that a busy machine is not taken for a silent server.
    let (connect, read) = (Duration::from_secs(120), Duration::from_secs(120));
    Timeouts { connect, read, pause: Duration::from_millis(10), ..Timeouts::default() }
}

/// What is in a directory, but for the lock that stays.
fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "download.lock").collect()
}

fn part_of(archive: &Archive, cache: &Path) -> PathBuf {
    cache.join(format!("cifar-10-binary-{}.tar.gz.part", &archive.sha256[..16]))
}

/// Looks whether all is there and nothing else.
fn assert_complete(cache: &Path) {
    assert_eq!(names(cache), ["cifar-10-batches-bin"]);
    let dir = cache.join("cifar-10-batches-bin");
    let mut files = names(&dir);
    files.sort();
    assert_eq!((files.len(), files[5].as_str()), (6, "test_batch.bin"));
    for file in files {
        assert_eq!(dir.join(file).metadata().unwrap().len(), PER_FILE as u64 * 3073);
    }
}

/// Runs one test of this file, an `#[ignore]`d one, in a process of its own.
fn child(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "--ignored", "--nocapture", test]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What the parent has told this process to fetch; `None` where no test has started it.
fn told() -> Option<(Archive, PathBuf)> {
    let var = |name: &str| env::var(name).unwrap();
    let archive = Archive {
        url: env::var("FETCH_URL").ok()?,
        size: var("FETCH_SIZE").parse().unwrap(),
        sha256: var("FETCH_SHA256"),
        records_per_file: PER_FILE as u64,
    };
    Some((archive, var("FETCH_CACHE").into()))
}

fn tell(command: &mut Command, archive: &Archive, cache: &Path) {
    command.env("FETCH_URL", &archive.url).env("FETCH_SIZE", archive.size.to_string());
    command.env("FETCH_SHA256", &archive.sha256).env("FETCH_CACHE", cache);
}

#[test]
fn a_cut_connection_is_continued_where_it_broke() {
    let bytes = archive_bytes(PER_FILE);
    for percent in [10, 99] {
        let (cut, whole) = (bytes.len() * percent / 100, bytes.clone());
        let server = Server::start(move |connection| match connection {
            0 => Answer::cut(&whole, cut),
            _ => Answer::all(&whole),
        });
        let cache = tempfile::tempdir().unwrap();
        fetch(&archive(&server.url, &bytes, PER_FILE), cache.path(), &timeouts()).unwrap();
        assert_complete(cache.path());
        assert_eq!(server.requests(), [String::new(), format!("bytes={cut}-")]);
    }
}

#[test]
fn what_arrived_before_giving_up_is_continued_by_the_next_download() {
    let bytes = archive_bytes(PER_FILE);
    for percent in [10, 99] {
        let (cut, whole) = (bytes.len() * percent / 100, bytes.clone());
        let server = Server::start(move |connection| match connection {
            0..3 => Answer::cut(&whole, cut),
            _ => Answer::all(&whole),
        });
        let archive = archive(&server.url, &bytes, PER_FILE);
        let cache = tempfile::tempdir().unwrap();
        let text = fetch(&archive, cache.path(), &timeouts()).unwrap_err().to_string();
        let reason = format!("the connection broke after {cut} of {} bytes", bytes.len());
        assert!(text.contains(&reason) && text.contains("3 times in a row"), "{text}");
        assert!(text.contains("what arrived is kept"), "{text}");
        assert_eq!(part_of(&archive, cache.path()).metadata().unwrap().len(), cut as u64);
        fetch(&archive, cache.path(), &timeouts()).unwrap();
        assert_complete(cache.path());
        let rest = format!("bytes={cut}-");
        assert_eq!(server.requests(), ["", rest.as_str(), rest.as_str(), rest.as_str()]);
    }
}

#[test]
fn a_connection_that_brings_something_each_time_ends_well() {
    let bytes = archive_bytes(PER_FILE);
    let whole = bytes.clone();
    let server = Server::start(move |i| Answer::cut(&whole, whole.len() * 15 * (i + 1) / 100));
    let cache = tempfile::tempdir().unwrap();
    fetch(&archive(&server.url, &bytes, PER_FILE), cache.path(), &timeouts()).unwrap();
    assert_complete(cache.path());
    assert_eq!(server.requests().len(), 7);
}

#[test]
fn a_server_that_ignores_range_sends_all_again() {
    let bytes = archive_bytes(PER_FILE);
    let whole = bytes.clone();
    let server = Server::start(move |connection| {
        let cut = if connection == 0 { whole.len() / 2 } else { usize::MAX };
        Answer { ranges: false, ..Answer::cut(&whole, cut) }
    });
    let cache = tempfile::tempdir().unwrap();
    fetch(&archive(&server.url, &bytes, PER_FILE), cache.path(), &timeouts()).unwrap();
    assert_complete(cache.path());
    // One that is cut at the same place each time is given up.
    let half = bytes.clone();
    let server =
        Server::start(move |_| Answer { ranges: false, ..Answer::cut(&half, half.len() / 2) });
    let cache = tempfile::tempdir().unwrap();
    let text = fetch(&archive(&server.url, &bytes, PER_FILE), cache.path(), &timeouts());
    assert!(text.unwrap_err().to_string().contains("3 times in a row"));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_beginning_that_does_not_fit_is_fetched_anew() {
    let bytes = archive_bytes(PER_FILE);
    let whole = bytes.clone();
    let server = Server::start(move |_| Answer::all(&whole));
    let archive = archive(&server.url, &bytes, PER_FILE);
    let cache = tempfile::tempdir().unwrap();
    for beginning in [vec![7; 1000], vec![7; bytes.len()], vec![7; bytes.len() + 5]] {
        std::fs::write(part_of(&archive, cache.path()), &beginning).unwrap();
        fetch(&archive, cache.path(), &timeouts()).unwrap();
        assert_complete(cache.path());
        std::fs::remove_dir_all(cache.path().join("cifar-10-batches-bin")).unwrap();
    }
    assert_eq!(server.requests(), ["bytes=1000-", "", "", ""]);
}

#[test]
fn a_file_that_became_shorter_is_refused_and_not_kept() {
    let bytes = archive_bytes(PER_FILE);
    let short = bytes[..bytes.len() / 3].to_vec();
    let whole = bytes.clone();
    let server = Server::start(move |connection| match connection {
        0 => Answer::cut(&whole, whole.len() / 2),
        1 => Answer { status: Some("416 Range Not Satisfiable"), ..Answer::all(&short) },
        _ => Answer::all(&short),
    });
    let cache = tempfile::tempdir().unwrap();
    let text = fetch(&archive(&server.url, &bytes, PER_FILE), cache.path(), &timeouts());
    let text = text.unwrap_err().to_string();
    assert!(text.contains(&format!("got {} bytes", bytes.len() / 3)), "{text}");
    assert_eq!(names(cache.path()), Vec::<String>::new());
}

#[test]
fn wrong_bytes_are_refused_and_not_kept() {
    let bytes = archive_bytes(PER_FILE);
    let mut wrong = bytes.clone();
    wrong[bytes.len() / 2] ^= 1;
    let server = Server::start(move |_| Answer::all(&wrong));
    let cache = tempfile::tempdir().unwrap();
    let error = fetch(&archive(&server.url, &bytes, PER_FILE), cache.path(), &timeouts());
    assert!(error.unwrap_err().to_string().contains("SHA-256"));
    assert_eq!(server.requests().len(), 1, "the same bytes would come again");
    assert_eq!(names(cache.path()), Vec::<String>::new());
}

#[test]
fn a_busy_server_is_asked_again_and_a_missing_file_is_not() {
    let bytes = archive_bytes(PER_FILE);
    let whole = bytes.clone();
    let server = Server::start(move |connection| match connection {
        0 => Answer { status: Some("503 Service Unavailable"), ..Answer::all(&whole) },
        _ => Answer::all(&whole),
    });
    let cache = tempfile::tempdir().unwrap();
    fetch(&archive(&server.url, &bytes, PER_FILE), cache.path(), &timeouts()).unwrap();
    assert_complete(cache.path());
    let server = Server::start(|_| Answer { status: Some("404 Not Found"), ..Answer::all(&[]) });
    let cache = tempfile::tempdir().unwrap();
    let text = fetch(&archive(&server.url, &bytes, PER_FILE), cache.path(), &timeouts());
    assert!(text.unwrap_err().to_string().contains("no such file (HTTP status 404)"));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_server_that_falls_silent_is_left_and_asked_for_the_rest() {
    let bytes = archive_bytes(PER_FILE);
    let whole = bytes.clone();
    let server = Server::start(move |connection| match connection {
        0..2 => Answer { silent_from: 0, ..Answer::all(&whole) },
        _ => Answer::all(&whole),
    });
    let archive = archive(&server.url, &bytes, PER_FILE);
    let cache = tempfile::tempdir().unwrap();
    // Were it not left, the server's silence would outlast the test.
    let impatient = Timeouts { read: Duration::from_secs(2), tries: 2, ..timeouts() };
    let text = fetch(&archive, cache.path(), &impatient).unwrap_err().to_string();
    assert!(text.contains("nothing came for a while"), "{text}");
    assert!(text.contains("2 times in a row"), "{text}");
    fetch(&archive, cache.path(), &timeouts()).unwrap();
    assert_complete(cache.path());
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn as_many_tries_as_told_and_none_at_all_is_refused() {
    let bytes = archive_bytes(PER_FILE);
    let whole = bytes.clone();
    let server = Server::start(move |_| Answer::cut(&whole, 0));
    let archive = archive(&server.url, &bytes, PER_FILE);
    let cache = tempfile::tempdir().unwrap();
    fetch(&archive, cache.path(), &Timeouts { tries: 4, ..timeouts() }).unwrap_err();
    assert_eq!(server.requests().len(), 4);
    let none = Timeouts { tries: 0, ..timeouts() };
    let text = fetch(&archive, cache.path(), &none).unwrap_err().to_string();
    assert_eq!(text, "option tries must be at least 1, got 0");
}

#[test]
fn threads_and_processes_fetch_it_once() {
    let bytes = archive_bytes(PER_FILE);
    let whole = bytes.clone();
    let slow = move |_| Answer { pause: Duration::from_millis(5), ..Answer::all(&whole) };
    let server = Server::start(slow);
    let archive = archive(&server.url, &bytes, PER_FILE);
    let cache = tempfile::tempdir().unwrap();
    let children = [(); 2].map(|()| {
        let mut command = child("fetch_as_told");
        tell(&mut command, &archive, cache.path());
        command.spawn().unwrap()
    });
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| fetch(&archive, cache.path(), &timeouts()).unwrap());
        }
    });
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(server.requests(), [""]);
    assert_complete(cache.path());
}

#[test]
fn a_process_that_is_killed_leaves_its_place_to_the_next() {
    let bytes = archive_bytes(PER_FILE);
    let whole = bytes.clone();
    let server = Server::start(move |connection| {
        let silent_from = if connection == 0 { 12_288 } else { usize::MAX };
        Answer { silent_from, ..Answer::all(&whole) }
    });
    let archive = archive(&server.url, &bytes, PER_FILE);
    let cache = tempfile::tempdir().unwrap();
    let mut command = child("fetch_as_told");
    tell(&mut command, &archive, cache.path());
    let mut killed = command.spawn().unwrap();
    let started = Instant::now();
    while part_of(&archive, cache.path()).metadata().map_or(0, |part| part.len()) < 8192 {
        let waited = started.elapsed();
        assert!(waited < Duration::from_secs(300), "the other process has fetched nothing yet");
        thread::sleep(Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    // It may have died while unpacking, too.
    std::fs::create_dir(cache.path().join("unpacking")).unwrap();
    std::fs::write(cache.path().join("unpacking/half"), "made").unwrap();
    fetch(&archive, cache.path(), &timeouts()).unwrap();
    assert_complete(cache.path());
    assert!(server.requests()[1].starts_with("bytes="), "{:?}", server.requests());
}

#[test]
#[ignore = "started by other tests, in a process of its own"]
fn fetch_as_told() {
    let Some((archive, cache)) = told() else { return };
    fetch(&archive, &cache, &timeouts()).unwrap();
}

#[test]
fn a_proxy_from_the_environment_is_used() {
    let bytes = archive_bytes(PER_FILE);
    let whole = bytes.clone();
    let proxy = Server::start(move |_| Answer::all(&whole));
    // Nobody has this name, so only a proxy can answer for it.
    let archive = archive("http://cifar.invalid/cifar.tar.gz", &bytes, PER_FILE);
    let cache = tempfile::tempdir().unwrap();
    let mut command = child("fetch_as_told");
    tell(&mut command, &archive, cache.path());
    command.env("http_proxy", proxy.url.trim_end_matches("/cifar.tar.gz"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_complete(cache.path());
    assert_eq!(proxy.requests(), ["cifar.invalid:80", ""]);
}

/// A file may not grow beyond 20,000 bytes there: to unpacking, a disk that is full.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_while_unpacking_leaves_the_archive() {
    let bytes = archive_bytes(PER_FILE);
    let packed = compressed(PER_FILE);
    assert!(packed.len() < 20_000 && bytes.len() > 60_000);
    let whole = packed.clone();
    let server = Server::start(move |_| Answer::all(&whole));
    let archive = archive(&server.url, &packed, PER_FILE);
    let cache = tempfile::tempdir().unwrap();
    let mut command = child("fetch_with_small_files");
    tell(&mut command, &archive, cache.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let part = part_of(&archive, cache.path());
    assert_eq!(names(cache.path()), [part.file_name().unwrap().to_str().unwrap()]);
    // With room again, nothing is fetched anew.
    fetch(&archive, cache.path(), &timeouts()).unwrap();
    assert_complete(cache.path());
    assert_eq!(server.requests().len(), 1);
}

#[cfg(unix)]
#[test]
#[ignore = "started by another test, in a process of its own"]
fn fetch_with_small_files() {
    let limit = libc::rlimit { rlim_cur: 20_000, rlim_max: 20_000 };
    // SAFETY: the pointer is valid for the call; the signal's default would end the process
    // where a full disk would only make the write fail.
    unsafe {
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
    let Some((archive, cache)) = told() else { return };
    let error = fetch(&archive, &cache, &timeouts()).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Io { .. }), "{text}");
    assert!(text.contains("unpack the archive to") && text.contains("disk has room"), "{text}");
}

/// As `archive_bytes`, and small.
fn compressed(per_file: usize) -> Vec<u8> {
    let plain = archive_bytes(per_file);
    let mut tar = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(&plain[..]), &mut tar).unwrap();
    let mut small = flate2::read::GzEncoder::new(&tar[..], flate2::Compression::best());
    let mut bytes = Vec::new();
    std::io::copy(&mut small, &mut bytes).unwrap();
    bytes
}
