//! The real toolchain: which one it is, and whether it is still the one that was recorded.

use anyhow::{Context, Result, bail};
use blitz_contract::layout::TOOLCHAIN_ANSWER;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

/// cargo and rustc themselves, not rustup's proxies for them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Toolchain {
    /// cargo's binary.
    pub cargo: Stamped,
    /// rustc's binary.
    pub rustc: Stamped,
    /// What `rustc -vV` prints.
    pub version: String,
    /// The directory that holds `lib/rustlib`.
    pub sysroot: PathBuf,
    /// cargo's directory, with the sources of published crates.
    pub cargo_home: PathBuf,
    /// Where cargo, rustc, rustup and the linker are. A kernel that a desktop's menu starts has
    /// not all of them in its `PATH`.
    pub dirs: Vec<PathBuf>,
}

/// The programs that compiling needs, whose directories are remembered.
const PROGRAMS: [&str; 4] = ["rustup", "cc", "c++", "ld"];

/// A file as it was at some moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamped {
    /// The file.
    pub path: PathBuf,
    size: u64,
    modified_ns: u128,
}

impl Stamped {
    /// The file as it is now, if it is there.
    pub fn now(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let (size, modified_ns) = (metadata.len(), modified.as_nanos());
        Some(Stamped { path: path.to_owned(), size, modified_ns })
    }

    /// Whether the file is still as it was.
    pub fn is_unchanged(&self) -> bool {
        Stamped::now(&self.path).as_ref() == Some(self)
    }
}

impl Toolchain {
    /// Asks rustup which toolchain is active here; without rustup, looks in `PATH`.
    ///
    /// # Errors
    /// There is none.
    pub fn find() -> Result<Self> {
        let rustc = tool("rustc")?;
        let version = output(&rustc.path, &["-vV"])?;
        let sysroot = PathBuf::from(output(&rustc.path, &["--print", "sysroot"])?.trim_end());
        let cargo = tool("cargo")?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let real = cargo.path.parent().map(Path::to_owned);
        let found = PROGRAMS.iter().filter_map(|name| dir_of(name, &path));
        let mut dirs: Vec<PathBuf> = real.into_iter().chain(found).collect();
        let mut seen = HashSet::new();
        dirs.retain(|dir| seen.insert(dir.clone()));
        let cargo_home = cargo_home(std::env::var_os("CARGO_HOME"));
        Ok(Toolchain { cargo, rustc, version, sysroot, cargo_home, dirs })
    }

    /// This toolchain, recorded by set-up, where it is unchanged; else the one that is active here,
    /// which the recorded answers fit when it is the same version.
    ///
    /// # Errors
    /// There is none; or with `others_set_up`, none of the recorded version, which nobody here
    /// could compile the dependencies anew for.
    pub fn or_active(self, others_set_up: bool) -> Result<Self> {
        if self.is_unchanged() {
            return Ok(self);
        }
        let active = self.same_version_of_rustup().map_or_else(Toolchain::find, Ok);
        let is_same = active.as_ref().is_ok_and(|active| active.version == self.version);
        if others_set_up && !is_same {
            let here = active.map_or("none".to_owned(), |active| active.release().to_owned());
            let release = self.release();
            bail!(
                "this kernel was set up with {release}, which cannot be read at {}; found here: \
                 {here}. Ask its owner to make it readable (`chmod -R a+rX`) or to install Rust \
                 where everyone can read it, or install the same version for yourself from \
                 https://rustup.rs: `rustup toolchain install {}`",
                self.rustc.path.display(),
                release.split(' ').nth(1).unwrap_or("VERSION")
            );
        }
        if active.is_ok() && !is_same {
            eprintln!(
                "blitz-kernel: the Rust toolchain has changed since set-up, so cells are slow at \
                 first; `cargo blitz setup` renews what is prepared"
            );
        }
        active
    }

    /// The recorded version where rustup has it under its number, whatever toolchain is active.
    fn same_version_of_rustup(&self) -> Option<Self> {
        let number = self.release().split(' ').nth(1)?;
        let which = |tool: &str| {
            let arguments = ["which", "--toolchain", number, tool];
            let path = output(Path::new("rustup"), &arguments).ok()?;
            Stamped::now(Path::new(path.trim_end()))
        };
        let (rustc, cargo) = (which("rustc")?, which("cargo")?);
        let version = output(&rustc.path, &["-vV"]).ok()?;
        let sysroot = output(&rustc.path, &["--print", "sysroot"]).ok()?;
        let sysroot = PathBuf::from(sysroot.trim_end());
        let cargo_home = cargo_home(std::env::var_os("CARGO_HOME"));
        (version == self.version).then(|| Toolchain {
            cargo,
            rustc,
            sysroot,
            cargo_home,
            ..self.clone()
        })
    }

