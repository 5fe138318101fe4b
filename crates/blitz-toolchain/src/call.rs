//! A call of a tool, and the real tool that it stands for.

use crate::session::Session;
use crate::sysroot;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// A tool was called: by evcxr, by its rust-analyzer, or by a command in a cell.
pub struct Call {
    /// The kernel that the tool belongs to.
    pub session: Session,
    /// Its arguments.
    pub args: Vec<String>,
}

impl Call {
    /// The arguments as words, without the options that say nothing about the answer.
    pub fn words(&self) -> Vec<&str> {
        let mut words = Vec::new();
        let mut args = self.args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            match arg {
                "--offline" => {}
                // A copy of the lock file in a directory of its own each time.
                "--lockfile-path" => drop(args.next()),
                _ => words.push(arg),
            }
        }
        words
    }

    /// Whether evcxr or its rust-analyzer calls, and no command in a cell, which runs where the
    /// notebook is.
    pub fn is_in_build_dir(&self) -> bool {
        self.is_in(&self.session.build_dir)
    }

    /// Whether the tool was called in `dir`.
    pub fn is_in(&self, dir: &Path) -> bool {
        let here = std::env::current_dir().ok();
        here.is_some() && here == dir.canonicalize().ok()
    }

    /// Whether the person has chosen another toolchain by evcxr's `:toolchain`, or a compiler
    /// wrapper by `:cache`, `:sccache` or `:allow_static_linking`.
    pub fn has_other_toolchain(&self) -> bool {
        let ours = self.session.bin_dir().join("rustc");
        std::env::var_os("RUSTC").is_some_and(|rustc| Path::new(&rustc) != ours)
            || std::env::var_os("RUSTC_WRAPPER").is_some()
    }
}

/// The tool of the session's toolchain, in the environment that the person has.
pub fn real(session: &Session, tool: &str) -> Command {
    let mut command = match tool {
        "cargo" => Command::new(&session.toolchain.cargo.path),
        "rustc" => Command::new(&session.toolchain.rustc.path),
        other => Command::new(other),
    };
    if chosen_rustc().is_some_and(|rustc| rustc == session.bin_dir().join("rustc")) {
        command.env("RUSTC", &session.toolchain.rustc.path);
    }
    if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN")
        && sysroot::is_view(&session.build_dir, Path::new(&toolchain))
    {
        command.env_remove("RUSTUP_TOOLCHAIN");
    }
    session.restore(&mut command);
    command
}

/// The real cargo with the arguments of `call`. Without the network it finds published crates where
/// set-up has put them: the person who set up may have been another one, or have had another
/// `CARGO_HOME`. And crates compiled from there are not compiled again.
pub fn real_cargo(call: &Call) -> Command {
    let mut command = real(&call.session, "cargo");
    let set_up = &call.session.toolchain.cargo_home;
    let is_offline = call.args.iter().any(|arg| arg == "--offline");
    let is_others = *set_up != call.session.own_cargo_home();
    if is_offline && is_others && blitz_user_dirs::is_readable(&set_up.join("registry")) {
        command.env("CARGO_HOME", set_up);
    }
    command
}

/// The rustc that the environment names.
pub fn chosen_rustc() -> Option<PathBuf> {
    std::env::var_os("RUSTC").map(PathBuf::from)
}

/// Says that the real tool does not run, which set-up can mend when it has moved.
pub fn cannot_run(tool: &str, error: &io::Error) -> ExitCode {
    eprintln!("blitz-kernel: cannot run the real {tool}: {error}; try `cargo blitz setup`");
    ExitCode::from(101)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_about_the_answer_is_no_word() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let args = ["--offline", "metadata", "--lockfile-path", "/tmp/1/Cargo.lock", "--locked"];
        let args = args.map(str::to_owned).to_vec();
        let call = Call { session: Session::for_tests(dir.path()), args };
        assert_eq!(call.words(), ["metadata", "--locked"]);
        assert!(!call.is_in_build_dir(), "this test runs where a command in a cell does");
    }
}
