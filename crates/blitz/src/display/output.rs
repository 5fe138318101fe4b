//! The streams that displays are written to.

use std::io::{self, IsTerminal, Write};

use super::Bundle;
use super::files::{self, Files};
use super::frontend::{self, Clear, Frontend};

/// Standard output and error, together with who reads them.
pub(crate) struct Output {
    pub(super) frontend: Frontend,
    pub(super) stdout: Box<dyn Write + Send>,
    pub(super) status: Status,
    /// Where a plain program saves its pictures.
    files: Option<&'static Files>,
}

/// Where a plain program says how far it is.
pub(super) enum Status {
    /// On a terminal: one line that is written over and over.
    Terminal(Box<dyn Write + Send>),
    /// In a file or a pipe: only a last line.
    Log(Box<dyn Write + Send>),
}

impl Output {
    /// The streams of this process.
    pub(crate) fn standard() -> Output {
        let stderr = Box::new(io::stderr());
        let status = match stderr.is_terminal() {
            true => Status::Terminal(stderr),
            false => Status::Log(stderr),
        };
        let frontend = Frontend::of(|name| std::env::var_os(name));
        let files = files::collected();
        Output { frontend, stdout: Box::new(io::stdout()), status, files }
    }

    pub(crate) fn frontend(&self) -> Frontend {
        self.frontend
    }

    /// Shows `bundle` as an output of its own, as far as the front end has such.
    pub(crate) fn show(&mut self, bundle: &Bundle) {
        self.write(&match self.frontend {
            Frontend::Blitz => frontend::display(bundle),
            Frontend::Stock => frontend::blocks(bundle),
            Frontend::Program => match self.files {
                Some(files) => files.lines(bundle),
                None => frontend::line(bundle),
            },
        });
    }

    /// Shows `bundle` as the result of the cell's last expression.
    pub(crate) fn result(&mut self, bundle: &Bundle) {
        self.write(&frontend::blocks(bundle));
    }

    pub(crate) fn clear(&mut self, when: Clear) {
        if self.frontend == Frontend::Blitz {
            self.write(&frontend::clear(when));
        }
    }

    /// Writes `text` at once, so that no other thread's line lands inside it.
    pub(super) fn write(&mut self, text: &str) {
        write_to(&mut self.stdout, text);
    }

    /// Replaces the status line of a plain program.
    pub(super) fn status(&mut self, line: &str) {
        if let Status::Terminal(stderr) = &mut self.status {
            // Back to the margin, and the rest of the old line erased.
            write_to(stderr, &format!("\r{line}\x1b[K"));
        }
    }

    /// Writes the last status line of a plain program.
    pub(super) fn last_status(&mut self, line: &str) {
        match &mut self.status {
            Status::Terminal(stderr) => write_to(stderr, &format!("\r{line}\x1b[K\n")),
            Status::Log(stderr) => write_to(stderr, &format!("{line}\n")),
        }
    }
}

fn write_to(stream: &mut impl Write, text: &str) {
    // The standard streams lock themselves for each call. A closed one means that nobody is
    // looking; there is nobody to report to.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Outputs that tests can read.
#[cfg(test)]
pub(crate) mod test {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A stream kept in memory; clones share it.
    #[derive(Clone, Default)]
    pub struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Memory {
        /// What was written since the last call.
        pub fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Both streams go to the same memory; standard error is no terminal.
    pub fn output(frontend: Frontend) -> (Output, Memory) {
        let memory = Memory::default();
        let status = Status::Log(Box::new(memory.clone()));
        (Output { frontend, stdout: Box::new(memory.clone()), status, files: None }, memory)
    }

    /// As [`output`] for a plain program on a terminal.
    pub fn terminal() -> (Output, Memory) {
        let (output, memory) = output(Frontend::Program);
        (Output { status: Status::Terminal(Box::new(memory.clone())), ..output }, memory)
    }

    #[test]
    fn each_front_end_gets_its_words() {
        use crate::display::{Show, Text};
        let bundle = Text("x").bundle();
        for (frontend, shown, cleared) in [
            (Frontend::Blitz, frontend::display(&bundle), frontend::clear(Clear::Now)),
            (Frontend::Stock, frontend::blocks(&bundle), String::new()),
            (Frontend::Program, "x\n".to_owned(), String::new()),
        ] {
            let (mut output, memory) = output(frontend);
            output.show(&bundle);
            assert_eq!(memory.take(), shown);
            output.clear(Clear::Now);
            assert_eq!(memory.take(), cleared);
            output.result(&bundle);
            assert_eq!(memory.take(), frontend::blocks(&bundle));
        }
    }
}
