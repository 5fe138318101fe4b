//! A line chart that grows while a loop runs.

use std::time::Duration;

use super::{LossPlotOptions, Series, loss_plot};
use crate::display::throttle::{self, Clock, Throttle};
use crate::display::{Frontend, Output, Place, Show};
use crate::error::{Error, Result};
use crate::picture::Picture;

/// Drawing takes at most this part of the time, however many points there are: one tenth.
const TIMES_THE_DRAWING: u32 = 9;

/// How a [`LivePlot`] looks.
#[derive(Clone, Debug, PartialEq)]
pub struct LivePlotOptions {
    /// Title, axes and size.
    pub plot: LossPlotOptions,
    /// The least time from one drawing to the next; 500 ms. The last state is always drawn.
    pub refresh: Duration,
}

impl Default for LivePlotOptions {
    fn default() -> LivePlotOptions {
        LivePlotOptions { plot: LossPlotOptions::default(), refresh: Duration::from_millis(500) }
    }
}

/// A line chart that is redrawn in place as points arrive; its text alternative is kept up to date.
///
/// ```no_run
/// use blitz::picture::plot::{LivePlot, LivePlotOptions};
///
/// let mut plot = LivePlot::new(LivePlotOptions::default());
/// for step in 0..1_000 {
///     plot.push("training loss", step, 2.3 / (1.0 + step as f64 / 100.0))?;
///     if step % 100 == 0 {
///         plot.push_accuracy("test accuracy", step, 0.1 + step as f64 / 2_000.0)?;
///     }
/// }
/// plot.finish()?;
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// The last state is drawn by [`LivePlot::finish`], or when the plot is dropped. A stock evcxr
/// kernel shows only the last state, and a plain program prints its text alternative.
#[must_use = "a plot that is not kept is finished at once"]
pub struct LivePlot {
    options: LivePlotOptions,
    series: Vec<Series>,
    place: Place,
    clock: Clock,
    throttle: Throttle,
    /// Whether there are points that have not been drawn.
    outdated: bool,
}

impl LivePlot {
    /// A chart of nothing yet; it appears with the first point.
    pub fn new(options: LivePlotOptions) -> LivePlot {
        LivePlot::on(Output::standard(), throttle::clock(), options)
    }

    fn on(output: Output, clock: Clock, options: LivePlotOptions) -> LivePlot {
        LivePlot {
            options,
            series: Vec::new(),
            place: Place::new(output),
            clock,
            throttle: Throttle::default(),
            outdated: false,
        }
    }

    /// Adds the point (`step`, `value`) to the line `name`, which begins with its first point.
    ///
    /// # Errors
    ///
    /// [`Error::Draw`] for a value that is NaN or infinite, which is not added, and where drawing
    /// fails; [`Error::Option`] for a size too small to draw on.
    pub fn push(&mut self, name: &str, step: usize, value: f64) -> Result<()> {
        if !value.is_finite() {
            let reason = format!(
                "\"{name}\" became {value} at step {step}. A loss does that where lr is too large: build \
                 the net and the optimizer anew with a smaller one (divide it by 10)"
            );
            return Err(Error::Draw { what: "curve", reason });
        }
        self.add(Series::new(name, [(step as f64, value)]))
    }

    /// Adds an accuracy, from 0 to 1, to the line `name`, which is read by the axis from 0 to 100 %.
    ///
    /// # Errors
    ///
    /// As [`LivePlot::push`], and for a value outside of 0 to 1, which is not added either.
    pub fn push_accuracy(&mut self, name: &str, step: usize, accuracy: f64) -> Result<()> {
        if !(0.0..=1.0).contains(&accuracy) {
            let got = format!("{accuracy} in \"{name}\" at step {step}");
            return Err(Error::option("accuracy", "a number from 0 to 1", got));
        }
        self.add(Series::accuracy(name, [(step as f64, accuracy)]))
    }

    fn add(&mut self, point: Series) -> Result<()> {
        let same = |line: &&mut Series| line.name == point.name && line.axis == point.axis;
        match self.series.iter_mut().find(same) {
            Some(line) => line.points.extend(point.points),
            None => self.series.push(point),
        }
        self.outdated = true;
        let redraws = self.place.output.frontend() == Frontend::Blitz;
        if redraws && self.throttle.is_due((self.clock)()) { self.draw() } else { Ok(()) }
    }

    /// The lines so far, in the order in which they began.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// The chart so far, to save or to show again.
    ///
    /// # Errors
    ///
    /// As [`loss_plot`], which refuses a chart without points.
    pub fn picture(&self) -> Result<Picture> {
        loss_plot(&self.series, self.options.plot.clone())
    }

    /// Draws the last state; a chart without points is not shown.
    ///
    /// # Errors
    ///
    /// As [`LivePlot::push`].
    pub fn finish(mut self) -> Result<()> {
        self.draw_last()
    }

    fn draw_last(&mut self) -> Result<()> {
        if self.outdated { self.draw() } else { Ok(()) }
    }

