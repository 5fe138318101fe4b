//! Where a chart's legend hides least.

use plotters::prelude::SeriesLabelPosition;

/// A point of the plane that is drawn on: from (0, 0) at the lower left to (1, 1) at the upper right.
pub(super) type Place = (f64, f64);

/// The places for a legend, the usual ones first. Losses fall and accuracies rise, so that the middle of
/// a side is free more often than one would think.
const POSITIONS: [(SeriesLabelPosition, Place); 6] = [
    (SeriesLabelPosition::UpperRight, (1.0, 1.0)),
    (SeriesLabelPosition::UpperLeft, (0.0, 1.0)),
    (SeriesLabelPosition::MiddleRight, (1.0, 0.5)),
    (SeriesLabelPosition::LowerRight, (1.0, 0.0)),
    (SeriesLabelPosition::LowerLeft, (0.0, 0.0)),
    (SeriesLabelPosition::MiddleLeft, (0.0, 0.5)),
];
/// The distance of the places that are looked at along a line.
const STEP: f64 = 1.0 / 256.0;

/// The position at which a legend of `size` (width, height) covers least of `lines`; of equal ones the
/// first.
pub(super) fn freest(lines: &[Vec<Place>], size: Place) -> SeriesLabelPosition {
    let places: Vec<Place> = lines.iter().flat_map(|line| along(line)).collect();
    let covered = |corner: Place| {
        let left = corner.0 * (1.0 - size.0);
        let bottom = corner.1 * (1.0 - size.1);
        let is_hidden = |place: &Place| {
            (left..=left + size.0).contains(&place.0)
                && (bottom..=bottom + size.1).contains(&place.1)
        };
        places.iter().filter(|place| is_hidden(place)).count()
    };
    let best = POSITIONS.into_iter().min_by_key(|(_, corner)| covered(*corner));
    best.map_or(SeriesLabelPosition::UpperRight, |(position, _)| position)
}

/// Places along a line, as far from each other everywhere; of a line of very many points, the points.
fn along(line: &[Place]) -> impl Iterator<Item = Place> {
    const MANY: usize = 2_000;
    let most = if line.len() > MANY { 1 } else { u32::MAX };
    let between = line.windows(2).flat_map(move |ends| {
        let (from, to) = (ends[0], ends[1]);
        let (x, y) = (to.0 - from.0, to.1 - from.1);
        // Both are within the plane, so that this is at most a few hundred.
        let count = ((x.hypot(y) / STEP).ceil() as u32).min(most);
        (0..count).map(move |step| {
            let part = f64::from(step) / f64::from(count);
            (from.0 + part * x, from.1 + part * y)
        })
    });
    between.chain(line.last().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Place = (0.3, 0.2);

    fn chosen(lines: &[&[Place]]) -> SeriesLabelPosition {
        freest(&lines.iter().map(|line| line.to_vec()).collect::<Vec<_>>(), SIZE)
    }

    #[test]
    fn a_falling_line_leaves_the_usual_corner_free() {
        assert!(matches!(chosen(&[&[(0.0, 1.0), (1.0, 0.0)]]), SeriesLabelPosition::UpperRight));
    }

    #[test]
    fn what_rises_into_a_corner_is_not_covered() {
        let (falls, rises) = ([(0.0, 1.0), (1.0, 0.0)], [(0.0, 0.0), (1.0, 1.0)]);
        assert!(matches!(chosen(&[&falls, &rises]), SeriesLabelPosition::MiddleRight));
        let steep = [(0.5, 0.3), (1.0, 0.9)];
        let early = [(0.0, 1.0), (0.5, 0.1), (1.0, 0.0)];
        assert!(matches!(chosen(&[&early, &steep]), SeriesLabelPosition::LowerLeft));
    }

    #[test]
    fn a_line_between_far_points_counts_and_so_does_a_single_point() {
        // Neither end is below a legend at the upper right; what lies between is.
        let passes = [(0.6, 0.9), (1.0, 0.75)];
        assert!(matches!(chosen(&[&passes]), SeriesLabelPosition::UpperLeft));
        assert!(matches!(chosen(&[&[(0.9, 0.9)]]), SeriesLabelPosition::UpperLeft));
    }
}
