//! Making a failed cell visible.
//!
//! evcxr_jupyter answers "ok" to a cell that panicked or that returned an `Err` through `?`. The
//! kernel therefore adds an output to such a cell: a sentence for the reader, and a MIME type of
//! its own ([`MIME`]) by which `cargo blitz run` knows, and which makes nbval's comparison fail.

/// The MIME type of the output that marks a failed cell.
pub const MIME: &str = "application/vnd.blitz.failure+json";

/// The line that evcxr's generated code prints after a panic.
pub const PANIC: &[u8] = b"EVCXR_PANIC_NOTIFICATION";
/// The line that evcxr's generated code prints after an `Err` through `?`.
pub const ERROR: &[u8] = b"EVCXR_ERROR_OCCURRED";

/// How a cell failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The cell panicked.
    Panic,
    /// An `Err` left the cell through `?`.
    Error,
}

impl Failure {
    /// The failure that a line of the cell process's stdout announces, if it does.
    pub fn announced_by(line: &[u8]) -> Option<Self> {
        match line.trim_ascii_end() {
            PANIC => Some(Failure::Panic),
            ERROR => Some(Failure::Error),
            _ => None,
        }
    }

    /// evcxr content blocks that show the failure, given what the cell wrote to stderr.
    pub fn content(self, stderr: &str) -> String {
        let message = without_frames(match self {
            Failure::Panic => panic_message(stderr),
            Failure::Error => error_message(stderr),
        });
        let (kind, what) = match self {
            Failure::Panic => ("panic", "This cell panicked"),
            Failure::Error => ("error", "This cell ended with an error"),
        };
        let html = format!(
            "<div style=\"border-left: 4px solid #c62828; padding: 0.4em 0.8em\">\
             <strong>{what}:</strong> <code>{}</code></div>",
            escape_html(&message).replace('\n', "<br>")
        );
        let json = format!("{{\"kind\": \"{kind}\", \"message\": {}}}", json_string(&message));
        content_block("text/html", &html)
            + &content_block("text/plain", &format!("{what}: {message}"))
            + &content_block(MIME, &json)
    }
}

fn content_block(mime: &str, content: &str) -> String {
    format!("EVCXR_BEGIN_CONTENT {mime}\n{content}\nEVCXR_END_CONTENT\n")
}

/// The message of the last panic in `stderr`, which std prints as
/// `thread '…' panicked at FILE:LINE:COLUMN:`, the message, and a note or a backtrace.
fn panic_message(stderr: &str) -> String {
    let Some(start) = stderr.rfind("panicked at ") else {
        return "(no message)".to_owned();
    };
    let lines = stderr[start..].lines().skip(1);
    let message: Vec<&str> = lines.take_while(|line| !ends_message(line)).collect();
    message.join("\n").trim().to_owned()
}

/// The error that evcxr printed: the last lines of `stderr`.
fn error_message(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().take_while(|line| !ends_message(line)).collect();
    let last = lines.len().saturating_sub(8);
    lines[last..].join("\n").trim().to_owned()
}

fn ends_message(line: &str) -> bool {
    line.starts_with("stack backtrace:") || line.starts_with("note: ")
}

/// A libtorch error without the C++ frames that follow its first sentences. The line break before
/// them is escaped where the error was printed with `{:?}`.
fn without_frames(message: String) -> String {
    let frames = ["\nException raised from", "\\nException raised from"];
    let cut = frames.iter().filter_map(|start| message.find(start)).min();
    cut.map_or(message.clone(), |cut| message[..cut].to_owned())
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `text` as a JSON string. evcxr passes content on line by line, so it must be one line.
fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            control if control.is_control() => {
                json.push_str(&format!("\\u{:04x}", control as u32));
            }
            other => json.push(other),
        }
    }
    json + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_message_of_a_panic_between_its_place_and_the_backtrace() {
        let stderr = "a line of the cell's own\n\
            thread '<unnamed>' panicked at src/lib.rs:140:5:\n\
            index out of bounds: the len is 3 but the index is <7>\n\
            stack backtrace:\n   0: core::panicking\n";
        let content = Failure::Panic.content(stderr);
        assert!(content.contains("This cell panicked: index out of bounds: the len is 3"));
        assert!(content.contains("index is &lt;7&gt;"), "HTML is escaped: {content}");
        assert!(!content.contains("core::panicking") && !content.contains("own"));
    }

    #[test]
    fn a_libtorch_error_ends_before_its_frames() {
        let stderr = "thread '<unnamed>' panicked at tensor.rs:1:30:\n\
            called `Result::unwrap()` on an `Err` value: Torch(\"shapes cannot be multiplied (2x3 and \
            2x3)\\nException raised from meta at LinearAlgebra.cpp:205\\nframe #0: c10::Error\")\n";
        let content = Failure::Panic.content(stderr);
        assert!(content.contains("(2x3 and 2x3)") && !content.contains("frame"), "{content}");
    }

    #[test]
    fn an_error_is_shown_as_one_line_of_json() {
        let content = Failure::Error.content("Os { code: 2,\n\tmessage: \"No such file\" }\n");
        let json = content.lines().find(|line| line.starts_with('{')).expect("a JSON line");
        assert_eq!(
            json,
            r#"{"kind": "error", "message": "Os { code: 2,\u000a\u0009message: \"No such file\" }"}"#
        );
    }

    #[test]
    fn only_whole_marker_lines_announce_a_failure() {
        assert_eq!(Failure::announced_by(b"EVCXR_PANIC_NOTIFICATION\n"), Some(Failure::Panic));
        assert_eq!(Failure::announced_by(b"EVCXR_ERROR_OCCURRED\n"), Some(Failure::Error));
        assert_eq!(Failure::announced_by(b"said EVCXR_ERROR_OCCURRED\n"), None);
    }
}
