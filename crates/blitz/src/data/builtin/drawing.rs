//! The ten drawings of the built-in data set, and the shapes they are made of.
//!
//! Everything is integer arithmetic, so that a picture has the same bytes on every machine.
//! A drawing lives on a square from -128 to 128, x to the right and y down, 8 units to a pixel.

/// What a part of a drawing is painted with.
#[derive(Clone, Copy)]
pub(crate) enum Paint {
    /// The main colour of this picture.
    Body,
    /// Its second colour.
    Detail,
    /// Nearly black: wheels, eyes, noses.
    Dark,
}

/// A filled region.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// From the left top corner to the right bottom one.
    Rect(i64, i64, i64, i64),
    /// Centre x and y, then half the width and half the height.
    Ellipse(i64, i64, i64, i64),
    /// Three corners.
    Triangle([(i64, i64); 3]),
    /// A line between two points, with half its thickness; its ends are round.
    Stroke((i64, i64), (i64, i64), i64),
}

/// A shape and its paint; later parts cover earlier ones.
pub(crate) type Part = (Shape, Paint);

/// Where things of a class are usually seen.
#[derive(Clone, Copy)]
pub(crate) enum Scene {
    Sky,
    Sea,
    Road,
    Room,
    Grass,
}

impl Scene {
    pub(crate) const ALL: [Scene; 5] =
        [Scene::Sky, Scene::Sea, Scene::Road, Scene::Room, Scene::Grass];

    /// The usual scene of a class, by label.
    pub(crate) fn of(label: usize) -> Scene {
        match label {
            0 | 2 => Scene::Sky,
            8 => Scene::Sea,
            1 | 9 => Scene::Road,
            3 | 5 => Scene::Room,
            _ => Scene::Grass,
        }
    }

    /// RGB above and below the horizon.
    pub(crate) fn colours(self) -> [[i64; 3]; 2] {
        match self {
            Scene::Sky => [[50, 95, 150], [75, 115, 160]],
            Scene::Sea => [[70, 100, 130], [20, 45, 90]],
            Scene::Road => [[90, 90, 88], [55, 55, 60]],
            Scene::Room => [[110, 80, 55], [75, 50, 35]],
            Scene::Grass => [[70, 95, 70], [40, 75, 30]],
        }
    }
}

impl Shape {
    /// Whether the point lies in the shape.
    pub(crate) fn contains(self, x: i64, y: i64) -> bool {
        match self {
            Shape::Rect(left, top, right, bottom) => {
                (left..=right).contains(&x) && (top..=bottom).contains(&y)
            }
            Shape::Ellipse(cx, cy, rx, ry) => {
                let (dx, dy) = ((x - cx) * ry, (y - cy) * rx);
                dx * dx + dy * dy <= rx * rx * ry * ry
            }
            Shape::Triangle([a, b, c]) => {
                // The point is on the same side of all three edges.
                let side = |p: (i64, i64), q: (i64, i64)| {
                    (q.0 - p.0) * (y - p.1) - (q.1 - p.1) * (x - p.0)
                };
                let sides = [side(a, b), side(b, c), side(c, a)];
                sides.iter().all(|side| *side >= 0) || sides.iter().all(|side| *side <= 0)
            }
            Shape::Stroke(a, b, half) => {
                // The squared distance to the nearest point of the line, times the squared
                // length twice, so that no division is needed.
                let (dx, dy) = (b.0 - a.0, b.1 - a.1);
                let (px, py) = (x - a.0, y - a.1);
                let length = dx * dx + dy * dy;
                let along = (px * dx + py * dy).clamp(0, length);
                let (ex, ey) = (px * length - dx * along, py * length - dy * along);
                ex * ex + ey * ey <= half * half * length * length
            }
        }
    }
}

