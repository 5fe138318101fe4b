//! The drawing of a line chart.

use std::ops::Range;

use plotters::chart::DualCoordChartContext;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::{Axis, LossPlotOptions, Series, legend, tick};
use crate::picture::font;

type Area<'a> = DrawingArea<font::Canvas<'a>, Shift>;

type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

/// The height of what is written beside the plot and in it.
const LABELS: u32 = 14;
/// Percent, with room for the dots of 0 and 100.
const PERCENT: Range<f64> = -2.0..102.0;

type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;

/// Values by the axis on the left, accuracies beside them by the one on the right.
type Chart<'a, 'b> = DualCoordChartContext<'a, font::Canvas<'b>, Plane, Plane>;

pub(super) fn draw(area: &Area, series: &[Series], options: &LossPlotOptions) -> Drawn {
    let points = |wanted: fn(&Series) -> bool| {
        series.iter().filter(move |line| wanted(line)).flat_map(|line| line.points.iter().copied())
    };
    let x = range(points(|_| true).map(|point| point.0));
    let has = |axis: Axis| series.iter().any(|line| line.axis == axis);
    // Accuracies alone need no second axis.
    let (y, y_label) = match has(Axis::Value) {
        false => (PERCENT, &options.accuracy_label),
        true => (range(points(is_value).map(|point| point.1)), &options.y_label),
    };
    let is_dual = has(Axis::Value) && has(Axis::Accuracy);
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(&options.title, (font::FAMILY, 18))
        .x_label_area_size(40)
        .y_label_area_size(56)
        .right_y_label_area_size(if is_dual { 52 } else { 0 })
        .build_cartesian_2d(x.clone(), y.clone())?
        .set_secondary_coord(x.clone(), PERCENT);
    axes(&mut chart, &options.x_label, y_label, is_dual.then_some(&options.accuracy_label))?;
    for (index, line) in series.iter().enumerate() {
        curve(&mut chart, line, colour(index), is_dual)?;
    }
    if series.len() > 1 {
        let part = |value: f64, of: &Range<f64>| (value - of.start) / (of.end - of.start);
        let plane = |line: &Series| {
            let height = if is_value(line) { &y } else { &PERCENT };
            let points = line.points.iter().map(|point| drawn(line, *point));
            points.map(|point| (part(point.0, &x), part(point.1, height))).collect::<Vec<_>>()
        };
        let lines: Vec<_> = series.iter().map(plane).collect();
        let names = series.iter().map(|line| label(line, is_dual));
        let size = legend_size(&chart, names)?;
        place_legend(&mut chart, legend::freest(&lines, size))?;
    }
    area.present()?;
    Ok(())
}

fn is_value(line: &Series) -> bool {
    line.axis == Axis::Value
}

fn axes(chart: &mut Chart, x: &str, y: &str, right: Option<&String>) -> Drawn {
    chart
        .configure_mesh()
        .x_desc(x)
        .y_desc(y)
        .x_labels(8)
        .y_labels(8)
        .x_label_formatter(&|value| tick(*value))
        .y_label_formatter(&|value| tick(*value))
        .label_style((font::FAMILY, LABELS))
        .axis_desc_style((font::FAMILY, LABELS))
        .light_line_style(TRANSPARENT)
        .draw()?;
    if let Some(right) = right {
        chart
            .configure_secondary_axes()
            .y_desc(right)
            .y_labels(6)
            .y_label_formatter(&|value| tick(*value))
            .label_style((font::FAMILY, LABELS))
            .axis_desc_style((font::FAMILY, LABELS))
            .draw()?;
    }
    Ok(())
}

/// Draws `line`; an accuracy by the axis on the right, where there are two.
fn curve(chart: &mut Chart, line: &Series, colour: RGBColor, is_dual: bool) -> Drawn {
    let points: Vec<(f64, f64)> = line.points.iter().map(|point| drawn(line, *point)).collect();
    let curve = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
    // Dots tell measured points from the lines between them, as long as there is room.
    let dots = if points.len() <= 50 { points.as_slice() } else { &[] };
    let dots = dots.iter().map(|point| Circle::new(*point, 3, colour.filled()));
    let annotation = if is_dual && !is_value(line) {
        chart.draw_secondary_series(dots)?;
        chart.draw_secondary_series(curve)?
    } else {
        chart.draw_series(dots)?;
        chart.draw_series(curve)?
    };
    annotation
        .label(label(line, is_dual))
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    Ok(())
}

/// What the legend says of a line.
fn label(line: &Series, is_dual: bool) -> String {
    let side = if is_dual && !is_value(line) { " (right)" } else { "" };
    format!("{}{side}", line.name)
}

/// Width and height of the legend, as parts of the plot's.
fn legend_size(
    chart: &Chart,
    names: impl Iterator<Item = String>,
) -> std::result::Result<legend::Place, Box<dyn std::error::Error>> {
    // The line's sample before each name, and the distance from the plot's edge.
    const BESIDE: u32 = 42;
    const AROUND: u32 = 16;
    let area = chart.plotting_area();
    let style = (font::FAMILY, LABELS).into_text_style(area);
    let (mut width, mut height) = (0, 0);
    for name in names {
        let size = area.estimate_text_size(&name, &style)?;
        (width, height) = (width.max(size.0), height + size.1);
    }
    let plot = area.dim_in_pixel();
    let part = |length: u32, of: u32| f64::from(length) / f64::from(of.max(1));
    Ok((part(width + BESIDE, plot.0).min(1.0), part(height + AROUND, plot.1).min(1.0)))
}

fn place_legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>, position: SeriesLabelPosition) -> Drawn {
    chart
        .configure_series_labels()
        .position(position)
        .label_font((font::FAMILY, LABELS))
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}

/// A point of `line` in the units of its axis.
fn drawn(line: &Series, (x, y): (f64, f64)) -> (f64, f64) {
    match line.axis {
        Axis::Value => (x, y),
        Axis::Accuracy => (x, 100.0 * y),
    }
}

/// The values' range with a little air around it.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
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
