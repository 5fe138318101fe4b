//! The toolchain between evcxr and the real one.
//!
//! evcxr and its rust-analyzer start cargo, rustc and rustup about forty times before the first
//! tensor is printed, read crates that no cell can name, and compile each cell through cargo. So a
//! kernel puts links to its own binary before the real tools. Under those names it answers what was
//! answered before ([`answers`]), shows rust-analyzer less ([`metadata`], [`sysroot`]), and compiles
//! a cell by calling rustc as cargo did once ([`build`]).

mod aids;
mod answers;
mod build;
mod instrument;
mod job;
mod messages;
mod metadata;
mod opt_level;
mod real;
mod recording;
mod shim;
mod sources;
mod sysroot;
#[cfg(test)]
mod variable_store;

pub use aids::dir as aids_dir;

use crate::environment::{self, Layout};
use anyhow::{Context, Result};
use real::Toolchain;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Names the build directory of the kernel that the tools belong to.
const SESSION_VAR: &str = "BLITZ_TOOLCHAIN";
/// Where a session is described, below its build directory.
const SESSION_FILE: &str = "toolchain.json";
/// Exists while a cell's compilation is to be cancelled.
const CANCEL_FILE: &str = "cancel-compilation";
/// Exists once a cell has changed how evcxr shows values.
const FORMAT_FILE: &str = "own-format";

/// Acts as `cargo`, `rustc` or `rustup` where this process was started under such a name, and
/// returns how to end then. Call it first thing in `main`.
pub fn run_as_tool() -> Option<ExitCode> {
    shim::run()
}

/// Puts the kernel's own tools before the real ones in this process's environment. Call it before
/// any thread is started, and after everything else that changes the environment.
///
/// # Errors
/// There is no Rust toolchain, or the links cannot be made.
pub fn prepare(layout: &Layout, build_dir: &Path) -> Result<()> {
    let toolchain = match Toolchain::load(&layout.toolchain_dir()) {
        Some(recorded) => recorded.or_active(!layout.is_own())?,
        None => Toolchain::find()?,
    };
    install(&Session::of_this_process(layout, build_dir, toolchain))
}

/// Makes the toolchain that set-up used the one that the stock kernel finds, which calls it by name
/// and compiles through cargo: from sources elsewhere, cargo would compile everything again. Call it
/// before any thread is started.
pub fn name_to_stock(layout: &Layout) {
    let Some(toolchain) = Toolchain::load(&layout.toolchain_dir()) else { return };
    environment::set("PATH", toolchain.completed_path(std::env::var_os("PATH").as_deref()));
    if blitz_places::is_readable(&toolchain.cargo_home.join("registry")) {
        environment::set("CARGO_HOME", &toolchain.cargo_home);
    }
}

/// As [`prepare`] for set-up: finds the toolchain anew and forgets every recorded answer, so that
/// the real tools are asked once more.
///
/// # Errors
/// As for [`prepare`].
pub fn prepare_warm(layout: &Layout) -> Result<()> {
    let store = layout.toolchain_dir();
    match fs::remove_dir_all(&store) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", store.display()));
        }
        _ => {}
    }
    let toolchain = Toolchain::find()?;
    toolchain.save(&store)?;
    install(&Session::of_this_process(layout, &layout.warm_dir(), toolchain))
}

/// Gives `command` the environment that the person started the kernel with.
pub fn restore(command: &mut Command) {
    if let Some(session) = Session::of_environment() {
        session.restore(command);
    }
}

/// Asks for the compilation that runs in `build_dir`, and any that follows, to end. It ends within
/// 50 ms with the error "compilation cancelled".
///
/// # Errors
/// The request cannot be written.
pub fn cancel(build_dir: &Path) -> std::io::Result<()> {
    fs::write(build_dir.join(CANCEL_FILE), "")
}

/// Takes a request to cancel back. Call it before each cell.
pub fn allow(build_dir: &Path) {
    let _ = fs::remove_file(build_dir.join(CANCEL_FILE));
}

/// Looks for commands in a cell that change how values are shown (`:fmt`, `:types`): from there on
/// showing is left to evcxr. Call it before each cell.
pub fn note_commands(build_dir: &Path, cell: &str) {
    let changes_format = |line: &str| {
        let command = line.trim_start().split(' ').next();
        matches!(command, Some(":fmt" | ":types"))
    };
    if cell.lines().any(changes_format) {
        let _ = fs::write(build_dir.join(FORMAT_FILE), "");
    }
}

/// A kernel's tools: what they stand before, and where they keep what they know.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    /// evcxr's crate directory.
    build_dir: PathBuf,
    /// The answers recorded by set-up.
    store: PathBuf,
    /// The compiled dependencies that the build directory was started from.
    warm_dir: PathBuf,
    toolchain: Toolchain,
    /// The person's environment: variables that [`install`] changes. Its `PATH` leads to the
    /// toolchain, however the kernel was started.
    environment: Vec<(String, Option<OsString>)>,
}

/// The variables that [`install`] changes.
const CHANGED: [&str; 3] = ["PATH", "CARGO_HOME", "RUST_SRC_PATH"];

