//! What a line chart says in words.

use super::{Axis, LossPlotOptions, Series, decimals, tick};

pub(super) fn alt(series: &[Series], options: &LossPlotOptions) -> String {
    let has = |axis: Axis| series.iter().any(|line| line.axis == axis);
    let axes: Vec<&str> =
        [(Axis::Value, &options.y_label), (Axis::Accuracy, &options.accuracy_label)]
            .into_iter()
            .filter(|(axis, _)| has(*axis))
            .map(|(_, label)| label.as_str())
            .collect();
    let mut text = format!("{}: {} over {}.", options.title, axes.join(" and "), options.x_label);
    for line in series {
        text += &told(line);
    }
    text
}

/// A sentence on a line, with the value that matters most: the least loss, the greatest accuracy.
fn told(line: &Series) -> String {
    let (sign, best, number): (f64, &str, fn(f64) -> String) = match line.axis {
        Axis::Value => (1.0, "least", decimals),
        Axis::Accuracy => (-1.0, "greatest", |value| format!("{:.1} %", 100.0 * value)),
    };
    let first = line.points[0];
    let last = line.points[line.points.len() - 1];
    let better = |best: (f64, f64), point: &(f64, f64)| {
        if sign * point.1 < sign * best.1 { *point } else { best }
    };
    let most = line.points.iter().fold(first, better);
    let count = match line.points.len() {
        1 => "1 point".to_owned(),
        many => format!("{many} points"),
    };
    format!(
        " {} has {}, from {} at {} to {} at {}; its {best} value is {} at {}.",
        line.name,
        count,
        number(first.1),
        tick(first.0),
        number(last.1),
        tick(last.0),
        number(most.1),
        tick(most.0)
    )
}