    /// The first line of the version, as `rustc 1.95.0 (59807616e 2026-04-14)`.
    fn release(&self) -> &str {
        self.version.lines().next().unwrap_or("an unknown Rust")
    }

    /// `path`, a value of `PATH`, with the directories of this toolchain's programs behind it.
    pub fn completed_path(&self, path: Option<&OsStr>) -> OsString {
        let mut dirs: Vec<PathBuf> =
            path.map(std::env::split_paths).into_iter().flatten().collect();
        for dir in &self.dirs {
            if !dirs.contains(dir) {
                dirs.push(dir.clone());
            }
        }
        std::env::join_paths(dirs).unwrap_or_else(|_| path.unwrap_or_default().to_owned())
    }

    /// The toolchain recorded in `dir`, if one is.
    pub fn load(dir: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(dir.join(TOOLCHAIN_ANSWER)).ok()?).ok()
    }

    /// Records the toolchain in `dir`, which is made.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_string(self).context("the toolchain has no JSON form")?;
        fs::create_dir_all(dir)
            .and_then(|()| fs::write(dir.join(TOOLCHAIN_ANSWER), text))
            .with_context(|| format!("cannot write the toolchain to {}", dir.display()))
    }

    /// The directory of the standard library's shared object.
    pub fn std_dir(&self) -> PathBuf {
        let host = self.version.lines().find_map(|line| line.strip_prefix("host: "));
        self.sysroot.join("lib/rustlib").join(host.unwrap_or_default()).join("lib")
    }

    /// Whether cargo and rustc are the files that they were when this was recorded.
    pub fn is_unchanged(&self) -> bool {
        self.cargo.is_unchanged() && self.rustc.is_unchanged()
    }
}

fn tool(name: &str) -> Result<Stamped> {
    let path = output(Path::new("rustup"), &["which", name]).ok();
    let path = path
        .map(|path| PathBuf::from(path.trim_end()))
        .or_else(|| Some(dir_of(name, &std::env::var_os("PATH")?)?.join(name)));
    path.as_deref()
        .and_then(Stamped::now)
        .with_context(|| format!("cannot find {name}; install Rust from https://rustup.rs"))
}

/// The directory of `path`, a value of `PATH`, that holds the program `name`.
fn dir_of(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).find(|dir| dir.is_absolute() && dir.join(name).is_file())
}

/// cargo's directory where the variable `CARGO_HOME` has this value.
pub fn cargo_home(variable: Option<OsString>) -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".cargo");
    variable.filter(|value| !value.is_empty()).map_or_else(home, PathBuf::from)
}

fn output(program: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("{} {} failed: {}", program.display(), args.join(" "), message.trim_end());
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed something else than text", program.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_path_is_completed_behind_what_the_person_has() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let binary = Stamped::now(dir.path()).expect("it is there");
        let toolchain = Toolchain {
            cargo: binary.clone(),
            rustc: binary,
            version: "rustc 1.0.0 (0)\n".into(),
            sysroot: dir.path().to_owned(),
            cargo_home: dir.path().to_owned(),
            dirs: ["/rust/bin", "/usr/bin"].map(PathBuf::from).to_vec(),
        };
        let completed = |path: Option<&str>| toolchain.completed_path(path.map(OsStr::new));
        assert_eq!(completed(Some("/usr/bin:/bin")), "/usr/bin:/bin:/rust/bin");
        assert_eq!(completed(None), "/rust/bin:/usr/bin");
        let missing = Toolchain {
            rustc: Stamped { path: "/no/such/rustc".into(), ..toolchain.rustc.clone() },
            version: "rustc 0.1.0 (none has it)\n".into(),
            ..toolchain
        };
        let error = missing.or_active(true).expect_err("nobody has that version").to_string();
        assert!(error.contains("rustc 0.1.0") && error.contains("chmod -R a+rX"), "{error}");
        assert!(error.contains("rustup toolchain install 0.1.0"), "{error}");
    }
}
