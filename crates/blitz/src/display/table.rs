//! Tables as text and as HTML.

use super::escape;

/// Columns of text are not made wider than this for a single long cell.
const WIDEST: usize = 60;

/// Rows below headings, and lines below the rows.
pub(crate) struct Table<'a, const COLUMNS: usize> {
    pub(crate) headings: [&'a str; COLUMNS],
    /// How many columns, the last ones, hold numbers, which stand at the right.
    pub(crate) numbers: usize,
    pub(crate) rows: Vec<[String; COLUMNS]>,
    pub(crate) lines: Vec<String>,
}

impl<const COLUMNS: usize> Table<'_, COLUMNS> {
    /// Aligned.
    pub(crate) fn text(&self) -> String {
        let headings = self.headings.map(str::to_owned);
        let width = |column: usize| {
            let rows = std::iter::once(&headings).chain(&self.rows);
            let widest = rows.map(|row| row[column].chars().count()).max().unwrap_or(0);
            widest.min(WIDEST)
        };
        let widths: [usize; COLUMNS] = std::array::from_fn(width);
        let rule = "-".repeat(widths.iter().sum::<usize>() + 2 * COLUMNS.saturating_sub(1));
        let mut text = self.row(&headings, &widths) + &rule + "\n";
        for row in &self.rows {
            text += &self.row(row, &widths);
        }
        text += &format!("{rule}\n");
        for line in &self.lines {
            text += &format!("{line}\n");
        }
        text
    }

    fn row(&self, cells: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
        let cells = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| match self
            .is_number(column)
        {
            true => format!("{cell:>width$}"),
            false => format!("{cell:width$}"),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    }

    /// That screen readers can walk through.
    pub(crate) fn html(&self) -> String {
        let style = |column: usize| match self.is_number(column) {
            true => " style=\"text-align: right\"",
            false => " style=\"text-align: left\"",
        };
        let mut html = "<table><thead><tr>".to_owned();
        for (column, heading) in self.headings.iter().enumerate() {
            html += &format!("<th scope=\"col\"{}>{heading}</th>", style(column));
        }
        html += "</tr></thead><tbody>";
        for row in &self.rows {
            html += "<tr>";
            for (column, cell) in row.iter().enumerate() {
                let (style, cell) = (style(column), escape(cell));
                html += &match column {
                    // A row without a name has no heading.
                    0 if !cell.is_empty() => format!("<th scope=\"row\"{style}>{cell}</th>"),
                    _ => format!("<td{style}>{cell}</td>"),
                };
            }
            html += "</tr>";
        }
        html += "</tbody></table>";
        for line in &self.lines {
            html += &format!("<div>{}</div>", escape(line));
        }
        html
    }

    fn is_number(&self, column: usize) -> bool {
        column + self.numbers >= COLUMNS
    }
}

/// `61706` as `61,706`.
pub(crate) fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).expect("digits are ASCII"))
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_threes() {
        let got = [0, 999, 1000, 61706, 1234567].map(thousands);
        assert_eq!(got, ["0", "999", "1,000", "61,706", "1,234,567"]);
    }

    #[test]
    fn numbers_stand_at_the_right_and_a_long_cell_makes_no_other_row_long() {
        let row = |name: &str, number: &str| [name.to_owned(), number.to_owned()];
        let rows = vec![row("fc", "1,000"), row(&"x".repeat(500), "7")];
        let lines = vec!["a < b".to_owned()];
        let table = Table { headings: ["Name", "Numbers"], numbers: 1, rows, lines };
        let text = table.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], format!("{:60}  Numbers", "Name"));
        assert_eq!(lines[1], "-".repeat(69));
        assert_eq!(lines[2], format!("{:60}    1,000", "fc"));
        assert_eq!(lines[5], "a < b");
        let html = table.html();
        assert!(html.contains("<td style=\"text-align: right\">1,000</td>"), "{html}");
        assert!(html.ends_with("<div>a &lt; b</div>"), "{html}");
    }
}
