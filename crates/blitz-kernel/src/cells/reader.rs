//! Reading what cells write, while they run.

use crate::cells::channels::{self, Channels};
use crate::cells::event::{Event, Listener, Panic};
use crate::cells::questions::Questions;
use crate::output::markers::{ForEvcxr, Markers, Piece};
use crate::output::publisher::{Bundle, Publisher};
use crate::output::text::{Stream, StreamText};
use anyhow::{Context, Result};
use blitz_contract::marks;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::Pid;
use serde_json::Value;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// Chunks enough to empty a pipe, which holds 64 KiB, or 1 MiB where a cell enlarged it. Not "until
/// it is empty": a thread that a cell left behind may write for ever.
const ALL: usize = 32;
/// How long a value waits for its other MIME types, where it cannot be the cell's result.
const CONTENT_PATIENCE: Duration = Duration::from_millis(20);
/// evcxr's line for "the cell has run".
const COMPLETE: &str = "EVCXR_EXECUTION_COMPLETE";

/// Starts the thread that reads the output of the cell processes, one after the other, that
/// announce themselves on `socket`.
///
/// # Errors
/// The thread cannot be started.
pub fn spawn(
    socket: OwnedFd,
    publisher: Arc<Publisher>,
    listener: Arc<dyn Listener>,
) -> Result<()> {
    let questions = Questions::new(Arc::clone(&publisher), Arc::clone(&listener));
    let reader = Reader {
        publisher: Arc::clone(&publisher),
        listener,
        markers: Markers::default(),
        text: StreamText::new(publisher),
        control: Vec::new(),
        content: Bundle::default(),
        lost: Vec::new(),
        content_since: Instant::now(),
        questions,
    };
    let thread = std::thread::Builder::new().name("cell output".to_owned());
    thread.spawn(move || reader.run(&socket)).context("cannot start a thread")?;
    Ok(())
}

struct Reader {
    publisher: Arc<Publisher>,
    listener: Arc<dyn Listener>,
    markers: Markers,
    text: StreamText,
    /// The beginning of a control message.
    control: Vec<u8>,
    /// A value that displays itself, MIME type by MIME type.
    content: Bundle,
    /// Variables that evcxr shall take for lost.
    lost: Vec<String>,
    content_since: Instant,
    questions: Questions,
}

/// What the process that runs cells wants of the reader.
#[derive(Default)]
struct Wants {
    /// The cell has run.
    complete: bool,
    /// The cell reads, or wants to know only whether it may (`true`).
    reads: Option<bool>,
}

impl Reader {
    fn run(mut self, socket: &OwnedFd) {
        let mut channels: Option<Channels> = None;
        loop {
            let announced = self.wait(socket, channels.as_ref());
            if let Some(current) = channels.as_mut()
                && !self.read(current)
            {
                self.end_process(current);
                // Dropping the channels tells evcxr that the process has ended.
                channels = None;
            }
            self.text.flush_if_due();
            if self.content_due().is_some_and(|due| due.is_zero()) {
                self.show_content();
            }
            if announced {
                match channels::receive(socket.as_fd()) {
                    Ok(Some(new)) => channels = start_reading(new).ok(),
                    Ok(None) => return,
                    Err(error) => eprintln!("blitz-kernel: no cell process: {error}"),
                }
            }
        }
    }

    /// Waits until there is something to do. Returns whether a new process has announced itself.
    fn wait(&self, socket: &OwnedFd, channels: Option<&Channels>) -> bool {
        let mut polled = vec![PollFd::new(socket, PollFlags::IN)];
        if let Some(channels) = channels {
            let ends = [&channels.control, &channels.stdout, &channels.stderr];
            polled.extend(ends.map(|end| PollFd::new(end, PollFlags::IN)));
        }
        let due = self.text.due().into_iter().chain(self.content_due()).min();
        let due = due.map(|due| Timespec::try_from(due).unwrap_or_default());
        match poll(&mut polled, due.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => eprintln!("blitz-kernel: cannot wait for output: {error}"),
        }
        polled[0].revents().contains(PollFlags::IN)
    }

