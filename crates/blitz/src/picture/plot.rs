//! Line charts, such as the loss over the steps of a training.

mod live;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::error::{Error, Result};
use crate::picture::font;
use crate::picture::{self, Picture};

pub use live::{LivePlot, LivePlotOptions};

/// A line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// Points (x, y), in the order in which they are joined; from -1e300 to 1e300.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// A line through `points`.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Series {
        Series { name: name.into(), points: points.into_iter().collect() }
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
    /// Width in pixels, at least 160.
    pub width: u32,
    /// Height in pixels, at least 120.
    pub height: u32,
}

impl Default for LossPlotOptions {
    fn default() -> LossPlotOptions {
        LossPlotOptions {
            title: "Training loss".to_owned(),
            x_label: "step".to_owned(),
            y_label: "loss".to_owned(),
            width: 640,
            height: 400,
        }
    }
}

/// A line chart of `series` over common axes, drawn and ready to show; a legend appears with the
/// second line.
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
/// 1e300, and a size too small to draw on or of more than 100,000,000 pixels.
pub fn loss_plot(series: &[Series], options: LossPlotOptions) -> Result<Picture> {
    check(series, &options)?;
    let (width, height) = (options.width, options.height);
    let mut rgb = vec![255; 3 * width as usize * height as usize];
    {
        let area = font::Canvas::new(&mut rgb, (width, height))?.into_drawing_area();
        draw(&area, series, &options)
            .map_err(|error| Error::Draw { what: "chart", reason: error.to_string() })?;
    }
    Picture::from_rgb(width, height, &rgb, alt(series, &options))
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
    }
    Ok(())
}

type Area<'a> = DrawingArea<font::Canvas<'a>, Shift>;

fn draw(
    area: &Area,
    series: &[Series],
    options: &LossPlotOptions,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let points = || series.iter().flat_map(|line| line.points.iter().copied());
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(&options.title, (font::FAMILY, 18))
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(
            range(points().map(|point| point.0)),
            range(points().map(|point| point.1)),
        )?;
    chart
        .configure_mesh()
        .x_desc(&options.x_label)
        .y_desc(&options.y_label)
        .x_labels(8)
        .y_labels(8)
        .x_label_formatter(&|value| tick(*value))
        .y_label_formatter(&|value| tick(*value))
        .label_style((font::FAMILY, 14))
        .axis_desc_style((font::FAMILY, 14))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (index, line) in series.iter().enumerate() {
        let colour = colour(index);
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        // Dots tell measured points from the lines between them, as long as there is room.
        if line.points.len() <= 50 {
            chart.draw_series(
                line.points.iter().map(|point| Circle::new(*point, 3, colour.filled())),
            )?;
        }
    }
    if series.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .label_font((font::FAMILY, 14))
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
    }
    area.present()?;
    Ok(())
}

/// The values' range with a little air around it.
fn range(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    // All values alike would leave nothing to draw on, and values so near to each other that f64
    // has no numbers for the axis between them are taken for alike.
    let nearly_alike = high - low <= low.abs().max(high.abs()) * 1e-12;
    let air = if nearly_alike { low.abs().max(1.0) * 0.5 } else { (high - low) * 0.05 };
    low - air..high + air
}

/// Okabe and Ito's colours, which people with colour-blindness can tell apart.
fn colour(index: usize) -> RGBColor {
    const COLOURS: [RGBColor; 6] = [
        RGBColor(0, 114, 178),
        RGBColor(213, 94, 0),
        RGBColor(0, 158, 115),
        RGBColor(204, 121, 167),
        RGBColor(230, 159, 0),
        RGBColor(86, 180, 233),
    ];
    COLOURS[index % COLOURS.len()]
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

fn alt(series: &[Series], options: &LossPlotOptions) -> String {
    let mut text = format!("{}: {} over {}.", options.title, options.y_label, options.x_label);
    for line in series {
        let first = line.points[0];
        let last = line.points[line.points.len() - 1];
        let least = line
            .points
            .iter()
            .copied()
            .fold(first, |least, point| if point.1 < least.1 { point } else { least });
        let count = match line.points.len() {
            1 => "1 point".to_owned(),
            many => format!("{many} points"),
        };
        text += &format!(
            " {} has {}, from {} at {} to {} at {}; its least value is {} at {}.",
            line.name,
            count,
            decimals(first.1),
            tick(first.0),
            decimals(last.1),
            tick(last.0),
            decimals(least.1),
            tick(least.0)
        );
    }
    text
}
