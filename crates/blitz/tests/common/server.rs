//! A server on the loopback interface that answers each connection as the test says.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses a part

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use blitz::data::download::Archive;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// How one connection is answered.
#[derive(Clone)]
pub struct Answer {
    /// The file.
    pub bytes: Vec<u8>,
    /// Whether `Range` is understood.
    pub ranges: bool,
    /// The connection closes before this position in the file.
    pub cut: usize,
    /// An answer without the file.
    pub status: Option<&'static str>,
    /// Before each piece of 4,096 bytes.
    pub pause: Duration,
    /// From this position in the file on nothing comes, and the connection stays open.
    pub silent_from: usize,
}

/// Longer than any test waits; the end of the test ends it.
const SILENCE: Duration = Duration::from_secs(3600);

impl Answer {
    pub fn all(bytes: &[u8]) -> Answer {
        Answer {
            bytes: bytes.to_vec(),
            ranges: true,
            cut: usize::MAX,
            status: None,
            pause: Duration::ZERO,
            silent_from: usize::MAX,
        }
    }

    pub fn cut(bytes: &[u8], cut: usize) -> Answer {
        Answer { cut, ..Answer::all(bytes) }
    }
}

pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Connection number i, from 0, gets `answer(i)`; connections are served side by side.
    pub fn start(answer: impl Fn(usize) -> Answer + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/cifar.tar.gz", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let (answer, log) = (answer(index), log.clone());
                thread::spawn(move || reply(stream.unwrap(), &answer, &log));
            }
        });
        Server { url, requests }
    }

    /// The `Range` of each request so far, or the target of a proxy's CONNECT; empty without.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

fn reply(mut stream: TcpStream, answer: &Answer, log: &Mutex<Vec<String>>) {
    let mut head = request(&mut stream);
    if let Some(rest) = head.strip_prefix("CONNECT ") {
        // A proxy; it is the server too.
        log.lock().unwrap().push(rest.split_whitespace().next().unwrap().to_owned());
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        head = request(&mut stream);
    }
    let range = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("range").then(|| value.to_owned())
    });
    log.lock().unwrap().push(range.clone().unwrap_or_default());
    let length = answer.bytes.len();
    let start =
        range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let start: usize = start.filter(|_| answer.ranges).unwrap_or(0);
    let status = match answer.status {
        Some(status) => status.to_owned(),
        None if start > 0 => {
            format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{length}", length - 1)
        }
        None => "200 OK".to_owned(),
    };
    let body = if answer.status.is_some() { &[] } else { &answer.bytes[start..] };
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // The client may close first when it has seen enough.
    let _ = stream.write_all(head.as_bytes());
    let end = body.len().min(answer.cut.saturating_sub(start));
    for (index, piece) in body[..end].chunks(4096).enumerate() {
        let is_silent = start + 4096 * index >= answer.silent_from;
        thread::sleep(if is_silent { SILENCE } else { answer.pause });
        if stream.write_all(piece).is_err() {
            return;
        }
    }
}

/// The archive's bytes: the six files below cifar-10-batches-bin.
pub fn archive_bytes(records_per_file: usize) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    crate::common::write_files(dir.path(), records_per_file);
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::none()));
    tar.append_dir_all("cifar-10-batches-bin", dir.path()).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

pub fn archive(url: &str, bytes: &[u8], records_per_file: usize) -> Archive {
    let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let (url, size) = (url.to_owned(), bytes.len() as u64);
    Archive { url, size, sha256, records_per_file: records_per_file as u64 }
}