impl Session {
    fn of_this_process(layout: &Layout, build_dir: &Path, toolchain: Toolchain) -> Self {
        let value = |name: &str| match std::env::var_os(name) {
            path if name == "PATH" => Some(toolchain.completed_path(path.as_deref())),
            value => value,
        };
        let mut environment = CHANGED.map(|name| (name.to_owned(), value(name))).to_vec();
        // What set-up has compiled looks for the standard library where it was then.
        let recorded = Toolchain::load(&layout.toolchain_dir());
        if recorded.is_some_and(|recorded| recorded.sysroot != toolchain.sysroot) {
            let others = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
            let dirs = std::iter::once(toolchain.std_dir()).chain(std::env::split_paths(&others));
            let dirs = std::env::join_paths(dirs.filter(|dir| !dir.as_os_str().is_empty()));
            environment.push(("LD_LIBRARY_PATH".to_owned(), dirs.ok()));
        }
        Session {
            build_dir: build_dir.to_owned(),
            store: layout.toolchain_dir(),
            warm_dir: layout.warm_dir(),
            toolchain,
            environment,
        }
    }

    /// The session that this process's environment names, if one does.
    fn of_environment() -> Option<Self> {
        let build_dir = PathBuf::from(std::env::var_os(SESSION_VAR)?);
        let text = fs::read_to_string(build_dir.join(SESSION_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn restore(&self, command: &mut Command) {
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env_remove(SESSION_VAR);
    }

    /// The person's own cargo directory.
    fn own_cargo_home(&self) -> PathBuf {
        let variable = self.environment.iter().find(|(name, _)| name == "CARGO_HOME");
        real::cargo_home(variable.and_then(|(_, value)| value.clone()))
    }

    /// The links under which this binary is a tool.
    fn bin_dir(&self) -> PathBuf {
        self.build_dir.join("bin")
    }

    /// The answers that this kernel recorded itself.
    fn own_store(&self) -> PathBuf {
        self.build_dir.join("answers")
    }

    fn cancel_file(&self) -> PathBuf {
        self.build_dir.join(CANCEL_FILE)
    }
}

fn install(session: &Session) -> Result<()> {
    let bin = session.bin_dir();
    let cargo_home = session.build_dir.join("cargo-home");
    // rust-analyzer prefers the cargo in CARGO_HOME to the one in PATH.
    for dir in [&bin, &cargo_home.join("bin")] {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    let this = std::env::current_exe().context("cannot find this binary")?;
    for link in ["cargo", "rustc", "rustup", shim::RECORDER].map(|name| bin.join(name)) {
        link_binary(&this, &link)?;
    }
    link_binary(&this, &cargo_home.join("bin/cargo"))?;
    sysroot::make_views(session)?;
    let text = serde_json::to_string(session).context("the session has no JSON form")?;
    let file = session.build_dir.join(SESSION_FILE);
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    let path = session.toolchain.completed_path(std::env::var_os("PATH").as_deref());
    let paths = std::iter::once(bin).chain(std::env::split_paths(&path));
    environment::set("PATH", std::env::join_paths(paths).context("PATH cannot be extended")?);
    environment::set("CARGO_HOME", cargo_home);
    environment::remove("RUST_SRC_PATH");
    environment::set(SESSION_VAR, &session.build_dir);
    Ok(())
}

/// Links `link` to `this`: hard, so that a kernel keeps its own version when set-up builds another.
fn link_binary(this: &Path, link: &Path) -> Result<()> {
    let _ = fs::remove_file(link);
    fs::hard_link(this, link)
        .or_else(|_| std::os::unix::fs::symlink(this, link))
        .with_context(|| format!("cannot link {}", link.display()))
}

#[cfg(test)]
impl Session {
    /// A session in `build_dir` whose toolchain is an empty file.
    fn for_tests(build_dir: &Path) -> Self {
        let file = build_dir.join("binary");
        fs::write(&file, "").expect("a file is written");
        let binary = real::Stamped::now(&file).expect("the file is there");
        let toolchain = Toolchain {
            cargo: binary.clone(),
            rustc: binary,
            version: "rustc 1.0\nhost: x86_64\n".into(),
            sysroot: build_dir.join("toolchain"),
            cargo_home: build_dir.join("cargo"),
            dirs: Vec::new(),
        };
        Session {
            build_dir: build_dir.to_owned(),
            store: build_dir.join("store"),
            warm_dir: build_dir.join("warm"),
            toolchain,
            environment: vec![("PATH".into(), Some("/own".into())), ("CARGO_HOME".into(), None)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_the_persons_environment_back() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new("true");
        command.env("PATH", "/kernel").env(SESSION_VAR, "x");
        Session::for_tests(dir.path()).restore(&mut command);
        let changed = |name: &str| {
            let found = command.get_envs().find(|(it, _)| *it == name);
            found.map(|(_, value)| value.map(|value| value.to_string_lossy().into_owned()))
        };
        assert_eq!(changed("PATH"), Some(Some("/own".into())));
        assert_eq!(changed("CARGO_HOME"), Some(None));
        assert_eq!(changed(SESSION_VAR), Some(None));
    }

    #[test]
    fn commands_that_change_how_values_are_shown_are_noted() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        note_commands(dir.path(), ":dep rand = \"0.9\"\nlet fmt = \":fmt\";");
        assert!(!dir.path().join(FORMAT_FILE).exists());
        note_commands(dir.path(), "  :fmt {:#?}\n1");
        assert!(dir.path().join(FORMAT_FILE).exists());
    }
}
