//! Horizontal bars with names before and numbers behind them.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::{Error, Result};
use crate::picture::{self, Picture, font};

const WIDTH: u32 = 560;
/// Of a bar with the space to the next.
const ROW: u32 = 26;
const TITLE: u32 = 44;
/// Left of the bars, for the names, where they are not longer.
const NAMES: u32 = 96;
/// For names of any length.
const MOST_NAMES: u32 = 2_000;
/// Right of the bars, for the numbers.
const MARGIN: u32 = 80;

/// One bar.
pub(crate) struct Bar<'a> {
    pub(crate) name: &'a str,
    /// 0 to 1; `None` for no bar.
    pub(crate) share: Option<f64>,
    /// The number behind it.
    pub(crate) label: String,
}

/// Draws `bars` one below the other, and a line through all of them at `line`, 0 to 1.
pub(crate) fn draw(title: &str, bars: &[Bar], line: Option<f64>, alt: String) -> Result<Picture> {
    let rows = bars.len() as u128 + 2;
    picture::check_size("classes", (WIDTH + MOST_NAMES).into(), rows * u128::from(ROW))?;
    font::register()?;
    let names = names_width(bars)?;
    let width = WIDTH + names - NAMES;
    let height = TITLE + ROW * bars.len() as u32 + 12;
    let mut rgb = vec![255; 3 * width as usize * height as usize];
    {
        let area = font::Canvas::new(&mut rgb, (width, height))?.into_drawing_area();
        let layout = Layout { width, names };
        layout.draw(&area, title, bars, line).map_err(|error| failed(&error))?;
    }
    Picture::from_rgb(width, height, &rgb, alt)
}

/// `83.4 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Room for the longest name.
fn names_width(bars: &[Bar]) -> Result<u32> {
    let style = TextStyle::from((font::FAMILY, 14));
    let mut names = NAMES;
    for bar in bars {
        let (width, _) = style.font.box_size(bar.name).map_err(|error| failed(&error))?;
        names = names.max(width + 16);
    }
    Ok(names.min(MOST_NAMES))
}

struct Layout {
    width: u32,
    names: u32,
}

impl Layout {
    fn x(&self, share: f64) -> i32 {
        let room = f64::from(self.width - self.names - MARGIN);
        (f64::from(self.names) + share * room).round() as i32
    }

    fn draw(
        &self,
        area: &DrawingArea<font::Canvas<'_>, Shift>,
        title: &str,
        bars: &[Bar],
        line: Option<f64>,
    ) -> std::result::Result<(), Box<dyn std::error::Error>> {
        let text = |size: u32, horizontal| {
            TextStyle::from((font::FAMILY, size)).pos(Pos::new(horizontal, VPos::Center))
        };
        area.draw_text(title, &text(18, HPos::Left), (12, TITLE as i32 / 2))?;
        for (row, bar) in bars.iter().enumerate() {
            let top = (TITLE + ROW * row as u32) as i32;
            let middle = top + ROW as i32 / 2;
            let track = |end, colour: RGBColor| {
                let corners = [(self.x(0.0), top + 3), (end, top + ROW as i32 - 4)];
                Rectangle::new(corners, colour.filled())
            };
            area.draw(&track(self.x(1.0), RGBColor(236, 236, 236)))?;
            area.draw_text(bar.name, &text(14, HPos::Right), (self.names as i32 - 8, middle))?;
            if let Some(share) = bar.share {
                area.draw(&track(self.x(share), RGBColor(0, 114, 178)))?;
            }
            area.draw_text(&bar.label, &text(14, HPos::Right), (self.width as i32 - 8, middle))?;
        }
        if let Some(line) = line {
            let (x, bottom) = (self.x(line), TITLE + ROW * bars.len() as u32);
            let ends = [(x, TITLE as i32), (x, bottom as i32)];
            area.draw(&PathElement::new(ends, RGBColor(213, 94, 0).stroke_width(2)))?;
        }
        area.present()?;
        Ok(())
    }
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Draw { what: "bars", reason: error.to_string() }
}
