//! What has been executed, in this session and earlier ones.

use glob::Pattern;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// How many entries are kept from earlier sessions.
const KEPT: usize = 2_000;

/// An executed cell.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The session, counted from 1.
    pub session: i64,
    /// The execution count.
    pub line: i64,
    /// The code.
    pub input: String,
    /// The result as text, if the cell had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// The history, with the file that it is kept in.
pub struct History {
    path: Option<PathBuf>,
    session: i64,
    entries: Vec<Entry>,
}

impl History {
    /// Opens the history at `path`, one JSON object a line. Where it has no place, or cannot be
    /// read or written, the session has a history all the same.
    pub fn open(path: Option<PathBuf>) -> Self {
        let Some(path) = path else {
            return History { path: None, session: 1, entries: Vec::new() };
        };
        // Two kernels that start at once must not take the same session number.
        let lock = File::create(path.with_extension("lock"));
        let _held = lock.as_ref().map(File::lock);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut entries: Vec<Entry> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if entries.len() > 2 * KEPT {
            entries.drain(..entries.len() - KEPT);
            let lines = entries.iter().filter_map(|entry| serde_json::to_string(entry).ok());
            let _ = fs::write(&path, lines.map(|line| line + "\n").collect::<String>());
        }
        let session = 1 + entries.iter().map(|entry| entry.session).max().unwrap_or(0);
        let history = History { path: Some(path), session, entries };
        // The number is taken once it stands in the file; line 0 is nobody's.
        history.write(&Entry { session, line: 0, input: String::new(), output: None });
        history
    }

    /// Adds an executed cell.
    pub fn add(&mut self, line: usize, input: &str, output: Option<String>) {
        let line = i64::try_from(line).unwrap_or(i64::MAX);
        let entry = Entry { session: self.session, line, input: input.to_owned(), output };
        self.write(&entry);
        self.entries.push(entry);
    }

    /// Answers a `history_request`.
    pub fn answer(&self, request: &Value) -> Value {
        let number = |field: &str| request[field].as_i64();
        let all = || self.entries.iter().filter(|entry| entry.line > 0);
        let chosen: Vec<&Entry> = match request["hist_access_type"].as_str() {
            Some("tail") => last(all().collect(), number("n")),
            Some("search") => {
                let pattern = Pattern::new(request["pattern"].as_str().unwrap_or("*"));
                let matches = |input: &str| pattern.as_ref().is_ok_and(|p| p.matches(input));
                let mut found: Vec<&Entry> = all().filter(|entry| matches(&entry.input)).collect();
                if request["unique"].as_bool().unwrap_or(false) {
                    found = unique(found);
                }
                last(found, number("n"))
            }
            _ => {
                // Session 0 is this one, -1 the one before.
                let session = number("session").unwrap_or(0);
                let session = if session > 0 { session } else { self.session + session };
                let start = number("start").unwrap_or(0);
                let stop = number("stop").unwrap_or(i64::MAX);
                let wanted = |entry: &&Entry| {
                    entry.session == session && (start..stop).contains(&entry.line)
                };
                all().filter(wanted).collect()
            }
        };
        let with_output = request["output"].as_bool().unwrap_or(false);
        let rows = chosen.into_iter().map(|entry| {
            let input =
                if with_output { json!([entry.input, entry.output]) } else { json!(entry.input) };
            json!([entry.session, entry.line, input])
        });
        json!({ "status": "ok", "history": rows.collect::<Vec<_>>() })
    }

    fn write(&self, entry: &Entry) {
        let (Some(path), Ok(line)) = (&self.path, serde_json::to_string(entry)) else { return };
        // One write for each line: two kernels may append at the same time.
        if let Ok(mut file) = OpenOptions::new().append(true).create(true).open(path) {
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}

fn last(entries: Vec<&Entry>, count: Option<i64>) -> Vec<&Entry> {
    let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(entries.len());
    let start = entries.len().saturating_sub(count);
    entries[start..].to_vec()
}

/// Of equal inputs the last.
fn unique(entries: Vec<&Entry>) -> Vec<&Entry> {
    let is_last = |index: &usize| {
        let input = &entries[*index].input;
        !entries[index + 1..].iter().any(|later| later.input == *input)
    };
    (0..entries.len()).filter(is_last).map(|index| entries[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_follow_each_other() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = Some(dir.path().join("history.jsonl"));
        let mut first = History::open(path.clone());
        first.add(1, "let x = 1;", None);
        first.add(2, "x", Some("1".to_owned()));
        let second = History::open(path);
        let ask = |request: Value| second.answer(&request)["history"].clone();
        let range = json!({"hist_access_type": "range", "session": -1, "start": 1, "stop": 3, "output": true});
        assert_eq!(ask(range), json!([[1, 1, ["let x = 1;", null]], [1, 2, ["x", "1"]]]));
        let tail = json!({"hist_access_type": "tail", "n": 1});
        assert_eq!(ask(tail), json!([[1, 2, "x"]]));
        let search = json!({"hist_access_type": "search", "pattern": "let*"});
        assert_eq!(ask(search), json!([[1, 1, "let x = 1;"]]));
    }

    #[test]
    fn a_session_without_a_place_has_a_history() {
        let mut history = History::open(None);
        history.add(1, "let x = 1;", None);
        let answer = history.answer(&json!({"hist_access_type": "tail", "n": 5}));
        assert_eq!(answer["history"], json!([[1, 1, "let x = 1;"]]));
    }
}
