//! The real toolchain: which one it is, and whether it is still the one that was recorded.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

const FILE: &str = "toolchain.json";

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
}

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
        Ok(Toolchain { cargo: tool("cargo")?, rustc, version, sysroot })
    }

    /// The toolchain recorded in `dir`, if one is.
    pub fn load(dir: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(dir.join(FILE)).ok()?).ok()
    }

    /// Records the toolchain in `dir`, which is made.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_string(self).context("the toolchain has no JSON form")?;
        fs::create_dir_all(dir)
            .and_then(|()| fs::write(dir.join(FILE), text))
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
    let path = path.map(|path| PathBuf::from(path.trim_end())).or_else(|| {
        let dirs = std::env::var_os("PATH")?;
        std::env::split_paths(&dirs).map(|dir| dir.join(name)).find(|path| path.is_file())
    });
    path.as_deref()
        .and_then(Stamped::now)
        .with_context(|| format!("cannot find {name}; install Rust from https://rustup.rs"))
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
