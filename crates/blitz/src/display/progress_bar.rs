//! A bar that fills while a loop runs.

use std::time::Duration;

use super::frontend::Frontend;
use super::handle::Place;
use super::kinds::escape;
use super::meter::{BETWEEN, Meter, Stage};
use super::throttle::{self, Clock, Throttle};
use super::{Bundle, Output};
use crate::display::interrupt::Watch;
use crate::error::Result;

/// How a [`ProgressBar`] reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressOptions {
    /// What is being done, in front of the bar; "progress".
    pub label: String,
    /// What is counted, in the plural; "steps".
    pub unit: String,
    /// The least time from one drawing to the next; 100 ms. The last state is always drawn.
    pub refresh: Duration,
}

impl Default for ProgressOptions {
    fn default() -> ProgressOptions {
        ProgressOptions {
            label: "progress".to_owned(),
            unit: "steps".to_owned(),
            refresh: Duration::from_millis(100),
        }
    }
}

/// Shows how much of a piece of work is done, how fast it goes, and how long it will take.
///
/// [`crate::display::progress`] wraps an iterator in one. Use the bar itself where a message
/// changes along the way:
///
/// ```no_run
/// use blitz::prelude::*;
///
/// let mut bar = display::ProgressBar::new(1_000);
/// let mut loss = 8.0;
/// for _ in 0..1_000 {
///     loss *= 0.99; // the work
///     bar.message(format!("loss {loss:.3}"));
///     bar.step()?;
/// }
/// bar.finish();
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// The last state is drawn by [`ProgressBar::finish`], or when the bar is dropped. In the Rust
/// Blitz kernel the bar is redrawn in place. A stock evcxr kernel gets the last state as a printed
/// line. A plain program writes to standard error: a line that is overwritten where that is a
/// terminal, else the last state alone.
#[must_use = "a bar that is not kept is finished at once"]
pub struct ProgressBar {
    options: ProgressOptions,
    meter: Meter,
    message: String,
    place: Place,
    watch: Watch,
    clock: Clock,
    throttle: Throttle,
    last_drawn: Drawn,
}

/// What is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drawn {
    /// A state that has changed since.
    Older,
    /// The present state, with all steps done.
    Complete,
    /// The last state.
    Last,
}

impl ProgressBar {
    /// A bar for `total` steps, drawn empty.
    pub fn new(total: u64) -> ProgressBar {
        ProgressBar::with_options(Some(total), ProgressOptions::default())
    }

    /// A bar for `total` steps, `None` where their number is not known.
    pub fn with_options(total: Option<u64>, options: ProgressOptions) -> ProgressBar {
        ProgressBar::on(Output::standard(), throttle::clock(), total, options)
    }

    fn on(
        output: Output,
        clock: Clock,
        total: Option<u64>,
        options: ProgressOptions,
    ) -> ProgressBar {
        let mut bar = ProgressBar {
            options,
            meter: Meter { total, done: 0 },
            message: String::new(),
            place: Place::new(output),
            watch: Watch::new(),
            clock,
            throttle: Throttle::default(),
            last_drawn: Drawn::Older,
        };
        bar.draw_if_due();
        bar
    }

    /// Counts one step as done.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Interrupted`] where the person asked to stop; the step is counted.
    pub fn step(&mut self) -> Result<()> {
        self.advance(1)
    }

    /// Counts `steps` steps as done.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Interrupted`] where the person asked to stop; the steps are counted.
    pub fn advance(&mut self, steps: u64) -> Result<()> {
        self.count(steps);
        self.watch.check()
    }

    /// Sets the text at the end of the line, such as the running loss. It is drawn with the next
    /// step at the latest.
    pub fn message(&mut self, text: impl Into<String>) {
        self.message = text.into();
        self.last_drawn = Drawn::Older;
        self.draw_if_due();
    }

    /// Steps done.
    pub fn done(&self) -> u64 {
        self.meter.done
    }

