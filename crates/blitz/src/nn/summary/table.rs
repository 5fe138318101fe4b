//! A summary as a table.

use super::row::Summary;
use crate::display::table::{Table, thousands};

const HEADINGS: [&str; 4] = ["Layer", "Type", "Output shape", "Parameters"];

pub(super) fn table(summary: &Summary) -> Table<'static, 4> {
    Table { headings: HEADINGS, numbers: 1, rows: cells(summary), lines: totals(summary) }
}

fn cells(summary: &Summary) -> Vec<[String; 4]> {
    let input = format!("{:?}", summary.input);
    let mut cells = vec![["input".to_owned(), String::new(), input, String::new()]];
    for row in &summary.rows {
        let parameters = match row.parameters {
            0 if row.name.is_empty() => String::new(),
            0 => "(counted above)".to_owned(),
            count => thousands(count),
        };
        let output = format!("{:?}", row.output);
        cells.push([row.name.clone(), row.kind.clone(), output, parameters]);
    }
    cells
}

fn totals(summary: &Summary) -> Vec<String> {
    let Summary { parameters, trainable, bytes, unused, .. } = summary;
    let frozen = parameters - trainable;
    let mut lines = vec![format!(
        "{} parameters, {} trainable, {} frozen; {:.2} MB",
        thousands(*parameters),
        thousands(*trainable),
        thousands(frozen),
        *bytes as f64 / 1e6
    )];
    if !unused.is_empty() {
        lines.push(format!("Not used in this forward pass: {}", unused.join(", ")));
    }
    lines
}
