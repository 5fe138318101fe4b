//! Why a cell failed, before it is put into the person's language.

use blitz_messages::Messages;
use jupyter_protocol::ErrorOutput;

const RED: &str = "\x1b[31m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// The error of a cell. What is said in words of ours is told, and so translated for the person; rustc's
/// words and the cell's own code are shown as they are.
#[derive(Clone, Debug, Default)]
pub struct CellError {
    /// The kind of error, such as `panic`: programs read it, so it is English in every language.
    pub name: String,
    /// The cell has run to its end all the same: what it defines is there.
    pub is_complete: bool,
    message: Line,
    traceback: Vec<Line>,
}

/// A part of a traceback, perhaps of several lines.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What stands before it: colours, an arrow, `help: `; or all of what is shown as it is.
    lead: String,
    told: String,
}

impl CellError {
    /// An error whose message is told, and heads the traceback.
    pub fn new(name: &str, message: &str) -> CellError {
        let head = Line { lead: format!("{RED}{name}{PLAIN}: "), told: message.to_owned() };
        let message = Line::told(message);
        CellError { name: name.to_owned(), is_complete: false, message, traceback: vec![head] }
    }

    /// An error without a traceback, whose message is rustc's.
    pub fn shown(name: &str, message: String) -> CellError {
        let message = Line::shown(message);
        CellError { name: name.to_owned(), is_complete: false, message, traceback: Vec::new() }
    }

    /// The same of a cell that has run to its end.
    pub fn of_complete_cell(self) -> CellError {
        CellError { is_complete: true, ..self }
    }

    /// Adds to the traceback.
    pub fn extend(&mut self, lines: impl IntoIterator<Item = Line>) {
        self.traceback.extend(lines);
    }

    /// The traceback in English.
    pub fn text(&self) -> String {
        let lines = self.traceback.iter().map(|line| format!("{}{}", line.lead, line.told));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The error for a person who reads `messages`.
    pub fn output(&self, messages: &Messages) -> ErrorOutput {
        let text = |line: &Line| format!("{}{}", line.lead, messages.translated(&line.told));
        let lines = |line: &Line| {
            let text = text(line);
            text.strip_suffix('\n')
                .unwrap_or(&text)
                .split('\n')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        ErrorOutput {
            ename: self.name.clone(),
            evalue: text(&self.message),
            traceback: self.traceback.iter().flat_map(lines).collect(),
        }
    }
}

impl Line {
    /// Words of ours.
    pub fn told(text: &str) -> Line {
        Line { lead: String::new(), told: text.to_owned() }
    }

    /// What stays as it is.
    pub fn shown(text: impl Into<String>) -> Line {
        Line { lead: text.into(), told: String::new() }
    }

    /// Words of ours behind what stays as it is.
    pub fn behind(lead: impl Into<String>, text: &str) -> Line {
        Line { lead: lead.into(), told: text.to_owned() }
    }

    /// What a person has to know. `note` and `help` are rustc's words, in every language.
    pub fn note(text: &str) -> Line {
        Line::behind(format!("{BOLD}note{PLAIN}: "), text) // Not translated
    }

    /// What a person may do.
    pub fn help(text: &str) -> Line {
        Line::behind(format!("{BOLD}help{PLAIN}: "), text) // Not translated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_a_language_is_as_it_is() {
        let mut error = CellError::new("panic", "it broke\nin two");
        error.extend([Line::shown("1 | f();"), Line::help("mend it")]);
        let output = error.output(&Messages::default());
        assert_eq!((output.ename.as_str(), output.evalue.as_str()), ("panic", "it broke\nin two"));
        let expected = [
            "\u{1b}[31mpanic\u{1b}[0m: it broke",
            "in two",
            "1 | f();",
            "\u{1b}[1mhelp\u{1b}[0m: mend it",
        ];
        assert_eq!(output.traceback, expected);
        assert_eq!(error.text(), expected.join("\n"));
    }

    #[test]
    fn what_is_shown_is_not_translated() {
        let dir = tempfile::tempdir().expect("a directory");
        let text = "msgid \"it broke\"\nmsgstr \"它坏了\"\n";
        std::fs::write(dir.path().join("x.po"), text).expect("written");
        let messages = Messages::new(Some(dir.path().to_owned()));
        let mut error = CellError::new("panic", "it broke");
        error.extend([Line::shown("it broke"), Line::note("it broke")]);
        let output = error.output(&messages);
        assert_eq!(output.evalue, "它坏了");
        assert_eq!(output.traceback[0], "\u{1b}[31mpanic\u{1b}[0m: 它坏了");
        assert_eq!(output.traceback[1..], ["it broke", "\u{1b}[1mnote\u{1b}[0m: 它坏了"]);
    }
}