    /// Draws the last state.
    pub fn finish(self) {
        // Dropping does it.
    }

    /// As [`ProgressBar::advance`], for callers that look for interrupts themselves.
    pub(crate) fn count(&mut self, steps: u64) {
        let was_complete = self.meter.is_complete();
        self.meter.done = self.meter.done.saturating_add(steps);
        self.last_drawn = Drawn::Older;
        if self.meter.is_complete() && !was_complete {
            self.draw_complete();
        } else {
            self.draw_if_due();
        }
    }

    pub(super) fn watch(&self) -> Watch {
        self.watch
    }

    /// Draws the last state, once.
    pub(super) fn end(&mut self) {
        match (self.last_drawn, self.place.output.frontend()) {
            (Drawn::Last, _) | (Drawn::Complete, Frontend::Blitz | Frontend::Stock) => {}
            (_, Frontend::Blitz) => self.draw_in_place(Stage::Ended),
            (_, Frontend::Stock) => self.print(),
            (_, Frontend::Program) => {
                let line = self.line(Stage::Ended);
                self.place.output.last_status(&line);
            }
        }
        self.last_drawn = Drawn::Last;
    }

    /// A bar kept in a variable of the notebook may live on for hours: its last state is drawn now.
    fn draw_complete(&mut self) {
        match self.place.output.frontend() {
            Frontend::Blitz => self.draw_in_place(Stage::Ended),
            Frontend::Stock => self.print(),
            // A plain program's last line is written when the bar is dropped.
            Frontend::Program => return self.draw_if_due(),
        }
        self.last_drawn = Drawn::Complete;
        self.throttle.wait((self.clock)(), self.options.refresh);
    }

    fn draw_if_due(&mut self) {
        if !self.throttle.is_due((self.clock)()) {
            return;
        }
        match self.place.output.frontend() {
            Frontend::Blitz => self.draw_in_place(Stage::Running),
            Frontend::Stock => {}
            Frontend::Program => {
                let line = self.line(Stage::Running);
                self.place.output.status(&line);
            }
        }
        self.throttle.wait((self.clock)(), self.options.refresh);
    }

    fn draw_in_place(&mut self, stage: Stage) {
        let bundle = self.bundle(stage);
        self.place.draw(&bundle);
    }

    /// A stock kernel has one output per cell. A block of HTML would hide a picture in it, and a
    /// block of text is replaced by the `()` of the loop itself; a printed line stays.
    fn print(&mut self) {
        let line = self.line(Stage::Ended);
        self.place.output.write(&format!("{line}\n"));
    }

    fn words(&self, stage: Stage) -> String {
        let mut words = self.meter.words(&self.options.unit, (self.clock)(), stage);
        if !self.message.is_empty() {
            words += BETWEEN;
            words += &self.message;
        }
        words
    }

    fn line(&self, stage: Stage) -> String {
        format!("{}: {}", self.options.label, self.words(stage))
    }

    fn bundle(&self, stage: Stage) -> Bundle {
        let (label, words) = (escape(&self.options.label), escape(&self.words(stage)));
        // The label around the element is its name for screen readers. (JupyterLab would strike
        // out an aria-label in a notebook that it does not trust.)
        let html = format!("<div><label>{label} {}</label> {words}</div>", self.element(stage));
        Bundle::new().with_text("text/html", html).with_alt(self.line(stage))
    }

    /// Without a value the element says "for an unknown time": right only while the work goes on.
    fn element(&self, stage: Stage) -> String {
        match (self.meter.total, self.meter.percent(), stage) {
            (Some(total), Some(percent), _) => {
                let (max, value) = (total.max(1), self.meter.done.min(total));
                let value = if total == 0 { max } else { value };
                format!("<progress max=\"{max}\" value=\"{value}\">{percent} %</progress>")
            }
            (.., Stage::Running) => "<progress></progress>".to_owned(),
            (.., Stage::Ended) => "<progress max=\"1\" value=\"1\"></progress>".to_owned(),
        }
    }
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
