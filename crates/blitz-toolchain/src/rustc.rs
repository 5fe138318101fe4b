//! rustc for a cell, or for anything else with the dependencies of one.

use crate::aids;
use crate::job::{self, Diagnosed, Job};
use crate::linker::Linker;
use crate::messages;
use crate::recording::{self, Recording};
use crate::session::Session;
use crate::variable_types;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The shared object of the cell that was compiled last.
pub fn library(build_dir: &Path) -> PathBuf {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    build_dir.join("cell").join(format!("{prefix}{}{suffix}", messages::CRATE))
}

/// rustc's list of what it has read for the crate that it has compiled in `dir`, where it is asked for one.
pub fn dependencies(dir: &Path) -> PathBuf {
    dir.join(format!("{}.d", messages::CRATE))
}

/// Makes nothing of `source`.
///
/// # Errors
/// rustc cannot be run.
pub fn check(session: &Session, recording: &Recording, source: &str) -> Result<Job<Diagnosed>> {
    let mut command = command(session, recording, source, &session.build_dir.join("cell"))?;
    job::diagnosed(command.arg("--emit=metadata"), session)
}

/// Whom rustc's messages are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The person.
    Person,
    /// This program, which wants to know types, and whether there is a library. rustc gets unstable options
    /// that save time, and would say things that concern nobody.
    Program,
}

/// The variable that has rustc accept unstable options and features. It is in none of rustc's lists of what a
/// crate depends on.
pub const BOOTSTRAP: &str = "RUSTC_BOOTSTRAP";

/// Has rustc use, at any level, what was instantiated in the crates that a cell links
/// ([`aids::PREPARED`]); by itself it does at low levels only.
pub const SHARING: &str = "-Zshare-generics=yes";

/// Makes the [`library`] of `source`, or takes the one that set-up has made.
///
/// # Errors
/// rustc cannot be run.
pub fn make_library(
    session: &Session,
    recording: &Recording,
    source: &str,
    level: &str,
    reader: Reader,
) -> Result<Job<Diagnosed>> {
    let prepared = prepared_library(session, source);
    let library = library(&session.build_dir);
    let _ = fs::remove_file(dependencies(&session.build_dir.join("cell")));
    if take(&prepared, &library).is_ok() {
        return Ok(Job::Ended(Diagnosed { lines: String::new(), is_success: true }));
    }
    let link = |linker: &Linker| {
        let mut command = command(session, recording, source, &session.build_dir.join("cell"))?;
        command.arg("--emit=link,dep-info").arg(format!("-Copt-level={level}"));
        command.args(["-Ccodegen-units=1", "-Cdebuginfo=line-tables-only"]);
        if reader == Reader::Program {
            print_types(command.arg(SHARING));
        }
        job::diagnosed(command.args(linker.arguments(session)), session)
    };
    let linker = Linker::found(&aids::dir(&session.build_dir));
    let mut ended = link(&linker)?;
    if let Job::Ended(Diagnosed { lines, is_success: false }) = &ended
        && linker.has_failed(lines)
    {
        ended = link(&Linker::ByCompiler)?;
    }
    if matches!(ended, Job::Ended(Diagnosed { is_success: true, .. })) && session.is_set_up() {
        // Best effort: without it, kernels compile this cell themselves.
        let _ = fs::copy(&library, &prepared);
    }
    Ok(ended)
}

/// rustc's diagnostics of a source that is made to be asked about.
pub fn ask_types(session: &Session, recording: &Recording, source: &str) -> Option<String> {
    let dir = session.build_dir.join("types");
    let mut command = command(session, recording, source, &dir).ok()?;
    print_types(command.arg("--emit=metadata"));
    match job::diagnosed(&mut command, session).ok()? {
        Job::Ended(diagnosed) => Some(diagnosed.lines),
        Job::Cancelled => None,
    }
}

/// What is printed of types is an unstable option.
fn print_types(rustc: &mut Command) {
    rustc.args(variable_types::PRINTING).env(BOOTSTRAP, "1");
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
    // That of an earlier source says nothing of this one.
    let _ = fs::remove_file(dependencies(dir));
    let file = dir.join("src/lib.rs");
    let sources = dir.join("src");
    fs::create_dir_all(&sources).with_context(|| format!("cannot create {}", sources.display()))?;
    fs::write(&file, source).with_context(|| format!("cannot write {}", file.display()))?;
    let mut command = Command::new(&session.toolchain.rustc.path);
    session.restore(&mut command);
    command.args(kept_args(session, &recording.args)).envs(recording.env.iter().cloned());
    command.current_dir(dir).arg("--out-dir").arg(dir);
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
