//! `cargo build` and `cargo check` of a cell, without cargo.

use crate::absolute::absolute;
use crate::aids;
use crate::answers::Answer;
use crate::call::Call;
use crate::control::Requests;
use crate::crate_dir;
use crate::instrument;
use crate::job::{self, Job};
use crate::linker::Linker;
use crate::messages;
use crate::notebook::Notebook;
use crate::opt_level;
use crate::recording::{self, Recorded, Recording};
use crate::repeated;
use crate::session::Session;
use crate::unused_variables::without_unused;
use crate::variable_types::{self, inferred};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

/// cargo's exit code when something does not compile.
const FAILED: u8 = 101;

/// Answers `cargo build`.
pub fn build(call: &Call) -> ExitCode {
    end(call, compile(call, Kind::Library))
}

/// Answers `cargo check`.
pub fn check(call: &Call) -> ExitCode {
    end(call, compile(call, Kind::Check))
}

/// What rustc is to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A shared object.
    Library,
    /// Nothing but diagnostics.
    Check,
}

/// How a compilation ended that was not refused by cargo.
enum Compiled {
    /// The lines of rustc's standard error, and whether it succeeded.
    Ended { lines: String, is_success: bool },
    /// It compiles, but what it leaves in variables has no type that can be written down.
    NotKept,
    /// cargo could not compile the dependencies.
    Refused(Answer),
    /// The person did not want to wait.
    Cancelled,
}

fn compile(call: &Call, kind: Kind) -> Result<Compiled> {
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
    if let Some(step) = &notebook.step {
        let library = library(&session.build_dir);
        make_dir(&session.build_dir.join("cell"))?;
        fs::write(&library, serde_json::to_string(step)?)
            .with_context(|| format!("cannot write {}", library.display()))?;
        return Ok(Compiled::Ended { lines: String::new(), is_success: true });
    }
    let source = fs::read_to_string(session.build_dir.join("src/lib.rs"))
        .context("cannot read the cell's source")?;
    let written = source;
    if kind == Kind::Library
        && let Some(lines) = repeated::diagnostics(&session.build_dir, &written)
    {
        return Ok(Compiled::Ended { lines, is_success: false });
    }
    let source = notebook.put_into(&without_unused(&absolute(&written)));
    let library = library_for(session, &source);
    let source = instrument::with_store_of_library(&source, library).unwrap_or(source);
    let source = instrument::forget(&source, library, &notebook.forgotten);
    let shows = !Requests::new(&session.build_dir).has_own_format();
    let instrumented = match kind {
        Kind::Library => instrument::instrument(&source, library, shows),
        Kind::Check => source.clone(),
    };
    let crates = recording.crates();
    let ask = |source: &str| ask_types(session, &recording, source);
    let (ended, is_kept) = std::thread::scope(|scope| {
        // On a second core, where there is one.
        let types = inferred::is_in(&source).then(|| {
            scope.spawn(|| variable_types::note_inferred(session, &source, &crates, &ask))
        });
        let ended = rustc(session, &recording, &inferred::left_to_rustc(&instrumented), kind);
        (ended, types.is_none_or(|types| types.join().unwrap_or(false)))
    });
    let mut ended = ended?;
    match ended {
        Compiled::Ended { is_success: true, .. } if !is_kept => return Ok(Compiled::NotKept),
        // What is wrong with the cell comes before what its variables are.
        Compiled::Ended { is_success: false, .. } => variable_types::forget(&session.build_dir),
        _ => {}
    }
    let source = inferred::left_to_rustc(&source);
    let instrumented = inferred::left_to_rustc(&instrumented);
    // The diagnostics of what evcxr wrote are those that it understands.
    if instrumented != source && is_about_additions(&ended) {
        ended = rustc(session, &recording, &source, kind)?;
    }
    if let Compiled::Ended { lines, is_success } = &ended {
        match kind {
            Kind::Check => {
                variable_types::note_looked_at(session, &source, lines, &crates, &ask);
            }
            Kind::Library if !*is_success => {
                repeated::note(&session.build_dir, &written, lines);
                variable_types::note_failed(session, &source, lines, &crates, &ask);
            }
            Kind::Library => {}
        }
    }
    Ok(ended)
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

/// Whether a cell failed for what stands there in the place of evcxr's own lines.
fn is_about_additions(ended: &Compiled) -> bool {
    let Compiled::Ended { lines, is_success: false } = ended else { return false };
    let names_them = |text: &Value| {
        text.as_str().is_some_and(|text| text.contains("evcxr") || text.contains("Evcxr"))
    };
    let labels = |message: &Value| {
        let spans = message["spans"].as_array().into_iter().flatten();
        spans.map(|span| span["label"].clone()).collect::<Vec<_>>()
    };
    lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).any(|message| {
        let children = message["children"].as_array().cloned().unwrap_or_default();
        std::iter::once(&message)
            .chain(&children)
            .any(|it| names_them(&it["message"]) || labels(it).iter().any(names_them))
    })
}

