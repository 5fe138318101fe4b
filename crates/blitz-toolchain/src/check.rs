//! rustc for the kernel itself: what does a notebook's Rust come to?

use crate::job::{self, Diagnosed, Job};
use crate::kept_cells::{Compilation, Outcome};
use crate::linker::Linker;
use crate::messages;
use crate::recording::Recording;
use crate::rustc;
use crate::session::Session;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::Path;

/// rustc with the dependencies that the cells have now.
pub struct Compiler {
    session: Session,
    recording: Recording,
}

/// What rustc said.
#[derive(Clone, Debug, PartialEq)]
pub enum Checked {
    /// Its errors, in its own JSON. None means that the source compiles.
    Errors(Vec<Value>),
    /// The person did not want to wait.
    Cancelled,
}

impl Compiler {
    /// The compiler of this kernel; `None` where it has no tools, or its dependencies are not
    /// compiled yet.
    pub fn of_this_process() -> Option<Self> {
        let session = Session::of_environment()?;
        let recording = Recording::last(&session)?;
        Some(Compiler { session, recording })
    }

    /// Compiles `source`, a crate, as far as errors can come.
    ///
    /// # Errors
    /// rustc cannot be run.
    pub fn check(&self, source: &str) -> Result<Checked> {
        let dir = self.session.build_dir.join("definitions");
        let compilation = Compilation::of_definitions(&self.session, &self.recording, source, &dir);
        let kept = compilation.as_ref().and_then(Compilation::take);
        if let Some(Outcome { diagnosed, .. }) = kept {
            return judged(diagnosed);
        }
        let mut command = rustc::command(&self.session, &self.recording, source, &dir)?;
        command.arg("--emit=metadata,dep-info");
        let Job::Ended(diagnosed) = job::diagnosed(&mut command, &self.session)? else {
            return Ok(Checked::Cancelled);
        };
        if let Some(compilation) = compilation {
            compilation.keep(&Outcome { diagnosed: diagnosed.clone(), report: None }, None);
        }
        judged(diagnosed)
    }

    /// Compiles `source`, a crate, into the shared object `library`.
    ///
    /// # Errors
    /// rustc cannot be run.
    pub fn library(&self, source: &str, library: &Path) -> Result<Checked> {
        let dir = library.parent().context("a library has a directory")?;
        let mut command = rustc::command(&self.session, &self.recording, source, dir)?;
        command.arg("--emit=link").args(["-Copt-level=0", "-Ccodegen-units=1"]);
        command.args(Linker::ByCompiler.arguments(&self.session)).arg("-o").arg(library);
        match job::diagnosed(&mut command, &self.session)? {
            Job::Ended(diagnosed) => judged(diagnosed),
            Job::Cancelled => Ok(Checked::Cancelled),
        }
    }
}

fn judged(Diagnosed { lines, is_success }: Diagnosed) -> Result<Checked> {
    let errors: Vec<Value> = messages::errors(&lines).collect();
    if !is_success && errors.is_empty() {
        bail!("rustc failed: {lines}");
    }
    Ok(Checked::Errors(errors))
}
