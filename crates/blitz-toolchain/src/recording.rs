//! How cargo compiled a cell: rustc's arguments, to be used again without cargo.

use crate::answers::{self, Answer, Question};
use crate::call::{self, Call};
use crate::control::Requests;
use crate::job::{self, Job};
use crate::messages::CRATE;
use crate::metadata;
use crate::session::Session;
use crate::toolchain::Stamped;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The name under which this binary stands before rustc in cargo's own builds.
pub const RECORDER: &str = "rustc-recorder";
/// Where the question of the last compilation is kept, below the build directory.
const LAST_QUESTION: &str = "last-question.json";
/// Tells [`run`] where to write.
const FILE_VAR: &str = "BLITZ_RECORDING";

/// A call of rustc for the cells' crate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// rustc's arguments.
    pub args: Vec<String>,
    /// The variables that cargo set for it.
    pub env: Vec<(String, String)>,
    /// The sources of dependencies that are no published crate, which may be edited.
    sources: Vec<Stamped>,
}

impl Recording {
    /// The recording for the dependencies that the cells have now, if there is one and no source
    /// has changed since.
    pub fn load(session: &Session) -> Option<Self> {
        let question = question(session);
        let recording = Recording::of(session, &question)?;
        remember(session, &question);
        Some(recording)
    }

    /// The recording that the last compilation of a cell has used.
    pub fn last(session: &Session) -> Option<Self> {
        let text = fs::read_to_string(session.build_dir.join(LAST_QUESTION)).ok()?;
        Recording::of(session, &serde_json::from_str(&text).ok()?)
    }

    fn of(session: &Session, question: &Question) -> Option<Self> {
        let recording: Recording = answers::load(session, "build", question)?;
        // What somebody else has set up serves as it is until they set up anew.
        let layout = session.layout();
        let is_others = !blitz_user_dirs::is_own(layout.root());
        let is_current = |source: &Stamped| {
            source.is_unchanged() || (is_others && layout.contains(&source.path))
        };
        recording.sources.iter().all(is_current).then_some(recording)
    }

    /// Those sources as they were, to tell recordings apart.
    pub fn sources_as_text(&self) -> String {
        serde_json::to_string(&self.sources).unwrap_or_default()
    }

    /// Whether all of those sources belong to the repository. What others are made of besides, such as by
    /// their build scripts, cargo alone knows.
    pub fn is_of_repository(&self, session: &Session) -> bool {
        let layout = session.layout();
        self.sources.iter().all(|source| layout.contains(&source.path))
    }

    /// The crates that cells can name.
    pub fn crates(&self) -> Vec<String> {
        let externs = self.args.windows(2).filter(|pair| pair[0] == "--extern");
        let names = externs.filter_map(|pair| pair[1].split('=').next());
        // An option may stand before the name: `noprelude:alloc`.
        let names = names.filter_map(|name| name.rsplit(':').next());
        ["std", "core"].into_iter().chain(names).map(str::to_owned).collect()
    }
}

#[cfg(test)]
impl Recording {
    /// The recording of a cell without dependencies.
    pub fn for_tests() -> Self {
        Recording::of_sources(&[])
    }

    /// The recording of a cell whose dependencies have these sources.
    pub fn of_sources(paths: &[&PathBuf]) -> Self {
        let sources = paths.iter().filter_map(|path| Stamped::now(path)).collect();
        Recording { args: Vec::new(), env: Vec::new(), sources }
    }
}

/// What [`record`] comes to.
pub enum Recorded {
    /// The dependencies are compiled, and this is how to compile a cell.
    Ready(Box<Recording>),
    /// They are not; this is what cargo printed, and its exit code.
    Failed(Answer),
    /// The person did not want to wait.
    Cancelled,
}

/// Lets the real cargo compile the dependencies and notes how it would compile the cell.
///
/// # Errors
/// cargo cannot be run.
pub fn record(call: &Call) -> io::Result<Recorded> {
    let session = &call.session;
    let before = question(session);
    let file = session.build_dir.join("recording.json");
    let _ = fs::remove_file(&file);
    let mut cargo = call::real_cargo(call);
    let args = call.args.iter().map(|arg| if arg == "check" { "build" } else { arg });
    cargo.args(args).env("RUSTC_WRAPPER", session.bin_dir().join(RECORDER));
    cargo.env(FILE_VAR, &file).stderr(Stdio::inherit());
    let output = match job::output(&mut cargo, &Requests::new(&session.build_dir))? {
        Job::Ended(output) => output,
        Job::Cancelled => return Ok(Recorded::Cancelled),
    };
    let text = fs::read_to_string(&file).ok();
    let recording = text.and_then(|text| serde_json::from_str::<Recording>(&text).ok());
    let Some(mut recording) = recording else {
        return Ok(Recorded::Failed(Answer::from(output)));
    };
    recording.sources = editable_sources(session);
    // cargo has completed the lock file; kernels ask with it as it was, and this one as it is.
    let now = question(session);
    for question in [&before, &now] {
        answers::save(session, "build", question, &recording);
    }
    remember(session, &now);
    Ok(Recorded::Ready(Box::new(recording)))
}