/// rustc's diagnostics of a source that is made for them.
fn ask_types(session: &Session, recording: &Recording, source: &str) -> Option<String> {
    let dir = session.build_dir.join("types");
    let mut command = command(session, recording, source, &dir).ok()?;
    command.arg("--emit=metadata").args(variable_types::PRINTING).env("RUSTC_BOOTSTRAP", "1");
    match job::output(&mut command, &Requests::new(&session.build_dir)).ok()? {
        Job::Ended(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Job::Cancelled => None,
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

fn rustc(session: &Session, recording: &Recording, source: &str, kind: Kind) -> Result<Compiled> {
    match kind {
        Kind::Check => {
            let dir = session.build_dir.join("cell");
            let mut command = command(session, recording, source, &dir)?;
            run(session, command.arg("--emit=metadata"))
        }
        Kind::Library => make_library(session, recording, source),
    }
}

fn make_library(session: &Session, recording: &Recording, source: &str) -> Result<Compiled> {
    let prepared = prepared_library(session, source);
    let library = library(&session.build_dir);
    if take(&prepared, &library).is_ok() {
        return Ok(Compiled::Ended { lines: String::new(), is_success: true });
    }
    let manifest = fs::read_to_string(session.build_dir.join("Cargo.toml")).unwrap_or_default();
    let level = opt_level::choose(source, &manifest);
    let dir = session.build_dir.join("cell");
    let link = |linker: &Linker| {
        let mut command = command(session, recording, source, &dir)?;
        command.arg("--emit=link").arg(format!("-Copt-level={level}"));
        command.args(["-Ccodegen-units=1", "-Cdebuginfo=line-tables-only"]);
        run(session, command.args(linker.arguments(session)))
    };
    let linker = Linker::found(&aids::dir(&session.build_dir));
    let mut ended = link(&linker)?;
    if let Compiled::Ended { lines, is_success: false } = &ended
        && linker.has_failed(lines)
    {
        ended = link(&Linker::ByCompiler)?;
    }
    if matches!(ended, Compiled::Ended { is_success: true, .. }) && session.is_set_up() {
        // Best effort: without it, kernels compile this cell themselves.
        let _ = fs::copy(&library, &prepared);
    }
    Ok(ended)
}

fn run(session: &Session, command: &mut Command) -> Result<Compiled> {
    let output = job::output(command, &Requests::new(&session.build_dir));
    let output = output.with_context(|| {
        format!("cannot run {}; try `cargo blitz setup`", session.toolchain.rustc.path.display())
    })?;
    let Job::Ended(Output { status, stderr, .. }) = output else {
        return Ok(Compiled::Cancelled);
    };
    let lines = String::from_utf8_lossy(&stderr).into_owned();
    Ok(Compiled::Ended { lines, is_success: status.success() })
}

/// Makes `library` the prepared one; a link to another user's file may be refused.
fn take(prepared: &Path, library: &Path) -> std::io::Result<()> {
    fs::hard_link(prepared, library).or_else(|error| match prepared.exists() {
        true => fs::copy(prepared, library).map(drop),
        false => Err(error),
    })
}

/// Where set-up keeps the shared object of a cell. evcxr's own first cells are the same in every
/// kernel.
fn prepared_library(session: &Session, source: &str) -> PathBuf {
    let linked = aids::prepared(&session.build_dir).unwrap_or_default();
    let linked = linked.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = recording::question(session).with(source).with(&linked).file_name("cell");
    session.store.join(name).with_extension(std::env::consts::DLL_EXTENSION)
}

/// The call of rustc for `source`, which is written into `dir`, without what is to be made of it and how
/// that is linked.
///
/// # Errors
/// The directory cannot be written.
pub fn command(
    session: &Session,
    recording: &Recording,
    source: &str,
    dir: &Path,
) -> Result<Command> {
    let file = dir.join("src/lib.rs");
    make_dir(&dir.join("src"))?;
    fs::write(&file, source).with_context(|| format!("cannot write {}", file.display()))?;
    let mut command = Command::new(&session.toolchain.rustc.path);
    session.restore(&mut command);
    command.args(kept_args(session, &recording.args)).envs(recording.env.iter().cloned());
    command.current_dir(dir).stderr(Stdio::piped());
    command.arg("--out-dir").arg(dir);
    let aids = [
        (aids::SUPPORT, aids::support(&session.build_dir)),
        (aids::PREPARED, aids::prepared(&session.build_dir)),
    ];
    for (name, path) in aids.iter().filter_map(|(name, path)| Some((name, path.as_ref()?))) {
        command.arg("--extern").arg(format!("{name}={}", path.display()));
    }
    command.arg("-L").arg(format!("dependency={}", aids::dir(&session.build_dir).display()));
    Ok(command)
}

fn make_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))
}

