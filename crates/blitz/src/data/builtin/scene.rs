//! One picture of a drawing: where it stands, how large, in which colours, and before what.

use super::drawing::{Paint, Scene, Shape, parts};
use crate::tensor::random::PyTorchGenerator;

/// Side of a picture of the built-in set.
pub(crate) const SIDE: i64 = 32;
/// Units of a drawing to a pixel of it.
pub(crate) const UNITS: i64 = 8;

/// All that is random about a picture, but for its noise.
pub(crate) struct View {
    label: usize,
    background: Background,
    placement: Placement,
    palette: Palette,
}

impl View {
    pub(crate) fn random(label: usize, random: &mut PyTorchGenerator) -> View {
        let background = Background::random(label, random);
        let placement = Placement::random(random);
        let palette = Palette::random(random);
        View { label, background, placement, palette }
    }

    /// The colour at a point, in units from the left top corner of the square in which the drawing
    /// lies; the background goes on outside.
    pub(crate) fn colour(&self, x: i64, y: i64) -> [i64; 3] {
        let mut colour = self.background.colour(x.div_euclid(UNITS), y.div_euclid(UNITS));
        let (u, v) = self.placement.to_drawing(x, y);
        for (shape, paint) in parts(self.label) {
            if shape.contains(u, v) {
                colour = self.palette.colour(*paint);
            }
        }
        colour
    }
}

/// A pixel of that colour, with noise: the low three bytes of one draw.
pub(crate) fn noisy(colour: [i64; 3], random: &mut PyTorchGenerator) -> [u8; 3] {
    let noise = random.random().to_le_bytes();
    let value = |channel: usize| colour[channel] + (i64::from(noise[channel]) - 128) / 4;
    [0, 1, 2].map(|channel| value(channel).clamp(0, 255) as u8)
}

/// A whole number from `low` to `high`, both included.
pub(crate) fn between(random: &mut PyTorchGenerator, low: i64, high: i64) -> i64 {
    low + i64::from(random.random()) % (high - low + 1)
}

fn varied(colour: [i64; 3], by: i64, random: &mut PyTorchGenerator) -> [i64; 3] {
    colour.map(|value| (value + between(random, -by, by)).clamp(0, 255))
}

/// Two colours, a horizon and three blots.
struct Background {
    above: [i64; 3],
    below: [i64; 3],
    horizon: i64,
    blots: [(Shape, [i64; 3]); 3],
}

impl Background {
    fn random(label: usize, random: &mut PyTorchGenerator) -> Background {
        let scene = match random.random() % 2 {
            0 => Scene::of(label),
            _ => Scene::ALL[random.random() as usize % Scene::ALL.len()],
        };
        let [above, below] = scene.colours();
        let above = varied(above, 25, random);
        let below = varied(below, 25, random);
        let horizon = between(random, 14, 24);
        let blots = std::array::from_fn(|_| {
            let (x, y) = (between(random, 0, SIDE), between(random, 0, SIDE));
            let (width, height) = (between(random, 2, 6), between(random, 2, 6));
            let shape = match random.random() % 2 {
                0 => Shape::Ellipse(x, y, width, height),
                _ => Shape::Rect(x - width, y - height, x + width, y + height),
            };
            let near = if y < horizon { above } else { below };
            (shape, varied(near, 35, random))
        });
        Background { above, below, horizon, blots }
    }

    fn colour(&self, x: i64, y: i64) -> [i64; 3] {
        let blot = self.blots.iter().rev().find(|(shape, _)| shape.contains(x, y));
        match blot {
            Some((_, colour)) => *colour,
            None if y < self.horizon => self.above,
            None => self.below,
        }
    }
}

/// Place, size, slant and direction of the drawing.
struct Placement {
    x: i64,
    y: i64,
    /// Size in 64ths.
    scale: i64,
    /// Shift to the side per unit of height, in 64ths.
    slant: i64,
    /// 1, or -1 for a drawing that looks the other way.
    direction: i64,
}

impl Placement {
    fn random(random: &mut PyTorchGenerator) -> Placement {
        let middle = SIDE * UNITS / 2;
        Placement {
            x: middle + between(random, -32, 32),
            y: middle + between(random, -28, 28),
            scale: between(random, 50, 72),
            slant: between(random, -10, 10),
            direction: between(random, 0, 1) * 2 - 1,
        }
    }

    /// A point of the picture, in units, on the drawing's own square.
    fn to_drawing(&self, x: i64, y: i64) -> (i64, i64) {
        let v = (y - self.y) * 64 / self.scale;
        let u = (x - self.x) * 64 / self.scale;
        (u * self.direction + v * self.slant / 64, v)
    }
}

/// The colours of the drawing.
struct Palette {
    body: [i64; 3],
    detail: [i64; 3],
    dark: [i64; 3],
}

impl Palette {
    /// Random colours, all of them lighter than the backgrounds but for the dark one.
    fn random(random: &mut PyTorchGenerator) -> Palette {
        let body = varied([195, 195, 195], 60, random);
        let detail = varied([175, 175, 175], 75, random);
        Palette { body, detail, dark: varied([18, 18, 20], 15, random) }
    }

    fn colour(&self, paint: Paint) -> [i64; 3] {
        match paint {
            Paint::Body => self.body,
            Paint::Detail => self.detail,
            Paint::Dark => self.dark,
        }
    }
}
