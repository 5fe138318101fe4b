//! What a machine must bring: Rust, Python with venv, a C++ compiler, a path without spaces.

use crate::process::command::output_of;
use crate::project::Project;
use anyhow::{Result, anyhow, bail};
use blitz_contract::versions;
use std::process::Command;

/// Checks everything at once, cheapest first.
///
/// # Errors
/// The first thing that is missing, with its remedy.
pub fn check(project: &Project) -> Result<()> {
    path(project)?;
    rust()?;
    python()?;
    compiler()?;
    Ok(())
}

/// evcxr passes paths between its processes separated by spaces.
pub fn path(project: &Project) -> Result<String> {
    let root = project.root().display().to_string();
    if let Some(unfit) = blitz_user_dirs::unfit_character(project.root()) {
        let what = if unfit.is_whitespace() { "a space".to_owned() } else { format!("`{unfit}`") };
        bail!(
            "the path of this clone contains {what}: {root}\nThe Rust evaluator evcxr cannot work in \
             such a place. Move the clone, for example to ~/rust-blitz, and run the command again."
        );
    }
    Ok(root)
}

/// The compiler's version line.
pub fn rust() -> Result<String> {
    let version = output_of(Command::new("rustc").arg("--version")).ok_or_else(|| {
        anyhow!(
            "`rustc` does not run. Install Rust from https://rustup.rs and open a new terminal."
        )
    })?;
    if is_at_least(&version, versions::RUST) {
        return Ok(version);
    }
    bail!(
        "Rust {} or newer is needed, found `{version}`. Run `rustup update stable`.",
        versions::RUST
    )
}

/// The program name of a fitting Python, and its version line.
pub fn python() -> Result<(String, String)> {
    let mut found = Vec::new();
    for name in ["python3", "python3.13", "python3.12", "python3.11", "python3.10"] {
        let Some(version) = output_of(Command::new(name).arg("--version")) else {
            continue;
        };
        if is_at_least(&version, versions::PYTHON) {
            let venv = Command::new(name).args(["-c", "import venv, ensurepip"]).output();
            if venv.is_ok_and(|output| output.status.success()) {
                return Ok((name.to_owned(), version));
            }
            found.push(format!("{version} (without venv)"));
        } else {
            found.push(version);
        }
    }
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    bail!(
        "Python {} or newer with venv is needed, found {found}. Install it: \
         `sudo apt install python3 python3-venv` (Debian, Ubuntu), `sudo dnf install python3` \
         (Fedora), `brew install python` (macOS).",
        versions::PYTHON
    )
}

/// The C++ compiler's version line. The crate `cc`, which compiles tch's C++ part, uses `CXX` or
/// `c++`.
pub fn compiler() -> Result<String> {
    let name = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let version = output_of(Command::new(&name).arg("--version"));
    let version = version.and_then(|text| text.lines().next().map(str::to_owned));
    version.ok_or_else(|| {
        anyhow!(
            "the C++ compiler `{name}` does not run, and tch needs one (C++17). Install it: \
             `sudo apt install g++` (Debian, Ubuntu), `sudo dnf install gcc-c++` (Fedora), \
             `xcode-select --install` (macOS)."
        )
    })
}

/// Whether a version line tells of `least` or a newer one.
fn is_at_least(version: &str, least: &str) -> bool {
    numbers(version).is_some_and(|found| Some(found) >= numbers(least))
}

/// The first `MAJOR.MINOR` in a version line.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let number =
        version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = number.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_version_lines() {
        assert_eq!(numbers("rustc 1.95.0 (59807616e 2026-04-14)"), Some((1, 95)));
        assert_eq!(numbers("Python 3.9.18"), Some((3, 9)));
        assert!(!is_at_least("Python 3.9.18", "3.10") && is_at_least("Python 3.10.0", "3.10"));
        assert!(!is_at_least("command not found", "1.95"));
        assert_eq!(numbers("command not found"), None);
    }
}
