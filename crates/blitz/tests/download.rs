//! The download against a server on the loopback interface.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use blitz::Error;
use blitz::data::download::{Archive, Timeouts, fetch};
use blitz::prelude::*;
use common::{ok, serve};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

const PER_FILE: u64 = 2;

/// The archive's bytes: the six files below cifar-10-batches-bin.
fn archive_bytes() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    common::write_files(dir.path(), PER_FILE as usize);
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    tar.append_dir_all("cifar-10-batches-bin", dir.path()).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

fn archive(url: String, bytes: &[u8]) -> Archive {
    let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Archive { url, size: bytes.len() as u64, sha256, records_per_file: PER_FILE }
}

fn timeouts() -> Timeouts {
    // Long, so that a busy machine is not taken for a silent server.
    let (connect, read) = (Duration::from_secs(120), Duration::from_secs(120));
    Timeouts { connect, read, tries: 1, ..Timeouts::default() }
}

/// What is in a directory, but for the lock that stays.
fn names(dir: &Path) -> Vec<String> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "download.lock")
        .collect()
}

/// Fetches into an empty directory, expects an error, and nothing left behind.
fn failure(archive: &Archive) -> Error {
    let cache = tempfile::tempdir().unwrap();
    let error = fetch(archive, cache.path(), &timeouts()).unwrap_err();
    assert_eq!(names(cache.path()), Vec::<String>::new(), "{error}");
    error
}

#[test]
fn a_good_archive_is_unpacked_and_then_cached() {
    let bytes = archive_bytes();
    let cache = tempfile::tempdir().unwrap();
    let options = Cifar10Options {
        data: DataChoice::Auto,
        cache_dir: cache.path().join("new"),
        archive: archive(serve(ok(bytes.len()), bytes.clone()), &bytes),
        timeouts: timeouts(),
        ..Cifar10Options::default()
    };
    let dir = cache.path().join("new/cifar-10-batches-bin");
    let first = Cifar10::load(&options).unwrap();
    assert_eq!(first.source, Source::Downloaded(dir.clone()));
    assert_eq!(names(&options.cache_dir), ["cifar-10-batches-bin"]);
    // The server answers once: this one comes from the cache.
    let second = Cifar10::load(&options).unwrap();
    assert_eq!(second.source, Source::Cache(dir));
    assert_eq!(second.train.images, first.train.images);
    assert_eq!(second.train.images.int64_value(&[3, 0, 0, 5]), 106, "file 2, record 1");
}

#[test]
fn a_directory_that_another_process_finished_is_used() {
    let bytes = archive_bytes();
    let cache = tempfile::tempdir().unwrap();
    let dir = cache.path().join("cifar-10-batches-bin");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("theirs"), "").unwrap();
    let url = serve(ok(bytes.len()), bytes.clone());
    assert_eq!(fetch(&archive(url, &bytes), cache.path(), &timeouts()).unwrap(), dir);
    assert_eq!(names(&dir), ["theirs"]);
    assert_eq!(names(cache.path()), ["cifar-10-batches-bin"]);
}

#[test]
fn another_sha256_is_refused_with_both() {
    let bytes = archive_bytes();
    let mut changed = bytes.clone();
    changed[50] ^= 1;
    let expected = archive(serve(ok(changed.len()), changed.clone()), &bytes);
    let text = failure(&expected).to_string();
    assert!(text.contains(&format!("expected SHA-256 {}", expected.sha256)), "{text}");
    assert!(
        text.contains(&format!("got SHA-256 {}", archive(String::new(), &changed).sha256)),
        "{text}"
    );
}

#[test]
fn a_short_or_long_body_is_refused_with_its_length() {
    let bytes = archive_bytes();
    let length = bytes.len();
    // The server announces, and sends, a shorter file.
    let short = archive(serve(ok(length - 7), bytes[..length - 7].to_vec()), &bytes);
    let text = failure(&short).to_string();
    assert!(text.contains(&format!("expected {length} bytes, got {} bytes", length - 7)), "{text}");
    let long = [&bytes[..], &[0; 9]].concat();
    let announced = archive(serve(ok(length + 9), long.clone()), &bytes);
    let text = failure(&announced).to_string();
    assert!(text.contains(&format!("got {} bytes", length + 9)), "{text}");
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_owned();
    assert!(failure(&archive(serve(head, long), &bytes)).to_string().contains("or more"));
}

#[test]
fn a_status_is_reported() {
    let head = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let text = failure(&archive(serve(head.to_owned(), Vec::new()), b"x")).to_string();
    assert!(text.contains("404") && text.contains("BLITZ_DATA"), "{text}");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let cache = tempfile::tempdir().unwrap();
    let short = Timeouts { read: Duration::from_millis(300), ..timeouts() };
    let error = fetch(&archive(url, b"x"), cache.path(), &short).unwrap_err();
    assert!(error.to_string().contains("did not answer in time"), "{error}");
}

#[test]
fn an_archive_of_something_else_is_refused() {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    tar.append_data(&mut header, "other/file", &b"hi"[..]).unwrap();
    let bytes = tar.into_inner().unwrap().finish().unwrap();
    let text = failure(&archive(serve(ok(bytes.len()), bytes.clone()), &bytes)).to_string();
    assert!(text.contains("no directory cifar-10-batches-bin"), "{text}");
}

#[test]
fn other_schemes_are_refused() {
    let text = failure(&archive("file:///etc/hostname".to_owned(), b"x")).to_string();
    assert!(text.contains("only http and https"), "{text}");
}
