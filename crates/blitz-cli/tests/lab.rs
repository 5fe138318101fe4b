//! `cargo blitz lab` as a person starts it: as root too, with a token, and with Jupyter's own options
//! behind `--`. These tests need `cargo blitz setup`.

mod common;

use common::{blitz, is_root, run, signal};
use rustix::process::Signal;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest wait for anything; a server that never comes fails its test.
const LIMIT: Duration = Duration::from_secs(600);

/// Servers take turns: Jupyter tries a port and lets go of it before it listens there, so that a second
/// server tries the same one and resets what a client of the first has just connected.
static TURN: Mutex<()> = Mutex::new(());

/// A running JupyterLab, ended on drop.
struct Lab {
    process: Child,
    _turn: MutexGuard<'static, ()>,
    lines: Receiver<String>,
    /// What it has said so far.
    said: String,
}

impl Lab {
    fn start(more: &[&str]) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = blitz();
        command.args(["lab", "--no-browser"]).args(more).env_remove("JUPYTER_TOKEN");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the binary runs");
        let stderr = BufReader::new(process.stderr.take().expect("it is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Lab { process, _turn: turn, lines, said: String::new() }
    }

    /// Waits for a line that holds `part` and returns it.
    fn line_with(&mut self, part: &str) -> String {
        let start = Instant::now();
        loop {
            let left = LIMIT.saturating_sub(start.elapsed());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no line with {part:?}: {}", self.said));
            self.said += &format!("{line}\n");
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Waits for the address and returns the port and what follows `token=`, if anything does.
    fn address(&mut self) -> (u16, Option<String>) {
        let line = self.line_with("http://127.0.0.1:");
        let (_, rest) = line.split_once("http://127.0.0.1:").expect("it is there");
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let token = rest.split_once("token=").map(|(_, token)| token.trim().to_owned());
        (port.parse().expect("a port"), token)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // As a terminal that is closed does: Jupyter ends its kernels and removes its files.
        if matches!(self.process.try_wait(), Ok(None)) {
            signal(self.process.id(), Signal::TERM);
        }
        let start = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) && start.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
    }
}

/// Connects to the server, which says where it listens a moment before it does.
fn connect(port: u16) -> TcpStream {
    let start = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(error) => {
                assert!(start.elapsed() < LIMIT, "nothing listens on port {port}: {error}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// Sends a request and returns the status code and the whole answer.
fn ask(port: u16, method: &str, path: &str, header: &str) -> (u16, String) {
    let mut stream = connect(port);
    stream.set_read_timeout(Some(LIMIT)).expect("a timeout can be set");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\n{header}\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("the request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.unwrap_or_else(|| panic!("no HTTP: {answer}")), answer)
}

#[test]
fn lab_answers_whoever_has_the_token_and_nobody_else_also_as_root() {
    let mut lab = Lab::start(&[]);
    let (port, token) = lab.address();
    let token = token.expect("the address has a token");
    let said = &lab.said;
    assert!(!said.contains("Running as root is not recommended"), "{said}");
    assert_eq!(said.contains("You are root, so"), is_root(), "{said}");
    assert_eq!(said.contains("That is safe here: it listens on 127.0.0.1 only"), is_root());
    assert!(!said.contains("WARNING: it listens"), "{said}");
    let (code, answer) = ask(port, "GET", "/api/status", "");
    assert_eq!(code, 403, "{answer}");
    let header = format!("Authorization: token {token}\r\n");
    let (code, answer) = ask(port, "GET", "/api/status", &header);
    assert!(code == 200 && answer.contains("\"kernels\""), "{answer}");
    let (code, answer) = ask(port, "GET", "/api/kernelspecs", &header);
    assert!(code == 200 && answer.contains("Rust (Blitz)"), "{answer}");
    let (code, answer) = ask(port, "POST", "/api/shutdown", &header);
    assert_eq!(code, 200, "{answer}");
    let ended = lab.process.wait().expect("it ends");
    assert!(ended.success(), "{ended}");
}

#[test]
fn what_the_persons_own_options_open_is_said_and_not_called_safe() {
    let open_to = |more: &[&str]| {
        let mut lab = Lab::start(&[&["--"], more].concat());
        let line = lab.line_with("WARNING: it listens on ");
        assert_eq!(line.contains("You are root"), is_root(), "{line}");
        assert!(!line.contains("safe"), "{line}");
        // It does run: the person has asked for it.
        lab.address();
        line
    };
    let line = open_to(&["--IdentityProvider.token="]);
    assert!(line.contains("127.0.0.1, without asking for a token"), "{line}");
    let line = open_to(&["--ip=0.0.0.0", "--IdentityProvider.token="]);
    assert!(line.contains("0.0.0.0 (every address of this machine), without asking"), "{line}");
    let line = open_to(&["--ServerApp.ip=0.0.0.0"]);
    assert!(line.contains("can reach this machine and has the token"), "{line}");
}

#[test]
fn an_option_of_jupyter_before_the_dashes_is_a_usage_error_that_names_the_place() {
    for (given, expected) in [
        (&["--allow-root"][..], "cargo blitz lab -- --allow-root"),
        (&["--ip", "0.0.0.0"], "cargo blitz lab -- --ip 0.0.0.0"),
        (&["--ServerApp.token=x"], "cargo blitz lab -- --ServerApp.token=x"),
        (&["--port", "8889", "--debug"], "cargo blitz lab --port 8889 -- --debug"),
        (&["01_tensors.ipynb"], "cargo blitz lab -- 01_tensors.ipynb"),
    ] {
        let (code, text) = run(blitz().arg("lab").args(given));
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("behind `--`") && text.contains(expected), "{text}");
    }
}
