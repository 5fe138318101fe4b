//! The confusion matrix as a heat map.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Evaluation;
use crate::error::{Error, Result};
use crate::picture::font;
use crate::picture::{self, Picture};

/// Side of a cell.
const CELL: u32 = 48;
/// Left of the cells, for the names of the rows.
const NAMES: u32 = 112;
/// Above the cells, for the title and the names of the columns.
const TOP: u32 = 84;
const BOTTOM: u32 = 16;
/// Right of the cells, for the scale.
const SCALE: u32 = 112;

impl Evaluation {
    /// The confusion matrix: a row for each class that the images have, a column for each that the
    /// net took them for, with the count in each cell. A cell is the darker the larger its share
    /// of its row; a scale shows the shades.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for an evaluation without images or with other counts than one for each pair
    /// of classes, [`Error::Draw`] where drawing fails.
    pub fn confusion_heatmap(&self) -> Result<Picture> {
        self.check()?;
        let side = (self.classes.len() as u128 + 4) * u128::from(CELL);
        picture::check_size("classes", side, side)?;
        let side = CELL * self.classes.len() as u32;
        let (width, height) = (NAMES + side + SCALE, TOP + side + BOTTOM);
        let mut rgb = vec![255; 3 * width as usize * height as usize];
        {
            let area = font::Canvas::new(&mut rgb, (width, height))?.into_drawing_area();
            draw(&area, self)
                .map_err(|error| Error::Draw { what: "heat map", reason: error.to_string() })?;
        }
        Picture::from_rgb(width, height, &rgb, alt(self))
    }
}

type Area<'a> = DrawingArea<font::Canvas<'a>, Shift>;
type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

fn draw(area: &Area, evaluation: &Evaluation) -> Drawn {
    let side = (CELL * evaluation.classes.len() as u32) as i32;
    let heading = text(16, HPos::Center, BLACK);
    area.draw_text("taken for", &heading, (NAMES as i32 + side / 2, 20))?;
    area.draw_text("is", &heading, (20, TOP as i32 + side / 2))?;
    for (index, name) in evaluation.classes.iter().enumerate() {
        let middle = (CELL * index as u32 + CELL / 2) as i32;
        let row = (NAMES as i32 - 8, TOP as i32 + middle);
        area.draw_text(name, &text(14, HPos::Right, BLACK), row)?;
        // Two heights, so that long names beside each other have room.
        let column = (NAMES as i32 + middle, if index % 2 == 0 { 68 } else { 50 });
        area.draw_text(name, &text(14, HPos::Center, BLACK), column)?;
    }
    for (label, row) in evaluation.confusion.iter().enumerate() {
        let total: u64 = row.iter().sum();
        for (predicted, count) in row.iter().enumerate() {
            let share = *count as f64 / total.max(1) as f64;
            draw_cell(area, label, predicted, share, *count)?;
        }
    }
    draw_scale(area, side)?;
    area.present()?;
    Ok(())
}

fn draw_cell(area: &Area, label: usize, predicted: usize, share: f64, count: u64) -> Drawn {
    let left = (NAMES + CELL * predicted as u32) as i32;
    let top = (TOP + CELL * label as u32) as i32;
    let cell = [(left, top), (left + CELL as i32 - 2, top + CELL as i32 - 2)];
    area.draw(&Rectangle::new(cell, shade(share).filled()))?;
    let ink = if share > 0.5 { WHITE } else { BLACK };
    let middle = (left + CELL as i32 / 2 - 1, top + CELL as i32 / 2 - 1);
    // Counts of more than four digits are made to fit.
    let size = if count < 10_000 { 14 } else { 11 };
    area.draw_text(&count.to_string(), &text(size, HPos::Center, ink), middle)?;
    Ok(())
}

fn draw_scale(area: &Area, side: i32) -> Drawn {
    let (left, top) = (NAMES as i32 + side + 22, TOP as i32);
    for y in 0..side {
        let share = 1.0 - f64::from(y) / f64::from((side - 1).max(1));
        let line = [(left, top + y), (left + 18, top + y)];
        area.draw(&PathElement::new(line, shade(share)))?;
    }
    for quarter in 0..=4 {
        let y = top + (f64::from(side - 1) * (1.0 - f64::from(quarter) / 4.0)).round() as i32;
        area.draw(&PathElement::new([(left + 18, y), (left + 22, y)], BLACK))?;
        let label = format!("{} %", quarter * 25);
        area.draw_text(&label, &text(13, HPos::Left, BLACK), (left + 26, y))?;
    }
    let caption = text(13, HPos::Left, BLACK);
    area.draw_text("of the row", &caption, (left, top - 22))?;
    Ok(())
}

fn text(size: u32, horizontal: HPos, colour: RGBColor) -> TextStyle<'static> {
    (font::FAMILY, size).into_font().color(&colour).pos(Pos::new(horizontal, VPos::Center))
}

/// From white (0) to dark blue (1), evenly.
fn shade(share: f64) -> RGBColor {
    let between = |light: f64, dark: f64| (light + (dark - light) * share).round() as u8;
    RGBColor(between(247.0, 8.0), between(251.0, 64.0), between(255.0, 129.0))
}

/// How often each class was recognised, and what it was most often taken for instead.
fn alt(evaluation: &Evaluation) -> String {
    let mut text = format!(
        "Confusion matrix of {} images in {} classes.",
        evaluation.total(),
        evaluation.classes.len()
    );
    for (label, (name, row)) in evaluation.classes.iter().zip(&evaluation.confusion).enumerate() {
        let total: u64 = row.iter().sum();
        text += &format!(" {name}: {} of {total} right", row[label]);
        let others = row.iter().enumerate().filter(|(other, count)| *other != label && **count > 0);
        // The first of the largest.
        let most = others.rev().max_by_key(|(_, count)| **count);
        if let Some((other, count)) = most {
            text += &format!(", most often taken for {} ({count})", evaluation.classes[other]);
        }
        text += ".";
    }
    text
}
