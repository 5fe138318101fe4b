//! What cells write to standard output: text, and between it evcxr's and the helper crate's marks.

use crate::cells::input::Wish;
use blitz_contract::marks::{
    self, BEGIN_CONTENT, COMMAND, END_CONTENT, INPUT_IS_PASSWORD, INPUT_REQUEST, USER_ERROR,
};
use memchr::memmem;
use serde_json::Value;

/// A piece of a cell's standard output.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text as the cell wrote it.
    Text(Vec<u8>),
    /// One MIME type's content of a value that displays itself (`EVCXR_BEGIN_CONTENT`).
    Content { mime: String, data: String },
    /// A display command of the helper crate.
    Command(Value),
    /// An `Err` that left the cell through `?`.
    UserError(UserError),
    /// `evcxr_input` is about to read this.
    Wish(Wish),
    /// A line of evcxr's own that evcxr must see: a panic, an error, a changed variable.
    ForEvcxr(ForEvcxr, String),
}

/// evcxr's own marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForEvcxr {
    Panic,
    Error,
    VariableChanged,
}

/// An error that left a cell through `?`, as the kernel's toolchain makes the cell report it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// The line of the generated source that the `?` stands in.
    pub line: usize,
    /// The full name of the error's type.
    pub type_name: String,
    /// The error's text.
    pub message: String,
}

const PANIC_LINE: [u8; marks::PANIC.len() + 1] = line(marks::PANIC);
const ERROR_LINE: [u8; marks::ERROR_OCCURRED.len() + 1] = line(marks::ERROR_OCCURRED);

/// evcxr's marks, whole lines where they have no more to say.
const FOR_EVCXR: [(&[u8], ForEvcxr); 3] = [
    (&PANIC_LINE, ForEvcxr::Panic),
    (&ERROR_LINE, ForEvcxr::Error),
    (marks::VARIABLE_CHANGED_TYPE.as_bytes(), ForEvcxr::VariableChanged),
];

/// `mark` with the end of its line.
const fn line<const LENGTH: usize>(mark: &str) -> [u8; LENGTH] {
    let mut line = [b'\n'; LENGTH];
    line.split_at_mut(LENGTH - 1).0.copy_from_slice(mark.as_bytes());
    line
}

/// Splits a stream of bytes into [`Piece`]s, whatever the chunks it comes in.
#[derive(Default)]
pub struct Markers {
    held: Vec<u8>,
}

/// What stands at the place of a possible mark.
enum Found {
    /// No mark.
    Nothing,
    /// The start of a mark, or a mark whose end has not come yet.
    NeedsMore,
    /// A mark of this many bytes.
    Mark(Piece, usize),
}

impl Markers {
    /// Takes the next bytes and returns what is complete. The rest is held until more come.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.held.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        let (mut text_start, mut at) = (0, 0);
        while let Some(candidate) = next_candidate(&self.held, at) {
            match mark_at(&self.held[candidate..]) {
                Found::Nothing => at = candidate + 1,
                Found::NeedsMore => {
                    at = candidate;
                    break;
                }
                Found::Mark(piece, length) => {
                    push_text(&mut pieces, &self.held[text_start..candidate]);
                    pieces.push(piece);
                    (text_start, at) = (candidate + length, candidate + length);
                }
            }
        }
        let end = next_candidate(&self.held, at).unwrap_or(self.held.len());
        push_text(&mut pieces, &self.held[text_start..end]);
        self.held.drain(..end);
        pieces
    }

    /// What was held back, as text: nothing more belongs to it.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &[u8]) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_vec()));
    }
}

/// The next place at or after `from` where a mark may begin.
fn next_candidate(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr2(b'\x1e', b'E', &bytes[from..]).map(|offset| from + offset)
}

fn mark_at(bytes: &[u8]) -> Found {
    if begins(bytes, USER_ERROR.as_bytes()) {
        return user_error(bytes);
    }
    if begins(bytes, COMMAND.as_bytes()) {
        let Some(end) = memchr::memchr(b'\n', bytes) else { return Found::NeedsMore };
        return match bytes.get(COMMAND.len()..end).map(serde_json::from_slice) {
            Some(Ok(command)) => Found::Mark(Piece::Command(command), end + 1),
            _ => Found::Nothing,
        };
    }
    if begins(bytes, BEGIN_CONTENT.as_bytes()) {
        return content(bytes);
    }
    if begins(bytes, INPUT_REQUEST.as_bytes()) {
        return wish(bytes);
    }
    for (mark, what) in FOR_EVCXR {
        if !begins(bytes, mark) {
            continue;
        }
        if bytes.len() < mark.len() {
            return Found::NeedsMore;
        }
        let Some(end) = memchr::memchr(b'\n', bytes) else { return Found::NeedsMore };
        let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
        return Found::Mark(Piece::ForEvcxr(what, line), end + 1);
    }
    Found::Nothing
}

/// Whether `bytes` begin with `mark`, or are the beginning of it.
fn begins(bytes: &[u8], mark: &[u8]) -> bool {
    let length = bytes.len().min(mark.len());
    bytes[..length] == mark[..length]
}

/// `EVCXR_BEGIN_CONTENT MIME\nDATA\nEVCXR_END_CONTENT\n`. A panic inside ends it too.
fn content(bytes: &[u8]) -> Found {
    let Some(head) = memchr::memchr(b'\n', bytes) else { return Found::NeedsMore };
    let mime = String::from_utf8_lossy(bytes.get(BEGIN_CONTENT.len()..head).unwrap_or_default());
    // The line break after the head belongs to the end mark where the data is empty.
    let body = &bytes[head..];
    let end = memmem::find(body, END_CONTENT.as_bytes());
    let panic = memmem::find(body, &PANIC_LINE);
    let (end, length) = match (end, panic) {
        (Some(end), panic) if panic.is_none_or(|panic| end < panic) => {
            (end, end + END_CONTENT.len())
        }
        (_, Some(panic)) => (panic, panic),
        _ => return Found::NeedsMore,
    };
    let data = String::from_utf8_lossy(body.get(1..end).unwrap_or_default()).into_owned();
    Found::Mark(Piece::Content { mime: mime.trim().to_owned(), data }, head + length)
}

