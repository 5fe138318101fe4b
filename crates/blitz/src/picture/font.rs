//! The font of all labels: DejaVu Sans from the `dejavu` crate, never a font of the system, so
//! that a picture has the same bytes on every machine.

use ab_glyph::{Font, FontRef, ScaleFont, point};
use plotters::backend::BitMapBackend;
use plotters::style::{FontStyle, register_font};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

use crate::error::{Error, Result};

/// The family name that plotters falls back to, taken over by DejaVu Sans.
pub(crate) const FAMILY: &str = "sans-serif";

/// A bitmap of plotters whose letters sit where the font says.
///
/// plotters' own drawing of `ab_glyph` letters drops the space before each letter and rounds every
/// height by itself, which tears words apart.
pub(crate) struct Canvas<'a> {
    bitmap: BitMapBackend<'a>,
    font: FontRef<'static>,
}

impl<'a> Canvas<'a> {
    /// A canvas over `width * height` pixels of RGB.
    pub(crate) fn new(rgb: &'a mut [u8], size: (u32, u32)) -> Result<Canvas<'a>> {
        register()?;
        let font = FontRef::try_from_slice(dejavu::sans::regular()).map_err(|_| unparsed())?;
        Ok(Canvas { bitmap: BitMapBackend::with_buffer(rgb, size), font })
    }
}

/// Hands the font to plotters, which measures texts with it. Each picture does so anew, because
/// every notebook cell carries its own copy of plotters and its table of fonts.
pub(crate) fn register() -> Result<()> {
    let bytes = dejavu::sans::regular();
    register_font(FAMILY, FontStyle::Normal, bytes).map_err(|_| unparsed())
}

fn unparsed() -> Error {
    let reason = "the bundled font DejaVu Sans could not be parsed".to_owned();
    Error::Draw { what: "labels", reason }
}

/// Width of `text` in an SVG picture, in whole pixels, in letters of `size` pixels. The fonts that
/// stand in for DejaVu Sans there are as wide (Verdana) or narrower.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let font = FontRef::try_from_slice(dejavu::sans::regular()).expect("the font is bundled");
    let em = font.units_per_em().unwrap_or(2048.0);
    let units: f32 = text.chars().map(|c| font.h_advance_unscaled(font.glyph_id(c))).sum();
    (f64::from(units / em) * size).ceil()
}

type Drawn<'a> =
    std::result::Result<(), DrawingErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>>;

impl<'a> DrawingBackend for Canvas<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.bitmap.get_size()
    }

    fn ensure_prepared(&mut self) -> Drawn<'a> {
        self.bitmap.ensure_prepared()
    }

    fn present(&mut self) -> Drawn<'a> {
        self.bitmap.present()
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn<'a> {
        self.bitmap.draw_pixel(point, color)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn<'a> {
        self.bitmap.draw_line(from, to, style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn<'a> {
        self.bitmap.draw_rect(upper_left, bottom_right, style, fill)
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        at: BackendCoord,
    ) -> Drawn<'a> {
        let (width, height) = self.estimate_text_size(text, style)?;
        let left = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => -(width as i32) / 2,
            HPos::Right => -(width as i32),
        };
        let top = match style.anchor().v_pos {
            VPos::Top => 0,
            VPos::Center => -(height as i32) / 2,
            VPos::Bottom => -(height as i32),
        };
        // The box that plotters measures reaches from the tallest letter to the deepest.
        let baseline = top + (style.size() * 0.64).round() as i32;
        let (columns, rows) = self.get_size();
        for (x, y, coverage) in inked(&self.font, style.size() as f32, text) {
            let (x, y) = style.transform().transform(left + x, baseline + y);
            let (x, y) = (at.0 + x, at.1 + y);
            if (0..columns as i32).contains(&x) && (0..rows as i32).contains(&y) {
                let color = style.color();
                let alpha = color.alpha * f64::from(coverage);
                self.bitmap.draw_pixel((x, y), BackendColor { alpha, ..color })?;
            }
        }
        Ok(())
    }
}

/// The pixels that `text` covers, with how much of each, from the start of its baseline.
fn inked(font: &FontRef, size: f32, text: &str) -> Vec<(i32, i32, f32)> {
    let font = font.as_scaled(size);
    let mut pixels = Vec::new();
    let mut pen = 0.0;
    let mut previous = None;
    for letter in text.chars() {
        let id = font.glyph_id(letter);
        pen += previous.map_or(0.0, |previous| font.kern(previous, id));
        previous = Some(id);
        let glyph = id.with_scale_and_position(size, point(pen, 0.0));
        pen += font.h_advance(id);
        // A space has no outline.
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        outline.draw(|x, y, coverage| {
            pixels.push((corner.x as i32 + x as i32, corner.y as i32 + y as i32, coverage));
        });
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last column, first and last row of the clearly inked pixels.
    fn bounds(text: &str, size: f32) -> [i32; 4] {
        let font = FontRef::try_from_slice(dejavu::sans::regular()).unwrap();
        let pixels = inked(&font, size, text).into_iter().filter(|(.., coverage)| *coverage > 0.4);
        pixels.fold(
            [i32::MAX, i32::MIN, i32::MAX, i32::MIN],
            |[left, right, top, bottom], (x, y, _)| {
                [left.min(x), right.max(x), top.min(y), bottom.max(y)]
            },
        )
    }

    #[test]
    fn letters_stand_on_one_baseline_at_every_size() {
        for size in [12.0, 13.0, 14.0, 17.0] {
            for text in ["l", ".", "1", "l.1"] {
                assert_eq!(bounds(text, size)[3], -1, "{text} at {size}");
            }
        }
    }

    #[test]
    fn the_space_before_a_letter_is_kept() {
        assert!(bounds("l", 28.0)[0] >= 2);
        let [_, first_ends, ..] = bounds("l", 28.0);
        let [_, second_ends, ..] = bounds("ll", 28.0);
        // The advance of l is 0.278 em, an em being 28 / 1.164 pixels.
        assert!((6..=7).contains(&(second_ends - first_ends)), "{first_ends} {second_ends}");
    }
}
