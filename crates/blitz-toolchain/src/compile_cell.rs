//! `cargo build` and `cargo check` of a cell, without cargo.

use crate::absolute::absolute;
use crate::aids;
use crate::answers::Answer;
use crate::call::Call;
use crate::control::Requests;
use crate::crate_dir;
use crate::instrument;
use crate::job::{Diagnosed, Job};
use crate::kept_cells::{Compilation, Outcome};
use crate::messages;
use crate::notebook::{Notebook, Step};
use crate::opt_level;
use crate::recording::{self, Recorded, Recording};
use crate::repeated;
use crate::rustc::{self, Reader};
use crate::session::Session;
use crate::unused_variables::without_unused;
use crate::variable_types::{self, Report, inferred};
use anyhow::{Context, Result};
use std::fs;
use std::process::ExitCode;

/// cargo's exit code when something does not compile.
const FAILED: u8 = 101;

/// Answers `cargo build`.
pub fn build(call: &Call) -> ExitCode {
    end(call, compile(call, |cell| cell.build()))
}

/// Answers `cargo check`.
pub fn check(call: &Call) -> ExitCode {
    end(call, compile(call, |cell| cell.check()))
}

/// How a compilation ended.
enum Compiled {
    /// rustc has judged the cell.
    Ended(Diagnosed),
    /// It compiles, but what it leaves in variables has no type that can be written down.
    NotKept,
    /// cargo could not compile the dependencies.
    Refused(Answer),
    /// The person did not want to wait.
    Cancelled,
}

impl From<Job<Diagnosed>> for Compiled {
    fn from(job: Job<Diagnosed>) -> Self {
        match job {
            Job::Ended(diagnosed) => Compiled::Ended(diagnosed),
            Job::Cancelled => Compiled::Cancelled,
        }
    }
}

/// What evcxr wants to be compiled.
struct Cell<'a> {
    session: &'a Session,
    recording: Recording,
    /// As evcxr wrote it.
    written: String,
    /// The same with absolute names, the definitions that it reaches and the variables that it names.
    source: String,
    /// The crate that has what the source calls.
    library: &'static str,
    /// How much it is optimized.
    level: String,
}

