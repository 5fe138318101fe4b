//! What a person sees of a training.

use super::report::{FitReport, LossPoint};
use crate::display::{ProgressBar, ProgressOptions};
use crate::error::Result;
use crate::language::{say, told};
use crate::picture::plot::{LivePlot, LivePlotOptions};

/// What to see of a training while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Every `report_every` steps a line with the mean loss of these steps, as in the tutorial, and
    /// one for those that are left at an epoch's end.
    #[default]
    Lines,
    /// A progress bar (batches per second, time left, running loss), and the same mean losses and
    /// the accuracies as curves that grow.
    Live,
}

/// Names of the curves, lettered in a font that has no other letters.
const LOSS: &str = "training loss"; // Not translated
const ACCURACY: &str = "test accuracy"; // Not translated

/// The lines, or the bar and the curves.
pub(super) enum View {
    /// Of another process than rank 0.
    Nothing,
    Lines,
    Live {
        bar: Box<ProgressBar>,
        plot: Box<LivePlot>,
    },
}

impl View {
    /// A view of a training of `steps` more steps.
    pub(super) fn new(progress: Progress, steps: usize) -> View {
        match progress {
            Progress::Lines => View::Lines,
            Progress::Live => {
                let bar = ProgressOptions {
                    label: told("training"),
                    unit: told("batches"),
                    ..ProgressOptions::default()
                };
                View::Live {
                    bar: Box::new(ProgressBar::with_options(Some(steps as u64), bar)),
                    plot: Box::new(LivePlot::new(LivePlotOptions::default())),
                }
            }
        }
    }

    /// A training that was begun by `was` processes goes on by `is`.
    pub(super) fn other_processes(&self, was: u64, is: u64) {
        let count = |number: u64| match number {
            1 => "1 process".to_owned(),
            number => format!("{number} processes"),
        };
        if was != is && !matches!(self, View::Nothing) {
            say(&format!(
                "This training was begun by {} and goes on by {}: its steps have the same images \
                 (but for those that fill up an epoch's last one), sums are rounded in another \
                 order, and what a layer draws at random is not what it would have drawn.",
                count(was),
                count(is)
            ));
        }
    }

    /// After a step.
    pub(super) fn step(&mut self) {
        if let View::Live { bar, .. } = self {
            bar.count(1);
        }
    }

    /// After the steps of `point`, the last of which is `step` of `epoch`; `rest` tells how many
    /// they are where an epoch's end has cut them short.
    pub(super) fn point(
        &mut self,
        epoch: usize,
        step: usize,
        point: LossPoint,
        rest: Option<usize>,
    ) -> Result<()> {
        match self {
            View::Nothing => Ok(()),
            View::Lines => {
                say(&line(epoch, step, point.loss, rest));
                Ok(())
            }
            View::Live { bar, plot } => {
                bar.message(told(&format!("epoch {epoch}, loss {:.3}", point.loss)));
                plot.push(LOSS, point.step, point.loss)
            }
        }
    }

    /// After the evaluation that follows `epoch`, the last step of which is `step`.
    pub(super) fn accuracy(&mut self, epoch: usize, step: usize, accuracy: f64) -> Result<()> {
        match self {
            View::Nothing => Ok(()),
            View::Lines => {
                say(&format!("[{epoch}] accuracy on the test images: {:.1} %", accuracy * 100.0));
                Ok(())
            }
            View::Live { plot, .. } => plot.push_accuracy(ACCURACY, step, accuracy),
        }
    }

    /// What was seen before the training was interrupted; lines stand where they were printed.
    pub(super) fn replay(&mut self, report: &FitReport, steps_per_epoch: usize) -> Result<()> {
        let View::Live { plot, .. } = self else { return Ok(()) };
        for point in &report.points {
            plot.push(LOSS, point.step, point.loss)?;
        }
        for (index, epoch) in report.epochs.iter().enumerate() {
            if let Some(accuracy) = epoch.accuracy {
                plot.push_accuracy(ACCURACY, (index + 1) * steps_per_epoch, accuracy)?;
            }
        }
        Ok(())
    }

    /// After the last step.
    pub(super) fn finish(self, report: &FitReport) -> Result<()> {
        match self {
            View::Nothing => Ok(()),
            View::Lines => {
                let seconds = report.elapsed.as_secs_f64();
                let done = match &report.interrupted {
                    None => "Finished training".to_owned(),
                    Some(place) => format!("Training was stopped {place}"),
                };
                say(&format!("{done}: {} steps in {seconds:.1} s", report.steps));
                Ok(())
            }
            View::Live { mut bar, plot } => {
                // The last point may be one of an earlier epoch.
                if let (Some(place), Some(point)) = (&report.interrupted, report.points.last()) {
                    bar.message(told(&format!("{place}, loss {:.3}", point.loss)));
                }
                bar.finish();
                plot.finish()
            }
        }
    }
}

fn line(epoch: usize, step: usize, loss: f64, rest: Option<usize>) -> String {
    let steps = match rest {
        None => String::new(),
        Some(1) => " (last step)".to_owned(),
        Some(steps) => format!(" (last {steps} steps)"),
    };
    format!("[{epoch}, {step:5}] loss: {loss:.3}{steps}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_the_tutorials() {
        assert_eq!(line(1, 2000, 2.1704, None), "[1,  2000] loss: 2.170");
        assert_eq!(line(2, 12000, 1.2, None), "[2, 12000] loss: 1.200");
        assert_eq!(line(2, 12500, 1.25, Some(500)), "[2, 12500] loss: 1.250 (last 500 steps)");
        assert_eq!(line(1, 1, 2.3, Some(1)), "[1,     1] loss: 2.300 (last step)");
    }
}