    /// Reads what there is. Returns false where the process has ended.
    fn read(&mut self, channels: &mut Channels) -> bool {
        // Control messages are read first and acted upon last: what a cell wrote before it said
        // "complete" is in the pipes by then.
        let mut control = std::mem::take(&mut self.control);
        let alive = drain(&channels.control, |bytes| control.extend_from_slice(bytes));
        let wants = self.act(&mut control);
        self.control = control;
        let all = wants.complete || wants.reads.is_some();
        self.read_output(channels, if all { ALL } else { 1 });
        if let Some(only_whether) = wants.reads {
            self.question(channels, only_whether);
        }
        if wants.complete {
            self.complete(channels);
        }
        alive
    }

    /// Reads both streams, at most `chunks` of each.
    fn read_output(&mut self, channels: &mut Channels, chunks: usize) {
        for _ in 0..chunks {
            let out = read_chunk(&channels.stdout);
            for piece in self.markers.feed(&out) {
                self.take(piece, channels);
            }
            let error = read_chunk(&channels.stderr);
            self.text.push(Stream::Stderr, &error);
            if out.is_empty() && error.is_empty() {
                return;
            }
        }
    }

    /// Acts on the complete control messages in `bytes`, but for those that want what it returns.
    fn act(&mut self, bytes: &mut Vec<u8>) -> Wants {
        let mut wants = Wants::default();
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let line: Vec<u8> = bytes.drain(..=end).collect();
            let message: Value = serde_json::from_slice(&line).unwrap_or_default();
            match message["event"].as_str() {
                Some("start") => {
                    self.questions.open();
                    self.listener.happened(Event::Started(process(&message)));
                }
                Some("complete") => wants.complete = true,
                Some("lost") => {
                    self.lost.push(message["name"].as_str().unwrap_or_default().to_owned());
                }
                Some("reads") => {
                    wants.reads = Some(message["only whether"].as_bool().unwrap_or(false));
                }
                Some("reacted") => self.listener.happened(Event::Reacted),
                Some("panic") => {
                    self.listener.happened(Event::Panic(Panic::from_message(&message)));
                }
                Some("not loaded") => {
                    let reason = message["message"].as_str().unwrap_or_default().to_owned();
                    self.listener.happened(Event::NotLoaded(reason));
                }
                _ => {}
            }
        }
        wants
    }

    /// Asks the person for a line that the cell reads, or answers whether it may ask.
    fn question(&mut self, channels: &Channels, only_whether: bool) {
        let rest = self.markers.finish();
        self.text.push(Stream::Stdout, &rest);
        let text = &mut self.text;
        let answered = match only_whether {
            true => self.questions.may_ask(&channels.answers),
            false => self.questions.ask(&channels.answers, || text.take_line()),
        };
        if let Err(error) = answered {
            eprintln!("blitz-kernel: a cell that reads gets no answer: {error}");
        }
    }

    fn take(&mut self, piece: Piece, channels: &mut Channels) {
        if !matches!(piece, Piece::Content { .. }) {
            self.show_content();
        }
        match piece {
            Piece::Text(bytes) => self.text.push(Stream::Stdout, &bytes),
            Piece::Content { mime, data } => self.add_content(mime, data),
            Piece::Command(command) => {
                self.text.flush();
                self.display(&command);
            }
            Piece::Wish(wish) => {
                self.text.flush();
                self.questions.announce(wish);
            }
            Piece::UserError(error) => self.listener.happened(Event::UserError(error)),
            Piece::ForEvcxr(mark, line) => {
                match mark {
                    ForEvcxr::Panic => self.listener.happened(Event::Panicked),
                    ForEvcxr::Error => self.listener.happened(Event::Erred),
                    ForEvcxr::VariableChanged => {}
                }
                // evcxr gone means that the kernel ends.
                let _ = writeln!(channels.evcxr, "{line}");
            }
        }
    }

    fn add_content(&mut self, mime: String, data: String) {
        self.text.flush();
        if self.content.data.contains_key(&mime) {
            self.show_content();
        }
        let value = if mime.ends_with("json") {
            serde_json::from_str(&data).unwrap_or(Value::String(data))
        } else {
            Value::String(data)
        };
        self.content.data.insert(mime, value);
        self.content_since = Instant::now();
    }

    /// How long until a value is shown that cannot be the cell's result.
    fn content_due(&self) -> Option<Duration> {
        let waits = !self.content.data.is_empty() && !self.listener.ends_with_expression();
        waits.then(|| CONTENT_PATIENCE.saturating_sub(self.content_since.elapsed()))
    }

    /// Shows a value that turned out not to be the cell's result.
    fn show_content(&mut self) {
        let content = std::mem::take(&mut self.content);
        if !content.data.is_empty() {
            self.text.flush();
            self.publisher.display(content, None);
        }
    }

    fn display(&mut self, command: &Value) {
        let id = |value: &Value| value["id"].as_str().map(str::to_owned);
        if let Some(shown) = command.get("display") {
            self.publisher.display(bundle(shown), id(shown).as_deref());
        } else if let Some(update) = command.get("update") {
            self.publisher.update(bundle(update), &id(update).unwrap_or_default());
        } else if let Some(clear) = command.get("clear") {
            self.publisher.clear(clear["wait"].as_bool().unwrap_or(false));
        }
    }

    /// The cell has run and all it wrote is here: publishes the rest and tells evcxr.
    fn complete(&mut self, channels: &mut Channels) {
        self.questions.close();
        self.finish_text();
        let result = std::mem::take(&mut self.content);
        if !result.data.is_empty() {
            self.publisher.result(result);
        }
        if self.listener.drops_new_variables() {
            let _ = writeln!(channels.evcxr, "{}", marks::ERROR_OCCURRED);
        }
        for name in self.lost.drain(..) {
            let _ = writeln!(channels.evcxr, "{}{name}", marks::VARIABLE_CHANGED_TYPE);
        }
        let _ = writeln!(channels.evcxr, "{COMPLETE}");
    }

    fn end_process(&mut self, channels: &mut Channels) {
        self.read_output(channels, ALL);
        self.finish_text();
        self.show_content();
        self.control.clear();
        self.questions.close();
        self.listener.happened(Event::Died);
    }

    fn finish_text(&mut self) {
        let rest = self.markers.finish();
        self.text.push(Stream::Stdout, &rest);
        self.text.finish();
    }
}