/// The parts of the drawing of a class, by label 0 to 9.
pub(crate) fn parts(label: usize) -> &'static [Part] {
    use Paint::{Body, Dark, Detail};
    use Shape::{Ellipse, Rect, Stroke, Triangle};
    const DRAWINGS: [&[Part]; 10] = [
        // airplane: fuselage, wings, tail
        &[
            (Stroke((-92, 0), (96, 0), 14), Body),
            (Stroke((12, -84), (12, 84), 12), Body),
            (Stroke((-80, -36), (-80, 36), 9), Detail),
        ],
        // automobile: a low box with a cabin on two wheels
        &[
            (Rect(-98, -10, 98, 44), Body),
            (Rect(-52, -52, 52, -10), Body),
            (Rect(-36, -40, 36, -14), Detail),
            (Ellipse(-54, 48, 25, 25), Dark),
            (Ellipse(54, 48, 25, 25), Dark),
        ],
        // bird: spread wings
        &[
            (Stroke((-92, -48), (0, 18), 12), Body),
            (Stroke((92, -48), (0, 18), 12), Body),
            (Ellipse(0, 24, 20, 16), Detail),
        ],
        // cat: a head with pointed ears
        &[
            (Triangle([(-62, 0), (-14, -36), (-58, -98)]), Detail),
            (Triangle([(62, 0), (14, -36), (58, -98)]), Detail),
            (Ellipse(0, 22, 66, 60), Body),
            (Ellipse(-25, 8, 9, 14), Dark),
            (Ellipse(25, 8, 9, 14), Dark),
        ],
        // deer: slim legs and antlers
        &[
            (Ellipse(-16, 28, 62, 25), Body),
            (Stroke((-60, 36), (-64, 108), 6), Body),
            (Stroke((-38, 40), (-36, 108), 6), Body),
            (Stroke((10, 40), (8, 108), 6), Body),
            (Stroke((34, 36), (38, 108), 6), Body),
            (Stroke((40, 20), (60, -30), 12), Body),
            (Stroke((60, -32), (32, -104), 5), Detail),
            (Stroke((60, -32), (96, -104), 5), Detail),
            (Stroke((45, -70), (16, -76), 5), Detail),
            (Stroke((78, -70), (110, -72), 5), Detail),
        ],
        // dog: a head with hanging ears
        &[
            (Ellipse(0, 4, 54, 68), Body),
            (Ellipse(-64, 16, 21, 62), Detail),
            (Ellipse(64, 16, 21, 62), Detail),
            (Ellipse(0, 34, 20, 14), Dark),
            (Ellipse(-20, -14, 8, 8), Dark),
            (Ellipse(20, -14, 8, 8), Dark),
        ],
        // frog: wide, with eyes on top
        &[
            (Ellipse(0, 32, 102, 50), Body),
            (Ellipse(-50, -24, 28, 28), Body),
            (Ellipse(50, -24, 28, 28), Body),
            (Ellipse(-50, -28, 12, 12), Dark),
            (Ellipse(50, -28, 12, 12), Dark),
            (Stroke((-58, 40), (58, 40), 6), Detail),
        ],
        // horse: a long body, neck and tail
        &[
            (Ellipse(-12, 12, 78, 34), Body),
            (Stroke((-70, 24), (-76, 108), 9), Body),
            (Stroke((-42, 30), (-40, 108), 9), Body),
            (Stroke((22, 30), (20, 108), 9), Body),
            (Stroke((48, 24), (54, 108), 9), Body),
            (Stroke((52, 0), (80, -72), 18), Body),
            (Stroke((80, -74), (114, -52), 13), Body),
            (Stroke((-86, 2), (-112, 66), 8), Detail),
        ],
        // ship: a hull, a cabin, a mast
        &[
            (Stroke((4, 10), (4, -96), 6), Dark),
            (Rect(-40, -36, 44, 10), Detail),
            (Rect(-72, 10, 72, 56), Body),
            (Triangle([(-116, 10), (-72, 10), (-72, 56)]), Body),
            (Triangle([(116, 10), (72, 10), (72, 56)]), Body),
        ],
        // truck: a tall box and a cab on three wheels
        &[
            (Rect(-106, -74, 34, 40), Body),
            (Rect(38, -30, 104, 40), Detail),
            (Ellipse(-76, 46, 21, 21), Dark),
            (Ellipse(-24, 46, 21, 21), Dark),
            (Ellipse(72, 46, 21, 21), Dark),
        ],
    ];
    DRAWINGS[label]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_hold_their_inside_and_nothing_else() {
        let cases = [
            (Shape::Rect(-10, 0, 30, 5), (30, 5), (31, 5)),
            (Shape::Ellipse(5, 0, 20, 10), (25, 0), (20, 9)),
            (Shape::Triangle([(0, 0), (10, 0), (0, 20)]), (5, 10), (6, 10)),
            (Shape::Stroke((0, 0), (30, 40), 5), (19, 17), (20, 17)),
            (Shape::Stroke((0, 0), (30, 0), 5), (35, 0), (34, 4)),
        ];
        for (index, (shape, inside, outside)) in cases.into_iter().enumerate() {
            assert!(shape.contains(inside.0, inside.1), "case {index}");
            assert!(!shape.contains(outside.0, outside.1), "case {index}");
        }
    }
}