/// cargo's arguments for rustc without those that differ here: what is made and where, how it is
/// optimized, and which messages are printed.
fn kept_args(session: &Session, recorded: &[String]) -> Vec<String> {
    let codegen = ["opt-level", "codegen-units", "incremental", "strip", "debuginfo"];
    let is_ours = |option: &str| codegen.contains(&option.split('=').next().unwrap_or_default());
    let printing = ["--emit=", "--json=", "--diagnostic-width"];
    let mut kept = Vec::new();
    let mut args = recorded.iter().peekable();
    while let Some(arg) = args.next() {
        match (arg.as_str(), args.peek()) {
            ("--out-dir", _) => drop(args.next()),
            ("-C", Some(option)) if is_ours(option) => drop(args.next()),
            ("-L", Some(option)) => {
                kept.extend([arg.clone(), aids::without_libtorch(session, option)]);
                args.next();
            }
            _ if printing.iter().any(|option| arg.starts_with(option)) => {}
            _ => kept.push(arg.clone()),
        }
    }
    kept
}

/// Prints what cargo would print.
fn end(call: &Call, compiled: Result<Compiled>) -> ExitCode {
    let session = &call.session;
    match compiled {
        Ok(Compiled::Ended { lines, is_success }) => {
            for line in lines.lines() {
                match messages::compiler_message(session, line) {
                    Some(message) => println!("{message}"),
                    None => eprintln!("{line}"),
                }
            }
            if is_success {
                println!("{}", messages::artifact(session, &library(&session.build_dir)));
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

fn library(build_dir: &Path) -> PathBuf {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    build_dir.join("cell").join(format!("{prefix}{}{suffix}", messages::CRATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decided_here_is_dropped_from_cargos_arguments() {
        let recorded = "--crate-name ctx src/lib.rs --error-format=json --json=artifacts \
            --emit=dep-info,link -C opt-level=2 -C debug-assertions=on -C incremental=/i \
            -C strip=debuginfo --out-dir /deps -L dependency=/deps \
            --extern tch=/deps/libtch.rlib -Cprefer-dynamic";
        let recorded: Vec<String> = recorded.split_whitespace().map(str::to_owned).collect();
        let kept = "--crate-name ctx src/lib.rs --error-format=json -C debug-assertions=on \
            -L dependency=/deps --extern tch=/deps/libtch.rlib -Cprefer-dynamic";
        let dir = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(kept_args(&Session::for_tests(dir.path()), &recorded).join(" "), kept);
    }
}
