//! Puts the cells together: what they import at the top, everything else within `main`.

use super::cell::{Code, End, Part};
use super::scopes::Scopes;
use super::words::Words;
use super::{CELL, comments};
use anyhow::Result;

/// Columns of a comment within `main`, without its slashes.
pub const WIDTH: usize = 100 - "    // ".len();

const MAIN: &str = "\nfn main() -> Result<(), Box<dyn std::error::Error>> {\n";
const BEGIN: &str = "blitz::program::begin(blitz::program::ProgramOptions::default())?;\n\n";
const FAILS: &str = "blitz::program::fails(|| {\n";

/// A program in the making.
pub struct Writer<'a> {
    words: &'a Words,
    program: String,
    /// Text that belongs to the code behind it.
    text: String,
    is_in_main: bool,
    scopes: Scopes,
}

impl<'a> Writer<'a> {
    /// A program that begins with `header`, with what is added in `words`.
    pub fn new(header: String, words: &'a Words) -> Self {
        Writer {
            words,
            program: header,
            text: String::new(),
            is_in_main: false,
            scopes: Scopes::default(),
        }
    }

    /// Takes the text of the page.
    pub fn text(&mut self, markdown: &str) {
        self.text.push('\n');
        self.text.push_str(&commented(&comments::lines(markdown, WIDTH)));
    }

    /// Takes the code of the cell with this number.
    ///
    /// # Errors
    /// It defines what a program cannot have besides what it has.
    pub fn code(&mut self, number: usize, mut code: Code) -> Result<()> {
        if let Some(first) = code.parts.first_mut() {
            // Where commands stood.
            first.text = first.text.trim_start_matches('\n').to_owned();
        }
        let has_statements = code.parts.iter().any(|part| part.item.is_none());
        let begins_with_one = code.parts.first().is_some_and(|part| part.item.is_none());
        if begins_with_one {
            self.main();
        }
        self.program.push_str(&std::mem::take(&mut self.text));
        self.program.push_str(&format!("\n{CELL}{number}]:\n"));
        self.program.push_str(&commented(&code.commands));
        let (items, statements) = match code.end {
            End::Fails => code.parts.into_iter().partition(|part| part.item.is_some()),
            _ => (code.parts, Vec::new()),
        };
        for part in items {
            self.part(&part, code.end)?;
        }
        if code.end == End::Fails && has_statements {
            self.main();
            let body: String = statements.iter().map(|part| part.text.as_str()).collect();
            let words = commented(&[self.words.fails()]);
            self.program.push_str(&format!("{words}{FAILS}{}\nOk(())\n}});\n", body.trim_end()));
        }
        Ok(())
    }

    fn part(&mut self, part: &Part, end: End) -> Result<()> {
        if end == End::DoesNotCompile {
            self.main();
            let lines: Vec<String> = part.text.trim().lines().map(str::to_owned).collect();
            self.program.push_str(&commented(&[self.words.does_not_compile()]));
            self.program.push_str(&commented(&lines));
            return Ok(());
        }
        match &part.item {
            Some(item) => {
                if self.scopes.is_taken(item) {
                    self.main();
                    if self.scopes.is_taken(item) {
                        self.scopes.open();
                        self.program.push_str("{\n");
                    }
                }
                self.scopes.define(item)?;
            }
            None => self.main(),
        }
        self.program.push_str(&part.text);
        if !part.text.ends_with('\n') {
            self.program.push('\n');
        }
        Ok(())
    }

    /// Begins `main`, unless it has begun.
    fn main(&mut self) {
        if !self.is_in_main {
            self.is_in_main = true;
            let words = commented(&[self.words.pictures()]);
            self.program.push_str(&format!("{MAIN}{words}{BEGIN}"));
            self.scopes.open();
        }
    }

    /// The whole program.
    pub fn finish(mut self) -> String {
        self.main();
        self.program.push_str(&self.text);
        // The first two are the file and `main`.
        let blocks = "}\n".repeat(self.scopes.depth() - 2);
        self.program.push_str(&format!("{blocks}\nOk(())\n}}\n"));
        self.program
    }
}

fn commented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("// {line}").trim_end().to_owned() + "\n").collect()
}
