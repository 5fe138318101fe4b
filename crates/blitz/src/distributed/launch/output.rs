//! The ranks' output, line by line behind each other, with the rank before each line.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use blitz_contract::marks;

/// How long the beginning of a line waits for its end.
const PATIENCE: Duration = Duration::from_millis(300);

/// One of a rank's two streams.
pub(super) struct Lines {
    prefix: String,
    /// What it displays is shown.
    is_rich: bool,
    /// A line that has not ended.
    pending: Vec<u8>,
    since: Instant,
    /// Whether a value that displays itself has begun and not ended.
    in_content: bool,
    /// Whether the beginning of `pending`'s line is on the screen already.
    is_open: bool,
}

impl Lines {
    /// The output of `rank`, with what it displays where it `is_rich`.
    pub(super) fn new(rank: usize, is_rich: bool) -> Lines {
        // Not translated: a mark in the output.
        let prefix = format!("[rank {rank}] ");
        let (pending, since) = (Vec::new(), Instant::now());
        Lines { prefix, is_rich, pending, since, in_content: false, is_open: false }
    }

    /// Takes in `bytes`; returns what is to be shown now.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.pending.is_empty() {
            self.since = Instant::now();
        }
        self.pending.extend_from_slice(bytes);
        let mut shown = Vec::new();
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            self.line(&line, &mut shown);
        }
        shown
    }

    /// What is to be shown of a line that does not end.
    pub(super) fn feed_nothing(&mut self) -> Vec<u8> {
        let is_due = !self.pending.is_empty() && self.since.elapsed() >= PATIENCE;
        match is_due && !self.in_content && self.mark(&self.pending).is_none() {
            true => self.take_pending(),
            false => Vec::new(),
        }
    }

    /// The rest, with a line break behind it.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let mut shown = self.take_pending();
        if self.is_open {
            shown.push(b'\n');
            self.is_open = false;
        }
        shown
    }

    /// Whether a line has begun on the screen.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Another stream goes on, on a line of its own.
    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    fn take_pending(&mut self) -> Vec<u8> {
        if self.pending.is_empty() {
            return Vec::new();
        }
        let mut shown = Vec::new();
        let pending = std::mem::take(&mut self.pending);
        self.begin(&mut shown);
        shown.extend_from_slice(&pending);
        self.is_open = true;
        shown
    }

    fn begin(&self, shown: &mut Vec<u8>) {
        if !self.is_open {
            shown.extend_from_slice(self.prefix.as_bytes());
        }
    }

    fn line(&mut self, line: &[u8], shown: &mut Vec<u8>) {
        if self.in_content {
            shown.extend_from_slice(line);
            self.in_content = line != marks::END_CONTENT.trim_start().as_bytes();
            return;
        }
        let mark = self.mark(line);
        let (text, marked) = line.split_at(mark.unwrap_or(line.len()));
        if !text.is_empty() || (self.is_open && mark.is_none()) {
            self.begin(shown);
            shown.extend_from_slice(text);
        }
        if mark.is_some() && (self.is_open || !text.is_empty()) {
            shown.push(b'\n');
        }
        self.is_open = false;
        shown.extend_from_slice(marked);
        self.in_content = marked.starts_with(marks::BEGIN_CONTENT.as_bytes());
    }

    /// Where something that is no text begins in a line.
    fn mark(&self, line: &[u8]) -> Option<usize> {
        let find = |mark: &str| line.windows(mark.len()).position(|it| it == mark.as_bytes());
        let first = || find(marks::COMMAND).into_iter().chain(find(marks::BEGIN_CONTENT)).min();
        self.is_rich.then(first).flatten()
    }
}

/// Shows on `stream` what `lines[index]` gives, behind the others' lines.
pub(super) fn show(
    stream: &mut impl Write,
    lines: &mut [Lines],
    index: usize,
    give: impl FnOnce(&mut Lines) -> Vec<u8>,
) {
    let others_open = |lines: &[Lines]| {
        lines.iter().enumerate().any(|(other, lines)| other != index && lines.is_open())
    };
    let shown = give(&mut lines[index]);
    if shown.is_empty() {
        return;
    }
    let write = |stream: &mut dyn Write, bytes: &[u8]| -> io::Result<()> {
        stream.write_all(bytes)?;
        stream.flush()
    };
    // Nobody looking means that the cell's process is about to end.
    if others_open(lines) {
        let _ = write(stream, b"\n");
        for (other, lines) in lines.iter_mut().enumerate() {
            if other != index {
                lines.close();
            }
        }
    }
    let _ = write(stream, &shown);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn each_line_has_its_rank() {
        let mut lines = Lines::new(3, false);
        assert_eq!(text(lines.feed(b"a\n\nb")), "[rank 3] a\n[rank 3] \n");
        assert_eq!(text(lines.feed(b"c\n")), "[rank 3] bc\n");
        assert_eq!(text(lines.finish()), "");
        lines.feed(b"end");
        assert_eq!(text(lines.finish()), "[rank 3] end\n");
    }

    #[test]
    fn what_rank_0_displays_passes_as_it_is() {
        let mut lines = Lines::new(0, true);
        let command = "\x1eblitz {\"display\":{}}\n";
        assert_eq!(text(lines.feed(command.as_bytes())), command);
        let both = format!("a{command}b\n");
        assert_eq!(text(lines.feed(both.as_bytes())), format!("[rank 0] a\n{command}[rank 0] b\n"));
        let content = "EVCXR_BEGIN_CONTENT text/html\n<p>\n\nEVCXR_END_CONTENT\n";
        let (first, second) = content.split_at(35);
        let shown = text(lines.feed(first.as_bytes())) + &text(lines.feed(second.as_bytes()));
        assert_eq!(shown, content);
        assert_eq!(text(lines.feed(b"c\n")), "[rank 0] c\n");
        let mut others = Lines::new(1, false);
        let shown = text(others.feed(command.as_bytes()));
        assert_eq!(shown, format!("[rank 1] {command}"));
    }

    #[test]
    fn a_line_that_does_not_end_is_shown_and_goes_on() {
        let mut both = [Lines::new(0, true), Lines::new(1, false)];
        let mut screen = Vec::new();
        show(&mut screen, &mut both, 0, |lines| lines.feed(b"name? "));
        show(&mut screen, &mut both, 0, Lines::feed_nothing);
        assert!(screen.is_empty(), "its end may come");
        both[0].since -= PATIENCE;
        show(&mut screen, &mut both, 0, Lines::feed_nothing);
        assert_eq!(text(screen.clone()), "[rank 0] name? ");
        show(&mut screen, &mut both, 0, |lines| lines.feed(b"x\n"));
        show(&mut screen, &mut both, 0, |lines| lines.feed(b"y"));
        both[0].since -= PATIENCE;
        show(&mut screen, &mut both, 0, Lines::feed_nothing);
        show(&mut screen, &mut both, 1, |lines| lines.feed(b"other\n"));
        show(&mut screen, &mut both, 0, |lines| lines.feed(b"z\n"));
        assert_eq!(text(screen), "[rank 0] name? x\n[rank 0] y\n[rank 1] other\n[rank 0] z\n");
    }
}
