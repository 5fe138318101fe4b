//! What a person sees of a training.

use super::{LossPoint, TrainReport};
use crate::display::{LivePlot, LivePlotOptions, ProgressBar, ProgressOptions};
use crate::error::Result;

/// What to see of a training while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Every `report_every` steps a line with the mean loss of these steps, as in the tutorial.
    #[default]
    Lines,
    /// A progress bar, and the same mean losses as a curve that grows.
    Live,
}

/// The lines, or the bar and the curve.
pub(super) enum View {
    Lines,
    Live { bar: Box<ProgressBar>, plot: Box<LivePlot> },
}

impl View {
    /// A view of a training of `steps` steps.
    pub(super) fn new(progress: Progress, steps: usize) -> View {
        match progress {
            Progress::Lines => View::Lines,
            Progress::Live => {
                let options =
                    ProgressOptions { label: "training".to_owned(), ..ProgressOptions::default() };
                View::Live {
                    bar: Box::new(ProgressBar::with_options(Some(steps as u64), options)),
                    plot: Box::new(LivePlot::new(LivePlotOptions::default())),
                }
            }
        }
    }

    /// After a step.
    pub(super) fn step(&mut self) {
        if let View::Live { bar, .. } = self {
            bar.count(1);
        }
    }

    /// After the steps of `point`, the last of which is `step` of `epoch`.
    pub(super) fn point(&mut self, epoch: usize, step: usize, point: LossPoint) -> Result<()> {
        match self {
            View::Lines => {
                println!("{}", line(epoch, step, point.loss));
                Ok(())
            }
            View::Live { bar, plot } => {
                bar.message(format!("epoch {epoch}, loss {:.3}", point.loss));
                plot.push("training", point.step, point.loss)
            }
        }
    }

    /// After the last step.
    pub(super) fn finish(self, report: &TrainReport) -> Result<()> {
        match self {
            View::Lines => {
                let seconds = report.elapsed.as_secs_f64();
                println!("Finished training: {} steps in {seconds:.1} s", report.steps);
                Ok(())
            }
            View::Live { bar, plot } => {
                bar.finish();
                plot.finish()
            }
        }
    }
}

fn line(epoch: usize, step: usize, loss: f64) -> String {
    format!("[{epoch}, {step:5}] loss: {loss:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_the_tutorials() {
        assert_eq!(line(1, 2000, 2.1704), "[1,  2000] loss: 2.170");
        assert_eq!(line(2, 12000, 1.2), "[2, 12000] loss: 1.200");
    }
}
