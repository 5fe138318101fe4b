//! Progress with elapsed time: moving lines on a terminal, plain lines in a log.

use anyhow::Result;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often a log gets a line from a step that is still running.
const LOG_INTERVAL: Duration = Duration::from_secs(30);

/// Steps that may go on side by side, each with a line of its own on a terminal.
#[derive(Clone, Default)]
pub struct Board(MultiProgress);

impl Board {
    /// Starts a step, named by what it does.
    pub fn step(&self, label: impl Into<String>) -> Step {
        Step::on(self, label.into(), None)
    }

    /// As [`Board::step`], with the time that the step usually takes on two cores.
    pub fn long_step(&self, label: impl Into<String>, usual: Duration) -> Step {
        Step::on(self, label.into(), Some(usual))
    }

    /// Prints a line above those that move.
    fn print(&self, line: &str) {
        self.0.suspend(|| eprintln!("{line}"));
    }
}

/// A step of work that the person waits for.
pub struct Step {
    board: Board,
    label: String,
    start: Instant,
    bar: Option<ProgressBar>,
    // Dropping the sender ends the thread that writes the log lines.
    _log: Option<mpsc::Sender<()>>,
}

impl Step {
    /// Starts a step that goes on alone.
    pub fn start(label: impl Into<String>) -> Self {
        Board::default().step(label)
    }

    fn on(board: &Board, label: String, usual: Option<Duration>) -> Self {
        let board = board.clone();
        let start = Instant::now();
        let usual = usual.map(|usual| format!("usually {}", minutes(usual)));
        if std::io::stderr().is_terminal() {
            let bar = board.0.add(ProgressBar::new_spinner());
            let time = match &usual {
                Some(usual) => format!("[{{elapsed}}, {usual}]"),
                None => "[{elapsed}]".to_owned(),
            };
            let template = format!("{{spinner}} {{msg}} {time} {{prefix:.dim}}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar.set_message(label.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            return Step { board, label, start, bar: Some(bar), _log: None };
        }
        eprintln!("  {label}{} …", usual.map_or(String::new(), |usual| format!(" ({usual})")));
        let (sender, receiver) = mpsc::channel::<()>();
        let still = format!("  {label}: still running");
        std::thread::spawn(move || {
            while receiver.recv_timeout(LOG_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{still}, {}", elapsed(start.elapsed()));
            }
        });
        Step { board, label, start, bar: None, _log: Some(sender) }
    }

    /// Shows what the step is doing now (on a terminal only: a log has the step's own log file).
    pub fn detail(&self, text: &str) {
        if let Some(bar) = &self.bar {
            let line: String = text.trim().chars().take(60).collect();
            bar.set_prefix(line);
        }
    }

    /// Ends the step with a line that says how long it took.
    pub fn done(self, result: &str) {
        let time = elapsed(self.start.elapsed());
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let result = if result.is_empty() { String::new() } else { format!(": {result}") };
        self.board.print(&format!("✓ {}{result} [{time}]", self.label));
    }

    /// Ends the step as its work ended.
    ///
    /// # Errors
    /// That of `result`, with what it means for the person: `failure`.
    pub fn finish<T>(self, result: Result<T>, failure: impl Into<String>) -> Result<T> {
        self.end(result, |_| String::new()).map_err(|error| error.context(failure.into()))
    }

    /// Ends the step as its work ended, with what `success` says of its result.
    ///
    /// # Errors
    /// That of `result`.
    pub fn end<T>(self, result: Result<T>, success: impl FnOnce(&T) -> String) -> Result<T> {
        match &result {
            Ok(value) => self.done(&success(value)),
            Err(_) => self.failed(),
        }
        result
    }

    /// Ends the step with a line that says that it failed; the error itself is for the caller.
    fn failed(self) {
        let time = elapsed(self.start.elapsed());
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.board.print(&format!("✗ {} [{time}]", self.label));
    }
}

/// A time to expect: `30 s`, `4 min`.
fn minutes(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

/// A duration as people write it: `4.2s`, `3m05s`.
pub fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1}s", duration.as_secs_f64())
    } else {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_reads_well() {
        assert_eq!(elapsed(Duration::from_millis(4240)), "4.2s");
        assert_eq!(elapsed(Duration::from_secs(185)), "3m05s");
        assert_eq!(minutes(Duration::from_secs(30)), "30 s");
        assert_eq!(minutes(Duration::from_secs(185)), "4 min");
    }
}
