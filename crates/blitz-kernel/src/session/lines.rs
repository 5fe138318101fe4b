//! From a line of generated code back to the line of a cell.
//!
//! evcxr compiles each cell as one file, in which the cell's statements stand as they were written
//! between generated lines, and so do the items of earlier cells.

use crate::cells::event::Panic;
use crate::cells::frames::Frame;
use crate::cells::outcome::Outcome;
use crate::cells::process::CELL_SOURCE;
use crate::failure::place::Place;
use crate::session::sent::Sent;
use blitz_contract::marks;
use std::path::PathBuf;

/// The cells that have run, and the file that the last one was compiled from.
pub struct SourceLines {
    generated: PathBuf,
    cells: Vec<Cell>,
    /// What the kernel has added to lines of the last cell.
    added: Vec<String>,
    /// The cell and line of each line between the marks of the notebook's definitions.
    definitions: Vec<Option<(usize, usize)>>,
}

/// A cell that has run. Its lines as they were written and as evcxr got them are the same in number.
struct Cell {
    execution_count: usize,
    written: String,
    sent: String,
}

impl SourceLines {
    /// No cells yet; `generated` is the file that evcxr writes.
    pub fn new(generated: PathBuf) -> Self {
        let (added, definitions) = (Vec::new(), Vec::new());
        SourceLines { generated, cells: Vec::new(), added, definitions }
    }

    /// Adds the cell that is about to run.
    pub fn add_cell(&mut self, execution_count: usize, sent: &Sent) {
        let (written, sent) = (sent.written.clone(), sent.code.clone());
        self.cells.push(Cell { execution_count, written, sent });
        self.added.clear();
    }

    /// In the generated file, `text` stands in a line of the last cell that does not have it.
    pub fn add_to_line(&mut self, text: &str) {
        self.added.push(text.to_owned());
    }

    /// The place of a line, from 1, of the last cell.
    pub fn place_in_last_cell(&self, line: usize) -> Option<Place> {
        let cell = self.cells.last()?;
        let text = cell.written.lines().nth(line.checked_sub(1)?)?.to_owned();
        Some(Place { cell: cell.execution_count, line, text })
    }

    /// What stands between the marks: for each line its cell and line.
    pub fn set_definitions(&mut self, lines: Vec<Option<(usize, usize)>>) {
        self.definitions = lines;
    }

    /// The text of a cell.
    pub fn cell(&self, execution_count: usize) -> Option<&str> {
        let found = self.cells.iter().rev().find(|cell| cell.execution_count == execution_count);
        found.map(|cell| cell.written.as_str())
    }

    /// The cell's line that failed, if the cell ran and did.
    pub fn place_of_failure(&self, outcome: &Outcome) -> Option<Place> {
        if outcome.panicked {
            return self.place_of_panic(outcome.panics.last()?);
        }
        let error = outcome.user_error.as_ref().filter(|_| outcome.erred)?;
        self.place_of_generated(error.line)
    }

    /// The cell's line that a panic comes from: where it happened, or the innermost cell's line on
    /// the way there where it happened in a library.
    pub fn place_of_panic(&self, panic: &Panic) -> Option<Place> {
        if self.is_generated(&panic.file)
            && let Some(place) = self.place_of_generated(panic.line)
        {
            return Some(place);
        }
        let sources = panic.frames.iter().filter_map(Frame::source);
        let cells = sources.filter(|(file, _)| self.is_generated(file));
        cells.filter_map(|(_, line)| self.place_of_generated(line)).next()
    }

