//! The line of a cell that failed, as tracebacks show it.

use super::cell_error::Line;

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
    /// The place as lines of a traceback, in the manner of rustc.
    pub fn render(&self) -> Vec<Line> {
        let margin = " ".repeat(self.line.to_string().len());
        let text = self.text.trim_end();
        let indent = text.len() - text.trim_start().len();
        let marks = "^".repeat(text.trim_start().chars().count().max(1));
        vec![
            place_caption(&margin, &format!("cell [{}], line {}", self.cell, self.line)),
            Line::shown(format!("{margin} |")),
            Line::shown(format!("{} | {text}", self.line)),
            Line::shown(format!("{margin} | {}{marks}", " ".repeat(indent))),
        ]
    }
}

/// A caption above an excerpt of code, in the colour that Jupyter gives to places.
pub fn place_caption(margin: &str, text: &str) -> Line {
    Line::behind(format!("{margin}{BLUE} --> {PLAIN}"), text)
}
