//! Where squares, bars, arrows and labels are, in rows.

use super::stages::size;
use super::{Diagram, Stage};
use crate::picture::font;

/// Letters, in pixels.
pub(super) const FONT_SIZE: f64 = 12.0;
pub(super) const LINE: f64 = 15.0;
const MARGIN: f64 = 14.0;
/// Rows are at most this wide, but for a label that is wider.
const ROW: f64 = 960.0;
const ROW_GAP: f64 = 22.0;
/// The shortest arrow, and the least between two labels.
const ARROW: f64 = 34.0;
const LABEL_GAP: f64 = 10.0;
/// Sides of maps, heights of bars: the least and the most that the size adds to it.
const MAP: (f64, f64) = (10.0, 74.0);
const BAR: (f64, f64) = (12.0, 98.0);
const BAR_WIDTH: f64 = 13.0;
/// From each map to the next, at most.
const STEP: f64 = 4.5;
/// Of more stages the first are drawn.
pub(super) const MOST: usize = 100;

/// The picture in pixels from its top left corner.
pub(super) struct Layout {
    pub width: f64,
    pub height: f64,
    /// The input, then the stages.
    pub figures: Vec<Figure>,
    pub arrows: Vec<Arrow>,
}

/// A stack of maps, or a bar.
pub(super) struct Figure {
    pub x: f64,
    pub y: f64,
    /// Of one map.
    pub width: f64,
    pub height: f64,
    /// How many maps are drawn.
    pub count: usize,
    /// From each to the next, to the right and down.
    pub step: f64,
    pub bar: bool,
    /// The lines above it, around its middle, from `label_y` on.
    pub label: Vec<String>,
    pub label_y: f64,
}

pub(super) struct Arrow {
    pub from_x: f64,
    pub to_x: f64,
    pub y: f64,
    /// Whether the stage before is not where it comes from.
    pub branch: bool,
    /// The lines below it, around its middle, from `label_y` on.
    pub label: Vec<String>,
    pub label_y: f64,
}

impl Figure {
    pub fn full_width(&self) -> f64 {
        self.width + (self.count - 1) as f64 * self.step
    }

    fn full_height(&self) -> f64 {
        self.height + (self.count - 1) as f64 * self.step
    }

    pub fn middle(&self) -> f64 {
        self.x + self.full_width() / 2.0
    }
}

pub(super) fn layout(diagram: &Diagram) -> Layout {
    let shown = &diagram.stages[..diagram.stages.len().min(MOST)];
    let scale = Scale::of(diagram, shown);
    let mut figures =
        vec![scale.figure(&diagram.input, vec!["input".into(), size(&diagram.input)])];
    let mut arrows = Vec::new();
    for (index, stage) in shown.iter().enumerate() {
        figures.push(scale.figure(&stage.shape, label(diagram, stage)));
        let mut label = broken(&stage.action());
        let branch = stage.from != index;
        if branch {
            label.push(format!("from {}", diagram.label(stage.from)));
        }
        arrows.push(Arrow { from_x: 0.0, to_x: 0.0, y: 0.0, branch, label, label_y: 0.0 });
    }
    let rows = columns(&mut figures, &mut arrows);
    let (width, height) = heights(&mut figures, &mut arrows, &rows);
    Layout { width, height, figures, arrows }
}

/// What stands above a stage.
fn label(diagram: &Diagram, stage: &Stage) -> Vec<String> {
    let joined = stage.joined.iter().map(|joined| format!("+ {}", diagram.label(*joined)));
    let mut lines: Vec<String> = joined.collect();
    if !stage.name.is_empty() {
        lines.insert(0, stage.name.clone());
    }
    lines.push(size(&stage.shape));
    lines
}

