//! The accuracy for each class, as bars.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Evaluation;
use crate::error::{Error, Result};
use crate::picture::font;
use crate::picture::{self, Picture};

const WIDTH: u32 = 560;
/// Of a bar with the space to the next.
const ROW: u32 = 26;
const TITLE: u32 = 44;
/// Left of the bars, for the names.
const NAMES: u32 = 96;
/// Right of the bars, for the numbers.
const MARGIN: u32 = 80;

impl Evaluation {
    /// A bar for each class, as long as its accuracy, and a line at the accuracy over all classes.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for an evaluation without images or with other counts than one for each pair
    /// of classes, [`Error::Draw`] where drawing fails.
    pub fn accuracy_bars(&self) -> Result<Picture> {
        self.check()?;
        let rows = self.classes.len() as u128 + 2;
        picture::check_size("classes", WIDTH.into(), rows * u128::from(ROW))?;
        let height = TITLE + ROW * self.classes.len() as u32 + 12;
        let mut rgb = vec![255; 3 * WIDTH as usize * height as usize];
        {
            let area = font::Canvas::new(&mut rgb, (WIDTH, height))?.into_drawing_area();
            draw(&area, self)
                .map_err(|error| Error::Draw { what: "bars", reason: error.to_string() })?;
        }
        Picture::from_rgb(WIDTH, height, &rgb, alt(self))
    }
}

fn draw(
    area: &DrawingArea<font::Canvas<'_>, Shift>,
    evaluation: &Evaluation,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let text = |size: u32, horizontal| {
        TextStyle::from((font::FAMILY, size)).pos(Pos::new(horizontal, VPos::Center))
    };
    area.draw_text(&title(evaluation), &text(18, HPos::Left), (12, TITLE as i32 / 2))?;
    let x = |share: f64| {
        let room = f64::from(WIDTH - NAMES - MARGIN);
        (f64::from(NAMES) + share * room).round() as i32
    };
    for (class, name) in evaluation.classes.iter().enumerate() {
        let top = (TITLE + ROW * class as u32) as i32;
        let middle = top + ROW as i32 / 2;
        let track = |end, colour: RGBColor| {
            Rectangle::new([(x(0.0), top + 3), (end, top + ROW as i32 - 4)], colour.filled())
        };
        area.draw(&track(x(1.0), RGBColor(236, 236, 236)))?;
        area.draw_text(name, &text(14, HPos::Right), (NAMES as i32 - 8, middle))?;
        let label = match evaluation.class_accuracy(class) {
            Some(accuracy) => {
                area.draw(&track(x(accuracy), RGBColor(0, 114, 178)))?;
                percent(accuracy)
            }
            None => "no image".to_owned(),
        };
        area.draw_text(&label, &text(14, HPos::Right), (WIDTH as i32 - 8, middle))?;
    }
    let (mean, bottom) = (x(evaluation.accuracy()), TITLE + ROW * evaluation.classes.len() as u32);
    let line = [(mean, TITLE as i32), (mean, bottom as i32)];
    area.draw(&PathElement::new(line, RGBColor(213, 94, 0).stroke_width(2)))?;
    area.present()?;
    Ok(())
}

fn title(evaluation: &Evaluation) -> String {
    let (accuracy, total) = (percent(evaluation.accuracy()), evaluation.total());
    format!("Accuracy by class; the line is all {total} images: {accuracy}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn alt(evaluation: &Evaluation) -> String {
    let bar = |(class, name): (usize, &String)| match evaluation.class_accuracy(class) {
        Some(accuracy) => format!("{name} {}", percent(accuracy)),
        None => format!("{name} without an image"),
    };
    let bars: Vec<String> = evaluation.classes.iter().enumerate().map(bar).collect();
    format!("{}. {}.", title(evaluation), bars.join(", "))
}