/// `EVCXR_INPUT_REQUEST:PROMPT\n` or `EVCXR_INPUT_REQUEST_PASSWORD:PROMPT\n`.
fn wish(bytes: &[u8]) -> Found {
    let Some(end) = memchr::memchr(b'\n', bytes) else { return Found::NeedsMore };
    let Some(line) = bytes.get(INPUT_REQUEST.len()..end) else { return Found::Nothing };
    let line = String::from_utf8_lossy(line);
    let is_password = line.starts_with(INPUT_IS_PASSWORD);
    let prompt = line.trim_start_matches(INPUT_IS_PASSWORD).trim_start_matches(':').to_owned();
    Found::Mark(Piece::Wish(Wish { prompt, is_password }), end + 1)
}

/// `\x1eblitz-error LINE TYPE LENGTH\nMESSAGE\n`. The type's name may have spaces.
fn user_error(bytes: &[u8]) -> Found {
    let Some(head) = memchr::memchr(b'\n', bytes) else { return Found::NeedsMore };
    let parsed = || {
        let fields = std::str::from_utf8(bytes.get(USER_ERROR.len()..head)?).ok()?;
        let (line, rest) = fields.split_once(' ')?;
        let (type_name, length) = rest.rsplit_once(' ')?;
        Some((line.parse().ok()?, type_name.to_owned(), length.parse::<usize>().ok()?))
    };
    let Some((line, type_name, length)) = parsed() else { return Found::Nothing };
    let end = head + 1 + length;
    if bytes.len() <= end {
        return Found::NeedsMore;
    }
    let message = String::from_utf8_lossy(&bytes[head + 1..end]).into_owned();
    Found::Mark(Piece::UserError(UserError { line, type_name, message }), end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `bytes` in chunks of `size` and joins neighbouring texts.
    fn split(bytes: &[u8], size: usize) -> Vec<Piece> {
        let mut markers = Markers::default();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut add = |piece| match (pieces.last_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.extend(more),
            (_, piece) => pieces.push(piece),
        };
        bytes.chunks(size).for_each(|chunk| markers.feed(chunk).into_iter().for_each(&mut add));
        let rest = markers.finish();
        if !rest.is_empty() {
            add(Piece::Text(rest));
        }
        pieces
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn chunks_do_not_matter() {
        let bytes = b"EVC one\n50 %EVCXR_PANIC_NOTIFICATION\nE\x1eblitz {\"clear\":{}}\n\
            EVCXR_BEGIN_CONTENT text/html\n<b>\nx</b>\nEVCXR_END_CONTENT\ntail EVCXR_";
        let expected = [
            text("EVC one\n50 %"),
            Piece::ForEvcxr(ForEvcxr::Panic, "EVCXR_PANIC_NOTIFICATION".to_owned()),
            text("E"),
            Piece::Command(serde_json::json!({"clear": {}})),
            Piece::Content { mime: "text/html".to_owned(), data: "<b>\nx</b>".to_owned() },
            text("tail EVCXR_"),
        ];
        for size in 1..=bytes.len() {
            assert_eq!(split(bytes, size), expected, "in chunks of {size}");
        }
    }

    #[test]
    fn an_error_may_span_lines_and_hold_marks() {
        let bytes = b"\x1eblitz-error 12 alloc::boxed::Box<dyn core::error::Error> 11\nno\n\x1eblitz {\n\nafter";
        let error = UserError {
            line: 12,
            type_name: "alloc::boxed::Box<dyn core::error::Error>".to_owned(),
            message: "no\n\x1eblitz {".to_owned(),
        };
        for size in 1..=bytes.len() {
            assert_eq!(split(bytes, size), [Piece::UserError(error.clone()), text("\nafter")]);
        }
    }

    #[test]
    fn a_question_has_a_prompt_with_anything_in_it() {
        let bytes = b"a\nEVCXR_INPUT_REQUEST:When: \xc3\xa9? \nbEVCXR_INPUT_REQUEST_PASSWORD:\nc";
        let wish = |prompt: &str, is_password| {
            Piece::Wish(Wish { prompt: prompt.to_owned(), is_password })
        };
        let expected =
            [text("a\n"), wish("When: é? ", false), text("b"), wish("", true), text("c")];
        for size in 1..=bytes.len() {
            assert_eq!(split(bytes, size), expected, "in chunks of {size}");
        }
    }

    #[test]
    fn text_is_not_held_without_need() {
        let mut markers = Markers::default();
        assert_eq!(markers.feed(b"10 %\r"), [text("10 %\r")]);
        assert_eq!(markers.feed(b"EVERY"), [text("EVERY")]);
        assert_eq!(markers.feed(b"\x1eother {}"), [text("\x1eother {}")]);
    }

    #[test]
    fn a_panic_ends_content() {
        let bytes = b"EVCXR_BEGIN_CONTENT text/plain\nhalf EVCXR_PANIC_NOTIFICATION\n";
        let pieces = split(bytes, 7);
        assert_eq!(pieces.len(), 2);
        assert!(matches!(&pieces[1], Piece::ForEvcxr(ForEvcxr::Panic, _)));
    }
}
