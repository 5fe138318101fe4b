//! A summary as text and as HTML.

use super::row::Summary;
use crate::display::escape;

const HEADINGS: [&str; 4] = ["Layer", "Type", "Output shape", "Parameters"];

/// An aligned table.
pub(super) fn text(summary: &Summary) -> String {
    let rows = cells(summary);
    let all = || std::iter::once(HEADINGS.map(str::to_owned)).chain(rows.iter().cloned());
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [a, b, c, d] = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for (index, [layer, kind, output, parameters]) in all().enumerate() {
        text += &format!("{layer:a$}  {kind:b$}  {output:c$}  {parameters:>d$}");
        text.truncate(text.trim_end().len());
        text += "\n";
        if index == 0 {
            text += &format!("{}\n", "-".repeat(a + b + c + d + 6));
        }
    }
    text += &format!("{}\n", "-".repeat(a + b + c + d + 6));
    for line in totals(summary) {
        text += &format!("{line}\n");
    }
    text
}

/// A table that screen readers can walk through.
pub(super) fn html(summary: &Summary) -> String {
    let left = " style=\"text-align: left\"";
    let right = " style=\"text-align: right\"";
    let mut html = "<table><thead><tr>".to_owned();
    for (column, heading) in HEADINGS.iter().enumerate() {
        let style = if column == 3 { right } else { left };
        html += &format!("<th scope=\"col\"{style}>{heading}</th>");
    }
    html += "</tr></thead><tbody>";
    for row in cells(summary) {
        let [layer, kind, output, parameters] = row.map(|cell| escape(&cell));
        html += &format!("<tr><th scope=\"row\"{left}>{layer}</th>");
        html += &format!("<td{left}>{kind}</td><td{left}>{output}</td>");
        html += &format!("<td{right}>{parameters}</td></tr>");
    }
    html += "</tbody></table>";
    for line in totals(summary) {
        html += &format!("<div>{}</div>", escape(&line));
    }
    html
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

/// `61706` as `61,706`.
fn thousands(count: usize) -> String {
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
    use super::thousands;

    #[test]
    fn digits_come_in_threes() {
        let got = [0, 999, 1000, 61706, 1234567].map(thousands);
        assert_eq!(got, ["0", "999", "1,000", "61,706", "1,234,567"]);
    }
}