fn compile(call: &Call, how: fn(&Cell<'_>) -> Result<Compiled>) -> Result<Compiled> {
    let session = &call.session;
    let recording = match Recording::load(session) {
        Some(recording) => recording,
        None => match record(call)? {
            Recorded::Ready(recording) => *recording,
            Recorded::Failed(answer) => return Ok(Compiled::Refused(answer)),
            Recorded::Cancelled => return Ok(Compiled::Cancelled),
        },
    };
    let notebook = Notebook::load(&session.build_dir);
    match &notebook.step {
        Some(step) => write_step(session, step),
        None => how(&Cell::of(session, recording, &notebook)?),
    }
}

/// Makes the step stand in the place of a library.
fn write_step(session: &Session, step: &Step) -> Result<Compiled> {
    let library = rustc::library(&session.build_dir);
    let dir = library.parent().unwrap_or(&session.build_dir);
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    fs::write(&library, serde_json::to_string(step)?)
        .with_context(|| format!("cannot write {}", library.display()))?;
    Ok(Compiled::Ended(Diagnosed { lines: String::new(), is_success: true }))
}

impl<'a> Cell<'a> {
    fn of(session: &'a Session, recording: Recording, notebook: &Notebook) -> Result<Self> {
        let written = fs::read_to_string(session.build_dir.join("src/lib.rs"))
            .context("cannot read the cell's source")?;
        let source = notebook.put_into(&without_unused(&absolute(&written)));
        let library = library_for(session, &source);
        let source = instrument::with_store_of_library(&source, library).unwrap_or(source);
        let source = instrument::forget(&source, library, &notebook.forgotten);
        let manifest = fs::read_to_string(session.build_dir.join("Cargo.toml")).unwrap_or_default();
        let level = opt_level::choose(&source, &manifest);
        Ok(Cell { session, recording, written, source, library, level })
    }

    fn check(&self) -> Result<Compiled> {
        let ended = rustc::check(self.session, &self.recording, &self.source)?;
        if let Job::Ended(Diagnosed { lines, .. }) = &ended {
            let (crates, ask) = (self.recording.crates(), |source: &str| self.ask_types(source));
            variable_types::note_looked_at(self.session, &self.source, lines, &crates, &ask);
        }
        Ok(ended.into())
    }

    fn build(&self) -> Result<Compiled> {
        let (session, build_dir) = (self.session, &self.session.build_dir);
        if let Some(lines) = repeated::diagnostics(build_dir, &self.written) {
            return Ok(Compiled::Ended(Diagnosed { lines, is_success: false }));
        }
        let shows = !Requests::new(build_dir).has_own_format();
        let instrumented = instrument::instrument(&self.source, self.library, shows);
        let (mut ended, report) = self.build_shown(&instrumented)?;
        let note = |it: &Report| variable_types::note_inferred(session, &self.source, it);
        let is_named = report.as_ref().is_none_or(note);
        let source = inferred::left_to_rustc(&self.source);
        // The diagnostics of what evcxr wrote are those that it understands.
        if let Job::Ended(Diagnosed { lines, is_success: false }) = &ended
            && instrumented != self.source
            && instrument::is_named_in(lines)
        {
            ended = self.make_library(&source, Reader::Person)?;
        }
        match &ended {
            Job::Ended(Diagnosed { lines, is_success: false }) => {
                repeated::note(build_dir, &self.written, lines);
                // What is wrong with the cell comes before what its variables are.
                variable_types::forget(build_dir);
                let (crates, ask) = (self.recording.crates(), |it: &str| self.ask_types(it));
                variable_types::note_failed(session, &source, lines, &crates, &ask);
            }
            Job::Ended(_) if !is_named => return Ok(Compiled::NotKept),
            _ => {}
        }
        Ok(ended.into())
    }

    /// What comes of `instrumented`, whose last expression may have a type that rustc learns late, such as
    /// that of `2.0 * &x`.
    fn build_shown(&self, instrumented: &str) -> Result<(Job<Diagnosed>, Option<Report>)> {
        let first = self.build_or_take(instrumented)?;
        let Job::Ended(Diagnosed { lines, is_success: false }) = &first.0 else { return Ok(first) };
        let Some(late) =
            instrument::shown_late(instrumented).filter(|_| instrument::needs_types(lines))
        else {
            return Ok(first);
        };
        let second = self.build_or_take(&late)?;
        match second.0 {
            Job::Ended(Diagnosed { is_success: false, .. }) => Ok(first),
            _ => Ok(second),
        }
    }

    /// What comes of `instrumented`, by rustc or from an earlier time, and the types that had to be found, if
    /// there were such.
    fn build_or_take(&self, instrumented: &str) -> Result<(Job<Diagnosed>, Option<Report>)> {
        let (session, recording) = (self.session, &self.recording);
        let compilation = Compilation::of_cell(session, recording, instrumented, &self.level);
        if let Some(kept) = compilation.as_ref().and_then(Compilation::take) {
            return Ok((Job::Ended(kept.diagnosed), kept.report));
        }
        let (ended, report) = self.build_with_types(instrumented)?;
        // A question about types that was not answered, in time or for want of memory, is asked again.
        let is_answered = |report: &Report| variable_types::are_named(&self.source, report);
        if let (Some(compilation), Job::Ended(diagnosed)) = (compilation, &ended)
            && report.as_ref().is_none_or(is_answered)
        {
            let library = rustc::library(&session.build_dir);
            let made = diagnosed.is_success.then_some(library.as_path());
            let outcome = Outcome { diagnosed: diagnosed.clone(), report: report.clone() };
            compilation.keep(&outcome, made);
        }
        Ok((ended, report))
    }

    /// Makes the library of `instrumented`. What the types are that rustc has to find, if there are such, it
    /// says meanwhile.
    fn build_with_types(&self, instrumented: &str) -> Result<(Job<Diagnosed>, Option<Report>)> {
        let told = match self.build_first(instrumented)? {
            Job::Cancelled => return Ok((Job::Cancelled, None)),
            Job::Ended(told) => told,
        };
        let ended = match told {
            Some(_) => Job::Ended(Diagnosed { lines: String::new(), is_success: true }),
            None => self.make_library(&inferred::left_to_rustc(instrumented), Reader::Person)?,
        };
        let is_made = matches!(ended, Job::Ended(Diagnosed { is_success: true, .. }));
        let report = (is_made && inferred::is_in(&self.source)).then(|| {
            let (crates, ask) = (self.recording.crates(), |source: &str| self.ask_types(source));
            variable_types::inferred(&self.source, told, &crates, &ask)
        });
        Ok((ended, report))
    }

    /// What rustc says while it makes the library with unstable options; `None` where it makes none, or
    /// nothing would be gained.
    fn build_first(&self, instrumented: &str) -> Result<Job<Option<String>>> {
        let is_gain = inferred::is_in(&self.source) || self.level != opt_level::NONE;
        // A person's own are refused, as ever.
        if !is_gain || self.written.contains("feature(") {
            return Ok(Job::Ended(None));
        }
        match self.make_library(&inferred::telling(instrumented), Reader::Program)? {
            Job::Ended(Diagnosed { lines, is_success }) => {
                Ok(Job::Ended(is_success.then_some(lines)))
            }
            Job::Cancelled => Ok(Job::Cancelled),
        }
    }

    fn make_library(&self, source: &str, reader: Reader) -> Result<Job<Diagnosed>> {
        rustc::make_library(self.session, &self.recording, source, &self.level, reader)
    }

    fn ask_types(&self, source: &str) -> Option<String> {
        rustc::ask_types(self.session, &self.recording, source)
    }
}

/// The crate that has what the source calls: the one with tensors where it may need them. Others are
/// spared the loading of all that belongs to them, which is 80 ms of rustc's time.
fn library_for(session: &Session, source: &str) -> &'static str {
    let may_have_tensors = instrument::may_have_tensors(source);
    match may_have_tensors && aids::prepared(&session.build_dir).is_some() {
        true => aids::PREPARED,
        false => aids::SUPPORT,
    }
}

