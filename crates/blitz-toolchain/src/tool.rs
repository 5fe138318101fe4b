//! This binary as `cargo`, `rustc` and `rustup`.

use crate::answers::{self, Answer, Question};
use crate::call::{Call, cannot_run, chosen_rustc, real};
use crate::parent::end_with_parent;
use crate::recording::{self, RECORDER};
use crate::session::Session;
use crate::{compile_cell, metadata, sysroot, sysroot_metadata};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Answers a call and returns how to end, or `None` when this process is no tool.
pub fn run() -> Option<ExitCode> {
    let mut args = std::env::args_os();
    let name = PathBuf::from(args.next()?);
    let name = name.file_name()?.to_str()?;
    if name == RECORDER {
        return Some(recording::run(&args.collect::<Vec<_>>()));
    }
    // A kernel that is killed leaves no compiler behind.
    end_with_parent();
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
        "cargo" => cargo(&call),
        "rustc" => rustc(&call),
        _ => rustup(&call),
    };
    Some(answered.unwrap_or_else(|| replace_by_real(&call, tool, &args)))
}

fn cargo(call: &Call) -> Option<ExitCode> {
    if call.is_in(&sysroot::library(&call.session)) {
        return (call.words().first() == Some(&"metadata")).then(|| sysroot_metadata::answer(call));
    }
    if !call.is_in_build_dir() || call.has_other_toolchain() {
        return None;
    }
    match call.words().as_slice() {
        ["build", "--target", ..] => Some(compile_cell::build(call)),
        ["check", "--target", ..] => Some(compile_cell::check(call)),
        ["metadata", ..] => Some(metadata::answer(call)),
        ["--version"]
        | ["locate-project", ..]
        | ["-Z", "unstable-options", "config", "get", ..]
        | ["rustc", "-Z", "unstable-options", "--print", ..] => Some(remember(call, "cargo")),
        _ => None,
    }
}

fn rustc(call: &Call) -> Option<ExitCode> {
    match call.words().as_slice() {
        ["--print", "sysroot"] if call.is_in_build_dir() => {
            println!("{}", sysroot::answer(&call.session).display());
            Some(ExitCode::SUCCESS)
        }
        ["-vV" | "-Vv" | "--version"] | ["--print", "target-libdir"] => {
            Some(remember(call, "rustc"))
        }
        _ => None,
    }
}

fn rustup(call: &Call) -> Option<ExitCode> {
    match call.words().as_slice() {
        ["which", tool @ ("cargo" | "rustc")] => {
            println!("{}", call.session.bin_dir().join(tool).display());
            Some(ExitCode::SUCCESS)
        }
        // evcxr's `:toolchain`. This cargo stands before every toolchain's.
        [toolchain, "which", "cargo"] if toolchain.starts_with('+') => {
            let found = real(&call.session, "rustup").args(&call.args).output();
            if !found.is_ok_and(|output| output.status.success()) {
                return Some(ExitCode::from(1));
            }
            println!("{}", call.session.bin_dir().join("cargo").display());
            Some(ExitCode::SUCCESS)
        }
        // rust-analyzer misses the sources of the standard library. Set-up has asked for them.
        ["component", "add", ..] if call.is_in_build_dir() => Some(ExitCode::from(1)),
        _ => None,
    }
}

/// Asks the real tool the first time, and repeats what it said after that.
fn remember(call: &Call, tool: &str) -> ExitCode {
    let mut parts = vec![tool];
    parts.extend(call.words());
    let question = Question::new(&call.session, &parts);
    if let Some(answer) = answers::load::<Answer>(&call.session, tool, &question) {
        return answer.give();
    }
    match real(&call.session, tool).args(&call.args).output() {
        Ok(output) => {
            let answer = Answer::from(output);
            answers::save(&call.session, tool, &question, &answer);
            answer.give()
        }
        Err(error) => cannot_run(tool, &error),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_in_a_cell_is_for_the_real_cargo() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let args = ["metadata".to_owned()].to_vec();
        // This test does not run in the session's directory.
        assert!(cargo(&Call { session: Session::for_tests(dir.path()), args }).is_none());
    }
}
