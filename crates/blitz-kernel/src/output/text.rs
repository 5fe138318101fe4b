//! Text on its way from a cell's streams to messages.

use crate::output::publisher::Publisher;
use jupyter_protocol::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long text may wait for more, so that many small writes become few messages.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long a line without its end may wait: it may be what a cell asks the person, and is then the
/// prompt of the question and not a part of the output.
const LINE_PATIENCE: Duration = Duration::from_millis(100);
/// How much text one message holds at most, about.
const MESSAGE: usize = 256 * 1024;

/// The two streams of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Gathers text and publishes it in the order it came.
pub struct StreamText {
    publisher: Arc<Publisher>,
    waiting: Vec<u8>,
    stream: Stream,
    since: Instant,
    /// The first bytes of a character whose last have not come yet, of each stream.
    begun: [Vec<u8>; 2],
}

impl StreamText {
    /// No text yet.
    pub fn new(publisher: Arc<Publisher>) -> Self {
        let since = Instant::now();
        let begun = [Vec::new(), Vec::new()];
        StreamText { publisher, waiting: Vec::new(), stream: Stream::Stdout, since, begun }
    }

    /// Adds text. Text of the other stream is published before it.
    pub fn push(&mut self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if stream != self.stream {
            self.flush();
            self.stream = stream;
        }
        if self.waiting.is_empty() {
            self.since = Instant::now();
            self.waiting = std::mem::take(&mut self.begun[stream as usize]);
        }
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= MESSAGE {
            self.flush();
        }
    }

    /// Publishes what waits. A character that is not complete is kept for the next message.
    pub fn flush(&mut self) {
        let mut bytes = std::mem::take(&mut self.waiting);
        self.begun[self.stream as usize] = bytes.split_off(complete_length(&bytes));
        self.publish(self.stream, &bytes);
    }

    /// Publishes what waits and what is not complete: no more will come.
    pub fn finish(&mut self) {
        self.flush();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let bytes = std::mem::take(&mut self.begun[stream as usize]);
            self.publish(stream, &bytes);
        }
    }

    /// Publishes what has waited long enough.
    pub fn flush_if_due(&mut self) {
        if self.due().is_some_and(|due| due.is_zero()) {
            self.flush();
        }
    }

    /// How long until text is due, if any waits.
    pub fn due(&self) -> Option<Duration> {
        let patience = match self.waiting.last()? {
            b'\n' | b'\r' => PATIENCE,
            _ => LINE_PATIENCE,
        };
        Some(patience.saturating_sub(self.since.elapsed()))
    }

    /// Takes the line that waits without its end, and publishes what is before it.
    pub fn take_line(&mut self) -> String {
        let start = memchr::memrchr(b'\n', &self.waiting).map_or(0, |end| end + 1);
        let line = self.waiting.split_off(start);
        self.flush();
        String::from_utf8_lossy(&line).into_owned()
    }

    fn publish(&self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let name = match stream {
            Stream::Stdout => Stdio::Stdout,
            Stream::Stderr => Stdio::Stderr,
        };
        // What is not UTF-8 is shown as U+FFFD.
        self.publisher.stream(name, String::from_utf8_lossy(bytes).into_owned());
    }
}

/// The length of `bytes` without an incomplete character at their end.
fn complete_length(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    let begun = bytes[tail..].iter().rposition(|byte| byte & 0b1100_0000 == 0b1100_0000);
    let Some(start) = begun.map(|offset| tail + offset) else { return bytes.len() };
    let length = match bytes[start] {
        0b1100_0000..=0b1101_1111 => 2,
        0b1110_0000..=0b1110_1111 => 3,
        _ => 4,
    };
    if start + length > bytes.len() { start } else { bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_character_waits() {
        let text = "aé√𝄞".as_bytes();
        let complete: Vec<usize> =
            (1..=text.len()).map(|end| complete_length(&text[..end])).collect();
        assert_eq!(complete, [1, 1, 3, 3, 3, 6, 6, 6, 6, 10]);
        assert_eq!(complete_length(&[0xff, 0xfe]), 1);
        assert_eq!(complete_length(b"plain"), 5);
    }
}