/// Compiles the dependencies with cargo, which first needs everything that set-up compiled.
fn record(call: &Call) -> Result<Recorded> {
    let session = &call.session;
    crate_dir::complete(&session.warm_dir, &session.build_dir)?;
    let manifest = session.build_dir.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).context("cannot read the cells' manifest")?;
    // Another level would compile every dependency anew; `:opt` is for cells.
    fs::write(&manifest, opt_level::with_level_of_dependencies(&text))
        .context("cannot write the cells' manifest")?;
    let recorded = recording::record(call);
    fs::write(&manifest, text).context("cannot write the cells' manifest")?;
    let recorded = recorded.context("cannot run cargo")?;
    if let Recorded::Ready(recording) = &recorded {
        aids::make(session, &recording.args)?;
    }
    Ok(recorded)
}

/// Prints what cargo would print.
fn end(call: &Call, compiled: Result<Compiled>) -> ExitCode {
    let session = &call.session;
    match compiled {
        Ok(Compiled::Ended(Diagnosed { lines, is_success })) => {
            for line in lines.lines() {
                match messages::compiler_message(session, line) {
                    Some(message) => println!("{message}"),
                    None => eprintln!("{line}"),
                }
            }
            if is_success {
                println!("{}", messages::artifact(session, &rustc::library(&session.build_dir)));
            }
            println!("{}", messages::finished(is_success));
            if is_success { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
        }
        Ok(Compiled::NotKept) => {
            // Not translated: the kernel reads what was noted, and does not show it.
            let message = messages::failed(session, "a variable's type has no name");
            println!("{message}\n{}", messages::finished(false));
            ExitCode::from(FAILED)
        }
        Ok(Compiled::Refused(answer)) => answer.give(),
        Ok(Compiled::Cancelled) => {
            println!("{}\n{}", messages::cancelled(session), messages::finished(false));
            ExitCode::from(FAILED)
        }
        Err(error) => {
            println!(
                "{}\n{}",
                messages::failed(session, &format!("{error:#}")),
                messages::finished(false)
            );
            ExitCode::from(FAILED)
        }
    }
}
