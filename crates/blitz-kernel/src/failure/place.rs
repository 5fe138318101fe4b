//! The line of a cell that failed, as tracebacks show it.

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
    pub fn render(&self) -> Vec<String> {
        let margin = " ".repeat(self.line.to_string().len());
        let text = self.text.trim_end();
        let indent = text.len() - text.trim_start().len();
        let marks = "^".repeat(text.trim_start().chars().count().max(1));
        vec![
            format!(
                "{margin}{}",
                place_caption(&format!("cell [{}], line {}", self.cell, self.line))
            ),
            format!("{margin} |"),
            format!("{} | {text}", self.line),
            format!("{margin} | {}{marks}", " ".repeat(indent)),
        ]
    }
}

/// A caption above an excerpt of code, in the colour that Jupyter gives to places.
pub fn place_caption(text: &str) -> String {
    format!("{BLUE} --> {PLAIN}{text}")
}