    fn draw(&mut self) -> Result<()> {
        let began = (self.clock)();
        // A chart that cannot be drawn now cannot be drawn when it is dropped either.
        self.outdated = false;
        let bundle = self.picture()?.bundle();
        match self.place.output.frontend() {
            Frontend::Blitz => self.place.draw(&bundle),
            Frontend::Stock | Frontend::Program => self.place.output.show(&bundle),
        }
        let now = (self.clock)();
        let pause = now.saturating_sub(began).saturating_mul(TIMES_THE_DRAWING);
        self.throttle.wait(now, pause.max(self.options.refresh));
        Ok(())
    }
}

impl Drop for LivePlot {
    fn drop(&mut self) {
        // Nobody is left to hear of an error; `finish` returns it.
        let _ = self.draw_last();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::frontend;
    use crate::display::output::test::{Memory, output};
    use crate::display::throttle::test::Hand;

    fn small() -> LivePlotOptions {
        let plot = LossPlotOptions { width: 160, height: 120, ..LossPlotOptions::default() };
        LivePlotOptions { plot, ..LivePlotOptions::default() }
    }

    fn plot(frontend: Frontend, options: LivePlotOptions) -> (LivePlot, Memory, Hand) {
        let (output, memory) = output(frontend);
        let hand = Hand::default();
        (LivePlot::on(output, hand.clock(), options), memory, hand)
    }

    fn commands(memory: &Memory) -> Vec<String> {
        memory.take().lines().map(str::to_owned).collect()
    }

    #[test]
    fn it_is_drawn_with_the_first_point_then_at_most_twice_a_second() {
        let (mut plot, memory, hand) = plot(Frontend::Blitz, small());
        let mut drawn = Vec::new();
        for step in 0..21 {
            plot.push("loss", step, 1.0 / (step + 1) as f64).unwrap();
            drawn.extend(commands(&memory));
            hand.advance(50);
        }
        assert_eq!(drawn.len(), 3, "at 0, 500 and 1,000 ms");
        assert!(drawn[0].starts_with("\x1eblitz {\"display\":"), "{}", &drawn[0][..40]);
        assert!(drawn[2].starts_with("\x1eblitz {\"update\":"), "{}", &drawn[2][..40]);
        assert!(drawn[2].contains("loss has 21 points, from 1.000 at 0 to 0.048 at 20"));
        plot.finish().unwrap();
        assert_eq!(memory.take(), "", "the last state was drawn already");
    }

    #[test]
    fn the_last_state_is_drawn_when_it_is_dropped() {
        let (mut plot, memory, _) = plot(Frontend::Blitz, small());
        plot.push("loss", 0, 2.0).unwrap();
        plot.push_accuracy("accuracy", 1, 0.5).unwrap();
        assert_eq!(commands(&memory).len(), 1);
        drop(plot);
        let [last] = commands(&memory).try_into().unwrap();
        assert!(last.contains("loss has 1 point,") && last.contains("accuracy has 1 point,"));
        assert!(last.contains("\"width\":160"), "no size");
    }

    #[test]
    fn a_stock_kernel_and_a_program_get_the_last_state_once() {
        for frontend in [Frontend::Stock, Frontend::Program] {
            let (mut plot, memory, hand) = plot(frontend, small());
            for step in 0..3 {
                plot.push("loss", step, 2.0).unwrap();
                hand.advance(10_000);
            }
            assert_eq!(memory.take(), "");
            let bundle = plot.picture().unwrap().bundle();
            plot.finish().unwrap();
            let expected = match frontend {
                Frontend::Stock => frontend::blocks(&bundle),
                _ => frontend::line(&bundle),
            };
            assert_eq!(memory.take(), expected);
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error_and_no_panic() {
        let (mut plot, memory, _) = plot(Frontend::Blitz, small());
        let text = plot.push("loss", 7, f64::NAN).unwrap_err().to_string();
        assert!(text.contains("\"loss\" became NaN at step 7. A loss does that"), "{text}");
        for wrong in [f64::NAN, -0.1, 54.0] {
            let text = plot.push_accuracy("accuracy", 7, wrong).unwrap_err().to_string();
            assert!(text.contains("from 0 to 1") && text.contains("at step 7"), "{text}");
        }
        assert!(plot.series().is_empty());
        plot.finish().unwrap();
        assert_eq!(memory.take(), "", "a chart without points");

        let mut tiny = small();
        tiny.plot.width = 10;
        let (mut plot, memory, _) = self::plot(Frontend::Blitz, tiny);
        assert!(plot.push("loss", 0, 1.0).unwrap_err().to_string().contains("10 x 120"));
        drop(plot);
        assert_eq!(memory.take(), "");
    }

    #[test]
    fn drawing_leaves_nine_tenths_of_the_time_to_the_work() {
        let (output, memory) = output(Frontend::Blitz);
        // A clock on which each look costs 100 ms, so that a drawing takes 100 ms.
        let hand = Hand::default();
        let slow = hand.clone();
        let clock = hand.clock();
        let clock: Clock = Box::new(move || {
            slow.advance(100);
            clock()
        });
        let mut plot = LivePlot::on(output, clock, small());
        plot.push("loss", 0, 1.0).unwrap();
        assert_eq!(commands(&memory).len(), 1);
        hand.advance(700); // past the refresh interval, before nine times the drawing
        plot.push("loss", 1, 1.0).unwrap();
        assert_eq!(commands(&memory).len(), 0);
        hand.advance(100);
        plot.push("loss", 2, 1.0).unwrap();
        assert_eq!(commands(&memory).len(), 1);
    }
}