/// This process as `RUSTC_WRAPPER`: becomes rustc for a dependency. For the cells' crate it notes
/// the call and fails, because the kernel compiles that itself.
pub fn run(args: &[OsString]) -> ExitCode {
    let Some((rustc, args)) = args.split_first() else {
        eprintln!("blitz-kernel: cargo gave no rustc to run");
        return ExitCode::from(1);
    };
    let text: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let is_cells = text.windows(2).any(|pair| pair[0] == "--crate-name" && pair[1] == CRATE);
    match std::env::var_os(FILE_VAR) {
        Some(file) if is_cells => {
            let env = std::env::vars().filter(|(name, _)| is_set_by_cargo(name)).collect();
            let recording = Recording { args: text, env, sources: Vec::new() };
            // When it cannot be written, cargo's failure is what remains to report.
            let _ = serde_json::to_string(&recording).map(|text| fs::write(file, text));
            ExitCode::from(1)
        }
        _ => {
            let error = Command::new(rustc).args(args).env_remove(FILE_VAR).exec();
            call::cannot_run("rustc", &error)
        }
    }
}

fn is_set_by_cargo(name: &str) -> bool {
    let cargos = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    name == "CARGO" || name == "LD_LIBRARY_PATH" || cargos.iter().any(|it| name.starts_with(it))
}

/// Notes the question for the kernel itself, which does not know all that it depends on. Best effort:
/// without it, the dependencies are compiled before definitions are checked.
fn remember(session: &Session, question: &Question) {
    let file = session.build_dir.join(LAST_QUESTION);
    let Ok(text) = serde_json::to_string(question) else { return };
    if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
        let _ = fs::write(file, text);
    }
}

/// What a cell's compilation depends on apart from its source.
pub fn question(session: &Session) -> Question {
    let manifest = fs::read_to_string(session.build_dir.join("Cargo.toml")).unwrap_or_default();
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let versions = metadata::locked_versions(session);
    Question::new(session, &[&metadata::normalize(&manifest), &versions, &flags])
}

/// The sources of the compiled dependencies outside cargo's own directories, from rustc's lists
/// (`*.d`) beside the libraries.
fn editable_sources(session: &Session) -> Vec<Stamped> {
    let own = |path: &Path| path.starts_with(&session.build_dir);
    let published = |path: &Path| {
        path.components()
            .any(|part| part.as_os_str() == "registry" || part.as_os_str() == "checkouts")
    };
    let mut sources: Vec<PathBuf> = dependency_lists(&session.build_dir)
        .filter_map(|list| fs::read_to_string(list).ok())
        .flat_map(|list| list.lines().filter_map(source_of_rule).collect::<Vec<_>>())
        .filter(|path| path.is_absolute() && !own(path) && !published(path))
        .collect();
    let manifests: Vec<PathBuf> = sources.iter().filter_map(|path| manifest_of(path)).collect();
    sources.extend(manifests);
    sources.sort();
    sources.dedup();
    sources.iter().filter_map(|path| Stamped::now(path)).collect()
}

fn manifest_of(source: &Path) -> Option<PathBuf> {
    source.ancestors().map(|dir| dir.join("Cargo.toml")).find(|path| path.is_file())
}

fn dependency_lists(build_dir: &Path) -> impl Iterator<Item = PathBuf> {
    let targets = fs::read_dir(build_dir.join("target")).into_iter().flatten().flatten();
    let dirs = targets.flat_map(|target| {
        let path = target.path();
        [path.join("debug/deps"), path.join("deps")]
    });
    let files = dirs.flat_map(|dir| fs::read_dir(dir).into_iter().flatten().flatten());
    files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|it| it == "d"))
}

/// A source file has a rule of its own, `PATH:`, in a list of dependencies.
fn source_of_rule(line: &str) -> Option<PathBuf> {
    let path = line.strip_suffix(':')?;
    Some(PathBuf::from(path.replace("\\ ", " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_may_be_edited_are_watched() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let root = dir.path();
        let (build_dir, own) = (root.join("build"), root.join("my crate"));
        let deps = build_dir.join("target/x86_64/debug/deps");
        for made in [&deps, &own.join("src"), &root.join("registry")] {
            fs::create_dir_all(made).expect("a directory is made");
        }
        let (source, published) = (own.join("src/lib.rs"), root.join("registry/lib.rs"));
        for file in [&source, &own.join("Cargo.toml"), &published] {
            fs::write(file, "").expect("a file is written");
        }
        let escaped = source.to_string_lossy().replace(' ', "\\ ");
        let rules =
            [&escaped, "src/lib.rs", &published.to_string_lossy()].map(|it| format!("{it}:\n"));
        let list = format!("/out.d: {escaped} src/lib.rs\n\n{}", rules.concat());
        fs::write(deps.join("my-1.d"), list).expect("a list is written");
        let watched = editable_sources(&Session::for_tests(&build_dir));
        let paths: Vec<&Path> = watched.iter().map(|source| source.path.as_path()).collect();
        assert_eq!(paths, [own.join("Cargo.toml"), source.clone()]);
        assert!(watched.iter().all(Stamped::is_unchanged));
        fs::write(&source, "fn edited() {}").expect("the source is edited");
        assert!(!watched.iter().all(Stamped::is_unchanged));
    }
}
