//! Line charts, such as the loss over the steps of a training.

mod alt;
mod chart;
mod legend;
mod live;

use crate::error::{Error, Result};
use crate::picture::{self, Picture, font};

pub use live::{LivePlot, LivePlotOptions};

/// A line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// Points (x, y), in the order in which they are joined; from -1e300 to 1e300.
    pub points: Vec<(f64, f64)>,
    /// By which axis `y` is read.
    pub axis: Axis,
}

/// By which axis of a chart a line is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// The one on the left, which all values fit.
    #[default]
    Value,
    /// Accuracies from 0 to 1, on an axis from 0 to 100 %: on the right, where there are other
    /// lines too.
    Accuracy,
}

impl Series {
    /// A line through `points`.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Series {
        Series { name: name.into(), points: points.into_iter().collect(), axis: Axis::Value }
    }

    /// A line of accuracies, the `y` of each from 0 to 1.
    pub fn accuracy(
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Series {
        Series { axis: Axis::Accuracy, ..Series::new(name, points) }
    }
}

/// How a [`loss_plot`] is titled and sized.
#[derive(Clone, Debug, PartialEq)]
pub struct LossPlotOptions {
    /// Title above the chart.
    pub title: String,
    /// Label of the x axis.
    pub x_label: String,
    /// Label of the y axis.
    pub y_label: String,
    /// Label of the axis of accuracies, where there are some.
    pub accuracy_label: String,
    /// Width in pixels, at least 160.
    pub width: u32,
    /// Height in pixels, at least 120.
    pub height: u32,
}

impl Default for LossPlotOptions {
    fn default() -> LossPlotOptions {
        LossPlotOptions {
            title: "Training loss".to_owned(), // Not translated: the font has no other letters
            x_label: "step".to_owned(),
            y_label: "loss".to_owned(),
            accuracy_label: "accuracy (%)".to_owned(), // Not translated
            width: 640,
            height: 400,
        }
    }
}

/// A line chart of `series`, drawn and ready to show; with the second line a legend
/// appears, where it hides least.
/// Accuracies ([`Series::accuracy`]) are drawn in percent, and have an axis of their own.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// let series = Series::new("lr 0.001", [(250.0, 2.29), (500.0, 2.11), (750.0, 1.84)]);
/// loss_plot(&[series], LossPlotOptions::default())?.show();
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Option`] for no series, a series without points, a point that is NaN, infinite or beyond
/// 1e300, an accuracy outside of 0 to 1, and a size too small to draw on or of more than 100,000,000 pixels.
pub fn loss_plot(series: &[Series], options: LossPlotOptions) -> Result<Picture> {
    check(series, &options)?;
    let (width, height) = (options.width, options.height);
    let mut rgb = vec![255; 3 * width as usize * height as usize];
    {
        use plotters::prelude::IntoDrawingArea;
        let area = font::Canvas::new(&mut rgb, (width, height))?.into_drawing_area();
        chart::draw(&area, series, &options)
            .map_err(|error| Error::Draw { what: "chart", reason: error.to_string() })?;
    }
    Picture::from_rgb(width, height, &rgb, alt::alt(series, &options))
}

/// Beyond it, the difference of two values would not be a number.
const LARGEST: f64 = 1e300;

fn check(series: &[Series], options: &LossPlotOptions) -> Result<()> {
    if series.is_empty() {
        return Err(Error::option("series", "at least one line", "none"));
    }
    if options.width < 160 || options.height < 120 {
        let got = format!("{} x {}", options.width, options.height);
        return Err(Error::option("width and height", "at least 160 x 120 pixels", got));
    }
    picture::check_size("width and height", options.width.into(), options.height.into())?;
    for line in series {
        if line.points.is_empty() {
            let got = format!(
                "no point in \"{}\" (fit gives one for each report_every steps and each epoch's \
                 end; an accuracy, where it has a test loader)",
                line.name
            );
            return Err(Error::option("series", "lines of at least one point", got));
        }
        if let Some(point) = line.points.iter().find(|(x, y)| !x.is_finite() || !y.is_finite()) {
            let got = format!("{point:?} in \"{}\"", line.name);
            return Err(Error::option("series", "finite numbers; a smaller lr often helps", got));
        }
        if let Some(point) = line.points.iter().find(|(x, y)| x.abs().max(y.abs()) > LARGEST) {
            let got = format!("({:e}, {:e}) in \"{}\"", point.0, point.1, line.name);
            return Err(Error::option("series", "numbers from -1e300 to 1e300", got));
        }
        let mut points = line.points.iter().filter(|_| line.axis == Axis::Accuracy);
        if let Some(point) = points.find(|(_, y)| !(0.0..=1.0).contains(y)) {
            let got = format!("{point:?} in \"{}\"", line.name);
            return Err(Error::option("series", "accuracies from 0 to 1", got));
        }
    }
    Ok(())
}

/// At most four decimals, and no zeros at the end; as a power of ten where that would be long.
fn tick(value: f64) -> String {
    if value.abs() >= LONG {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// From here on, numbers are written as powers of ten.
const LONG: f64 = 1e12;

/// Three decimals.
fn decimals(value: f64) -> String {
    if value.abs() >= LONG { format!("{value:.3e}") } else { format!("{value:.3}") }
}