/// `max pool 2×2` in lines, of which a short word does not fill one alone.
fn broken(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 9 => {
                *line += &format!(" {word}");
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The largest map's side and the longest bar's number, which take the most room.
struct Scale {
    side: f64,
    features: f64,
}

impl Scale {
    fn of(diagram: &Diagram, shown: &[Stage]) -> Scale {
        let shapes =
            || std::iter::once(&diagram.input).chain(shown.iter().map(|stage| &stage.shape));
        let most = |numbers: &mut dyn Iterator<Item = i64>| numbers.fold(1, i64::max) as f64;
        let sides = shapes().filter(|shape| shape.len() > 1);
        let features = shapes().filter(|shape| shape.len() < 2);
        Scale {
            side: most(&mut sides.flat_map(|shape| shape[1..].iter().copied())),
            features: most(&mut features.flat_map(|shape| shape.iter().copied())),
        }
    }

    fn figure(&self, shape: &[i64], label: Vec<String>) -> Figure {
        // Roots, so that a small map beside a large one can still be seen.
        let scaled = |value: i64, most: f64, (least, range): (f64, f64)| {
            (least + range * (value.max(0) as f64 / most).sqrt()).round()
        };
        let side = |value| scaled(value, self.side, MAP);
        let (count, width, height) = match shape {
            [] => (1, BAR_WIDTH, scaled(1, self.features, BAR)),
            [features] => (1, BAR_WIDTH, scaled(*features, self.features, BAR)),
            [maps, length] => (stacked(*maps), side(*length), MAP.0),
            [maps, .., height, width] => (stacked(*maps), side(*width), side(*height)),
        };
        // At most as far as a map is high, so that an arrow at half the height meets a map.
        let most = width.min(height) / (count.max(2) - 1) as f64;
        let bar = shape.len() < 2;
        let step = STEP.min(most);
        Figure { x: 0.0, y: 0.0, width, height, count, step, bar, label, label_y: 0.0 }
    }
}

/// How many maps are drawn: each up to 8, then one more for twice as many, up to 12.
fn stacked(maps: i64) -> usize {
    match maps {
        ..=1 => 1,
        2..=8 => maps as usize,
        _ => (8 + (maps as f64 / 8.0).log2().ceil() as usize).min(12),
    }
}

fn widest(lines: &[String]) -> f64 {
    lines.iter().map(|line| font::width(line, FONT_SIZE)).fold(0.0, f64::max)
}

/// Sets all x; gives the number of the first figure of each row.
fn columns(figures: &mut [Figure], arrows: &mut [Arrow]) -> Vec<usize> {
    let mut rows = vec![0];
    let mut row = Row::default();
    row.first(&mut figures[0]);
    for index in 1..figures.len() {
        let (figure, arrow) = (&mut figures[index], &mut arrows[index - 1]);
        if !row.next(figure, arrow) {
            rows.push(index);
            row = Row { right: MARGIN, width: 0.0, label_right: 0.0, arrow_label_right: 0.0 };
            row.next(figure, arrow);
        }
    }
    rows
}

/// How far a row is filled.
#[derive(Default)]
struct Row {
    right: f64,
    /// Width of the last figure.
    width: f64,
    label_right: f64,
    arrow_label_right: f64,
}

impl Row {
    fn first(&mut self, figure: &mut Figure) {
        let (half, width) = (widest(&figure.label) / 2.0, figure.full_width());
        figure.x = (MARGIN + half - width / 2.0).max(MARGIN).ceil();
        *self = Row {
            right: figure.x + width,
            width,
            label_right: figure.middle() + half,
            arrow_label_right: 0.0,
        };
    }

    /// Whether `figure` and the arrow to it fit into the row; at the row's start they always do.
    fn next(&mut self, figure: &mut Figure, arrow: &mut Arrow) -> bool {
        let (half, width) = (widest(&figure.label) / 2.0, figure.full_width());
        let arrow_half = widest(&arrow.label) / 2.0;
        // Narrow figures, such as bars, stand as far from each other as the labels below them.
        let even = 2.0 * arrow_half + LABEL_GAP - width.min(self.width);
        let for_label = self.label_right + LABEL_GAP + half - width / 2.0;
        let for_arrow = 2.0 * (self.arrow_label_right + LABEL_GAP + arrow_half) - self.right;
        figure.x = (self.right + ARROW.max(even)).max(for_label).max(for_arrow).ceil();
        let middle = (self.right + figure.x) / 2.0;
        let label_right = figure.middle() + half;
        let right = (figure.x + width).max(label_right).max(middle + arrow_half);
        // Room for the arrow that leads on to the next row.
        if right + ARROW > ROW && self.label_right > 0.0 {
            return false;
        }
        (arrow.from_x, arrow.to_x) = (self.right, figure.x);
        let arrow_label_right = middle + arrow_half;
        *self = Row { right: figure.x + width, width, label_right, arrow_label_right };
        true
    }
}

/// Sets all y; adds the arrows that leave a row; gives the size of the whole.
fn heights(figures: &mut [Figure], arrows: &mut Vec<Arrow>, rows: &[usize]) -> (f64, f64) {
    let (mut top, mut width) = (MARGIN, 0.0_f64);
    let mut leaving = Vec::new();
    for (row, &start) in rows.iter().enumerate() {
        let end = rows.get(row + 1).copied().unwrap_or(figures.len());
        let lines = figures[start..end].iter().map(|figure| figure.label.len()).max().unwrap_or(0);
        let above = top + lines as f64 * LINE + 6.0;
        let tallest = figures[start..end].iter().map(Figure::full_height).fold(0.0, f64::max);
        let middle = (above + tallest / 2.0).round();
        let below = above + tallest + 6.0;
        for figure in &mut figures[start..end] {
            figure.y = (middle - figure.full_height() / 2.0).round();
            // The sizes stand on one line.
            figure.label_y = above - 6.0 - figure.label.len() as f64 * LINE;
            let label = figure.middle() + widest(&figure.label) / 2.0;
            width = width.max(figure.x + figure.full_width()).max(label);
        }
        let into = start.saturating_sub(1)..end - 1;
        let mut lines = 0;
        for arrow in &mut arrows[into] {
            (arrow.y, arrow.label_y) = (middle, below);
            lines = lines.max(arrow.label.len());
            width = width.max((arrow.from_x + arrow.to_x + widest(&arrow.label)) / 2.0);
        }
        if end < figures.len() && !arrows[end - 1].branch {
            let from_x = figures[end - 1].x + figures[end - 1].full_width();
            let to_x = from_x + ARROW - 4.0;
            width = width.max(to_x);
            let (label, label_y) = (Vec::new(), below);
            leaving.push(Arrow { from_x, to_x, y: middle, branch: false, label, label_y });
        }
        top = below + lines as f64 * LINE + ROW_GAP;
    }
    arrows.extend(leaving);
    ((width + MARGIN).ceil(), (top - ROW_GAP + MARGIN).ceil())
}
