//! A diagram as an SVG picture.

use std::fmt::Write;

use super::layout::{Arrow, FONT_SIZE, Figure, LINE, Layout, MOST, layout};
use super::stages::size;
use super::{Diagram, Stage};
use crate::display::escape;

const INK: &str = "#1a1a1a";
const ARROW: &str = "#5c5c5c";
/// Length and half the width of an arrow's head.
const HEAD: (f64, f64) = (6.0, 3.5);
/// Between an arrow and what it leads from and to.
const AIR: f64 = 4.0;
/// How long an arrow is that does not come from the stage before.
const BRANCH: f64 = 22.0;

pub(super) fn svg(diagram: &Diagram) -> String {
    let layout = layout(diagram);
    let Layout { width, height, .. } = layout;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         style=\"max-width: 100%; height: auto\" \
         font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\" font-size=\"{FONT_SIZE}\">\n"
    );
    svg += &format!("<title>{}</title>\n", escape(&title(diagram)));
    svg += &format!("<desc>{}</desc>\n", escape(&diagram.to_text()));
    // White also in a dark notebook: the colours below are made for it.
    svg += &format!("<rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"#ffffff\"/>\n");
    for (index, placed) in layout.figures.iter().enumerate() {
        svg += &figure(placed, &tooltip(diagram, index));
    }
    for placed in &layout.arrows {
        svg += &arrow(placed);
    }
    svg + "</svg>"
}

fn title(diagram: &Diagram) -> String {
    let count = diagram.stages.len();
    let output = diagram.stages.last().map_or(&diagram.input, |stage| &stage.shape);
    let mut title = format!("Network from {} to {}", size(&diagram.input), size(output));
    if count > MOST {
        title += &format!(": the first {MOST} of {count} stages");
    }
    title
}

/// What a figure stands for, in full.
fn tooltip(diagram: &Diagram, index: usize) -> String {
    let Some(Stage { name, shape, then, .. }) =
        index.checked_sub(1).map(|index| &diagram.stages[index])
    else {
        return format!("input: {}", size(&diagram.input));
    };
    let mut text = diagram.stages[index - 1].action();
    if !name.is_empty() {
        text = format!("{name}: {text}");
    }
    if !then.is_empty() {
        text += &format!(", then {}", then.join(", "));
    }
    format!("{text}: {}", size(shape))
}

fn figure(figure: &Figure, tooltip: &str) -> String {
    let Figure { x, y, width, height, count, step, bar, .. } = figure;
    let (fill, stroke) = if *bar { ("#e2f3dc", "#3f7a32") } else { ("#e9eff9", "#45639b") };
    let mut svg =
        format!("<g><title>{}</title><g fill=\"{fill}\" stroke=\"{stroke}\">\n", escape(tooltip));
    for map in 0..*count {
        let (x, y) = (x + map as f64 * step, y + map as f64 * step);
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width}\" height=\"{height}\"/>"
        );
    }
    svg += "</g>\n";
    svg += &lines(&figure.label, figure.middle(), figure.label_y, INK);
    svg + "</g>\n"
}

fn arrow(arrow: &Arrow) -> String {
    let Arrow { from_x, to_x, y, branch, label, label_y } = arrow;
    let tip = to_x - AIR;
    let tail = from_x + AIR;
    let tail = if *branch { tail.max(tip - BRANCH) } else { tail };
    let (length, half) = HEAD;
    let (neck, top, bottom) = (tip - length, y - half, y + half);
    let mut svg = format!(
        "<path d=\"M{tail:.1} {y} L{:.1} {y}\" fill=\"none\" stroke=\"{ARROW}\" \
         stroke-width=\"1.2\"/>\n\
         <path d=\"M{tip:.1} {y} L{neck:.1} {top} L{neck:.1} {bottom} Z\" fill=\"{ARROW}\"/>\n",
        neck + 1.0
    );
    if *branch {
        svg += &format!("<circle cx=\"{tail:.1}\" cy=\"{y}\" r=\"2.5\" fill=\"{ARROW}\"/>\n");
    }
    svg + &lines(label, (from_x + to_x) / 2.0, *label_y, "#4d4d4d")
}

/// Lines of text around `x`, the first below `y`.
fn lines(lines: &[String], x: f64, y: f64, fill: &str) -> String {
    let mut svg = String::new();
    for (index, line) in lines.iter().enumerate() {
        let y = y + index as f64 * LINE + FONT_SIZE;
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" fill=\"{fill}\">{}</text>",
            escape(line)
        );
    }
    svg
}