    /// The cell's line that stands at `line` (from 1) of the generated file.
    pub fn place_of_generated(&self, line: usize) -> Option<Place> {
        let mut generated = std::fs::read_to_string(&self.generated).ok()?;
        for added in &self.added {
            generated = generated.replace(added, "");
        }
        let lines: Vec<&str> = generated.lines().map(str::trim).collect();
        let wanted = *lines.get(line.checked_sub(1)?)?;
        if wanted.is_empty() {
            return None;
        }
        // evcxr's brackets around the cell's last expression, which an operator of it counts as its own.
        let is_written = |cell: &Cell| cell.sent.lines().any(|text| text.trim() == wanted);
        if wanted.ends_with('(') && !self.cells.last().is_some_and(is_written) {
            return self.place_of_generated(line + 1);
        }
        if let Some(begin) = lines.iter().position(|text| *text == marks::BEGIN_DEFINITIONS)
            && let Some(Some((cell, number))) =
                self.definitions.get((line - 1).wrapping_sub(begin + 1))
        {
            let text = self.cell(*cell)?.lines().nth(number - 1)?.to_owned();
            return Some(Place { cell: *cell, line: *number, text });
        }
        // The same text may stand in a cell several times; evcxr keeps the order.
        let earlier = lines[..line - 1].iter().filter(|text| **text == wanted).count();
        self.cells.iter().rev().find_map(|cell| {
            let equal = |text: &str| text.trim() == wanted;
            let within = |text: &str| text.contains(wanted);
            let line = line_of(&cell.sent, equal, earlier)
                .or_else(|| line_of(&cell.sent, within, earlier))?;
            let text = cell.written.lines().nth(line - 1)?.to_owned();
            Some(Place { cell: cell.execution_count, line, text })
        })
    }

    fn is_generated(&self, file: &str) -> bool {
        // Debug information names the file relative to the build directory, or with it: that of the kernel
        // which has compiled the cell.
        let file = std::path::Path::new(file);
        let build_dir = self.generated.parent().and_then(std::path::Path::parent);
        let kernels = build_dir.and_then(std::path::Path::parent);
        file == std::path::Path::new(CELL_SOURCE)
            || build_dir.is_some_and(|dir| file.starts_with(dir))
            || kernels.is_some_and(|dir| file.starts_with(dir)) && file.ends_with("cell/src/lib.rs")
    }
}

/// The `earlier`-th line, from 0, that `matches`; the last one where there are fewer. Lines are counted
/// from 1.
fn line_of(code: &str, matches: impl Fn(&str) -> bool, earlier: usize) -> Option<usize> {
    let found: Vec<usize> =
        (1..).zip(code.lines()).filter(|(_, text)| matches(text)).map(|(line, _)| line).collect();
    found.get(earlier).or(found.last()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::definitions::Definitions;

    fn sent(code: &str) -> Sent {
        let layout = blitz_contract::Layout::new("/srv");
        Sent::new(code, &Definitions::default(), &layout, std::path::Path::new("/"))
            .expect("no `:dep` line")
    }

    fn lines(dir: &std::path::Path, generated: &str) -> SourceLines {
        std::fs::create_dir_all(dir.join("src")).expect("a directory");
        let file = dir.join("src/lib.rs");
        std::fs::write(&file, generated).expect("a file");
        SourceLines::new(file)
    }

    #[test]
    fn a_generated_line_is_found_in_its_cell() {
        let dir = std::env::temp_dir().join(format!("blitz-source-lines-{}", std::process::id()));
        let mut source =
            lines(&dir, "generated\nfn early() {\n    x.unwrap()\n}\n{\nlet v = 1;\nf();\nf();\n}");
        source.add_cell(1, &sent("// first\nfn early() {\n    x.unwrap()\n}"));
        source.add_cell(2, &sent("let v = 1;\n\nf();\n  f();"));
        let place = |line| source.place_of_generated(line).map(|place| (place.cell, place.line));
        assert_eq!(place(3), Some((1, 3)));
        assert_eq!(place(7), Some((2, 3)));
        assert_eq!(place(8), Some((2, 4)));
        assert_eq!(place(1), None);
        assert_eq!(place(0), None);
        let panic = Panic { file: "src/lib.rs".to_owned(), line: 8, ..Panic::default() };
        assert_eq!(source.place_of_panic(&panic).map(|place| place.line), Some(4));
        let elsewhere = Panic { file: "/x/src/lib.rs".to_owned(), line: 8, ..Panic::default() };
        assert_eq!(source.place_of_panic(&elsewhere), None);
        std::fs::remove_dir_all(&dir).expect("removed");
    }
}
