//! Progress with elapsed time: a moving line on a terminal, plain lines in a log.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often a log gets a line from a step that is still running.
const LOG_INTERVAL: Duration = Duration::from_secs(30);

/// A step of work that the person waits for.
pub struct Step {
    label: String,
    start: Instant,
    bar: Option<ProgressBar>,
    // Dropping the sender ends the thread that writes the log lines.
    _log: Option<mpsc::Sender<()>>,
}

impl Step {
    /// Starts a step, named by what it does.
    pub fn start(label: impl Into<String>) -> Self {
        let label = label.into();
        let start = Instant::now();
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new_spinner().with_message(label.clone());
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {msg} [{elapsed}] {prefix:.dim}")
            {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            return Step { label, start, bar: Some(bar), _log: None };
        }
        eprintln!("  {label} …");
        let (sender, receiver) = mpsc::channel::<()>();
        let still = format!("  {label}: still running");
        std::thread::spawn(move || {
            while receiver.recv_timeout(LOG_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{still}, {}", elapsed(start.elapsed()));
            }
        });
        Step { label, start, bar: None, _log: Some(sender) }
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
        eprintln!(
            "✓ {}{} [{time}]",
            self.label,
            if result.is_empty() { String::new() } else { format!(": {result}") }
        );
    }

    /// Ends the step with a line that says that it failed; the error itself is for the caller.
    pub fn failed(self) {
        let time = elapsed(self.start.elapsed());
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("✗ {} [{time}]", self.label);
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
    }
}
