//! This binary as `cargo`, `rustc` and `rustup`.

use super::answers::{self, Answer, Question};
use super::{Session, build, metadata, recording, sysroot};
use crate::parent;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

/// The name under which this binary stands before rustc in cargo's own builds.
pub const RECORDER: &str = "rustc-recorder";

/// A tool was called: by evcxr, by its rust-analyzer, or by a command in a cell.
pub struct Call {
    /// The kernel that the tool belongs to.
    pub session: Session,
    /// Its arguments.
    pub args: Vec<String>,
}

/// Answers a call and returns how to end, or `None` when this process is no tool.
pub fn run() -> Option<ExitCode> {
    let mut args = std::env::args_os();
    let name = PathBuf::from(args.next()?);
    let name = name.file_name()?.to_str()?;
    if name == RECORDER {
        return Some(recording::run(&args.collect::<Vec<_>>()));
    }
    // A kernel that is killed leaves no compiler behind.
    parent::end_with_parent();
    let tool = ["cargo", "rustc", "rustup"].into_iter().find(|tool| name == *tool)?;
    let Some(session) = Session::of_environment() else {
        eprintln!("blitz-kernel: started as {tool} without a kernel");
        return Some(ExitCode::from(1));
    };
    let args: Vec<OsString> = args.collect();
    // No question that is answered here has an argument that is no text.
    let text = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let call = Call { session, args: text };
    let answered = match tool {
        "cargo" => call.cargo(),
        "rustc" => call.rustc(),
        _ => call.rustup(),
    };
    Some(answered.unwrap_or_else(|| replace_by_real(&call, tool, &args)))
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

    fn cargo(&self) -> Option<ExitCode> {
        if self.is_in(&sysroot::library(&self.session)) {
            return (self.words().first() == Some(&"metadata")).then(|| sysroot::metadata(self));
        }
        if !self.is_in_build_dir() || self.has_other_toolchain() {
            return None;
        }
        match self.words().as_slice() {
            ["build", "--target", ..] => Some(build::build(self)),
            ["check", "--target", ..] => Some(build::check(self)),
            ["metadata", ..] => Some(metadata::answer(self)),
            ["--version"]
            | ["locate-project", ..]
            | ["-Z", "unstable-options", "config", "get", ..]
            | ["rustc", "-Z", "unstable-options", "--print", ..] => Some(self.remember("cargo")),
            _ => None,
        }
    }

    fn rustc(&self) -> Option<ExitCode> {
        match self.words().as_slice() {
            ["--print", "sysroot"] if self.is_in_build_dir() => {
                println!("{}", sysroot::answer(&self.session.build_dir).display());
                Some(ExitCode::SUCCESS)
            }
            ["-vV" | "-Vv" | "--version"] | ["--print", "target-libdir"] => {
                Some(self.remember("rustc"))
            }
            _ => None,
        }
    }

    fn rustup(&self) -> Option<ExitCode> {
        match self.words().as_slice() {
            ["which", tool @ ("cargo" | "rustc")] => {
                println!("{}", self.session.bin_dir().join(tool).display());
                Some(ExitCode::SUCCESS)
            }
            // evcxr's `:toolchain`. This cargo stands before every toolchain's.
            [toolchain, "which", "cargo"] if toolchain.starts_with('+') => {
                let found = real(&self.session, "rustup").args(&self.args).output();
                if !found.is_ok_and(|output| output.status.success()) {
                    return Some(ExitCode::from(1));
                }
                println!("{}", self.session.bin_dir().join("cargo").display());
                Some(ExitCode::SUCCESS)
            }
            // rust-analyzer misses the sources of the standard library. Set-up has asked for them.
            ["component", "add", ..] if self.is_in_build_dir() => Some(ExitCode::from(1)),
            _ => None,
        }
    }

    /// Whether evcxr or its rust-analyzer calls, and no command in a cell, which runs where the
    /// notebook is.
    fn is_in_build_dir(&self) -> bool {
        self.is_in(&self.session.build_dir)
    }

    fn is_in(&self, dir: &Path) -> bool {
        let here = std::env::current_dir().ok();
        here.is_some() && here == dir.canonicalize().ok()
    }

    /// Whether the person has chosen another toolchain by evcxr's `:toolchain`, or a compiler
    /// wrapper by `:cache`, `:sccache` or `:allow_static_linking`.
    fn has_other_toolchain(&self) -> bool {
        let ours = self.session.bin_dir().join("rustc");
        std::env::var_os("RUSTC").is_some_and(|rustc| Path::new(&rustc) != ours)
            || std::env::var_os("RUSTC_WRAPPER").is_some()
    }

    /// Asks the real tool the first time, and repeats what it said after that.
    fn remember(&self, tool: &str) -> ExitCode {
        let mut parts = vec![tool];
        parts.extend(self.words());
        let question = Question::new(&self.session, &parts);
        if let Some(answer) = answers::load::<Answer>(&self.session, tool, &question) {
            return answer.give();
        }
        match real(&self.session, tool).args(&self.args).output() {
            Ok(output) => {
                let answer = Answer::from(output);
                answers::save(&self.session, tool, &question, &answer);
                answer.give()
            }
            Err(error) => cannot_run(tool, &error),
        }
    }
}

impl Answer {
    /// Prints the answer.
    pub fn give(&self) -> ExitCode {
        // Nobody reads any more when this fails.
        let _ = io::stdout().write_all(self.stdout.as_bytes());
        let _ = io::stderr().write_all(self.stderr.as_bytes());
        ExitCode::from(self.code)
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Answer {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
        }
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
    if is_offline && is_others && blitz_places::is_readable(&set_up.join("registry")) {
        command.env("CARGO_HOME", set_up);
    }
    command
}

fn chosen_rustc() -> Option<PathBuf> {
    std::env::var_os("RUSTC").map(PathBuf::from)
}

/// Becomes the real tool: that of the session where evcxr asks; for a command in a cell, the one in
/// the person's own `PATH`, which may be rustup's and understand `+nightly`.
fn replace_by_real(call: &Call, tool: &str, args: &[OsString]) -> ExitCode {
    let mut command = real(&call.session, tool);
    if !call.is_in_build_dir() {
        command = Command::new(tool);
        call.session.restore(&mut command);
    } else if tool == "cargo"
        && call.has_other_toolchain()
        && let Some(rustc) = chosen_rustc()
        && rustc != call.session.bin_dir().join("rustc")
    {
        // With `:toolchain`, evcxr names the chosen rustc; its cargo lies beside it.
        command = Command::new(rustc.with_file_name("cargo"));
        call.session.restore(&mut command);
    }
    let error = command.args(args).exec();
    cannot_run(tool, &error)
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
        // This test does not run in the session's directory.
        assert!(call.cargo().is_none(), "a command in a cell is for the real cargo");
    }
}