/// The process that a message tells of.
fn process(message: &Value) -> Option<Pid> {
    Pid::from_raw(message["process"].as_i64()?.try_into().ok()?)
}

fn bundle(value: &Value) -> Bundle {
    let map = |field: &str| value[field].as_object().cloned().unwrap_or_default();
    Bundle { data: map("data"), metadata: map("metadata") }
}

fn start_reading(channels: Channels) -> rustix::io::Result<Channels> {
    for end in [&channels.stdout, &channels.stderr, &channels.control] {
        ioctl_fionbio(end, true)?;
    }
    Ok(channels)
}

/// What can be read now, at most [`CHUNK`] bytes.
fn read_chunk(end: &OwnedFd) -> Vec<u8> {
    let mut buffer = vec![0; CHUNK];
    let length = rustix::io::read(end, &mut buffer).unwrap_or(0);
    buffer.truncate(length);
    buffer
}

/// Reads everything that is there. Returns false at the end of the stream.
fn drain(end: &OwnedFd, mut take: impl FnMut(&[u8])) -> bool {
    let mut buffer = [0; 8 * 1024];
    loop {
        match rustix::io::read(end, &mut buffer) {
            Ok(0) => return false,
            Ok(length) => take(&buffer[..length]),
            Err(Errno::INTR) => {}
            Err(_) => return true,
        }
    }
}
