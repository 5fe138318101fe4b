//! The line of a cell that failed, as tracebacks show it.

use super::cell_error::Line;
use crate::syntax::line_at;
use std::ops::Range;

const BLUE: &str = "\x1b[34m";
const PLAIN: &str = "\x1b[0m";

/// A line of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The cell's execution count.
    pub cell: usize,
    /// The line, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
}

impl Place {
    /// The place of the bytes `range` of `code`, the code of the cell, with what stands there.
    pub fn of_range(cell: usize, code: &str, range: Range<usize>) -> (Place, Range<usize>) {
        let (line, start) = line_at(code, range.start);
        // As it is shown: what ends in blanks ends before them.
        let text = code[start..].lines().next().unwrap_or_default().trim_end().to_owned();
        let end = (range.end - start).min(text.len());
        (Place { cell, line, text }, range.start - start..end)
    }

    /// The place as lines of a traceback, in the manner of rustc.
    pub fn render(&self) -> Vec<Line> {
        let text = self.text.trim_end();
        self.render_part(text.len() - text.trim_start().len()..text.len())
    }

    /// The same, of which the bytes `part` of the line are marked.
    pub fn render_part(&self, part: Range<usize>) -> Vec<Line> {
        let margin = " ".repeat(self.line.to_string().len());
        let text = self.text.trim_end();
        let indent = blanks(&text[..part.start]);
        let marks = "^".repeat(text[part].chars().count().max(1));
        vec![
            place_caption(&margin, &format!("cell [{}], line {}", self.cell, self.line)),
            Line::shown(format!("{margin} |")),
            Line::shown(format!("{} | {text}", self.line)),
            Line::shown(format!("{margin} | {indent}{marks}")),
        ]
    }
}

/// As much room as `text` takes: Chinese characters are as wide as two others.
fn blanks(text: &str) -> String {
    let blank = |character: char| match character {
        '\t' => '\t',
        '\u{2e80}'..='\u{ffef}' => '\u{3000}',
        _ => ' ',
    };
    text.chars().map(blank).collect()
}

/// A caption above an excerpt of code, in the colour that Jupyter gives to places.
pub fn place_caption(margin: &str, text: &str) -> Line {
    Line::behind(format!("{margin}{BLUE} --> {PLAIN}"), text)
}
