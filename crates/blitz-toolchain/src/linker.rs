//! The linker of cells, called without the C compiler.
//!
//! rustc calls `cc`, which calls `collect2`, which calls the linker: three programs that start for a cell
//! of a few kilobytes. rustc's own linker, beside it in the toolchain, needs nothing of theirs but the
//! directories where libraries lie. Where that does not link a small library, and for a cell that it
//! cannot link, there is `cc`.

use crate::session::Session;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where rustc's arguments wait, among the aids.
const FILE: &str = "linker.json";
/// The beginning of rustc's message where a linker fails.
const FAILED: &str = "linking with `";
/// A library that takes something of std, libc and the C compiler's own library.
const TRIAL: &str = "#[unsafe(no_mangle)]\npub extern \"C\" fn trial() -> f64 {\n\
                     let x: f64 = std::env::args().count() as f64;\n\
                     println!(\"{}\", std::panic::catch_unwind(|| x).is_ok());\nx.sin()\n}\n";

/// How a cell is linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linker {
    /// As rustc does by itself.
    ByCompiler,
    /// By rustc's own linker; these are rustc's arguments for it.
    Direct(Vec<String>),
}

impl Linker {
    /// Finds out whether cells that rustc gets `args` for can do without `cc`, and notes it in `dir`. Best
    /// effort: without it, cells link by `cc`.
    pub fn find(session: &Session, args: &[String], dir: &Path) {
        let _ = fs::remove_file(dir.join(FILE));
        // The person's own choice.
        if args.iter().any(|arg| arg.contains("linker") || arg.contains("link-arg")) {
            return;
        }
        if let Some(direct) = direct(session)
            && links(session, &direct, dir)
            && let Ok(text) = serde_json::to_string(&direct)
        {
            let _ = fs::write(dir.join(FILE), text);
        }
    }

    /// What was found and noted in `dir`.
    pub fn found(dir: &Path) -> Self {
        let text = fs::read_to_string(dir.join(FILE)).ok();
        let arguments = text.and_then(|text| serde_json::from_str(&text).ok());
        arguments.map_or(Linker::ByCompiler, Linker::Direct)
    }

    /// rustc's arguments. What is linked finds the standard library wherever it lies.
    pub fn arguments(&self, session: &Session) -> Vec<String> {
        let std_dir = session.toolchain.std_dir();
        match self {
            Linker::ByCompiler => vec![format!("-Clink-arg=-Wl,-rpath,{}", std_dir.display())],
            Linker::Direct(arguments) => {
                let mut arguments = arguments.clone();
                arguments.push(format!("-Clink-arg=-rpath={}", std_dir.display()));
                arguments
            }
        }
    }

    /// Whether `lines`, rustc's messages, say that this linker failed where another might not.
    pub fn has_failed(&self, lines: &str) -> bool {
        *self != Linker::ByCompiler && lines.contains(FAILED)
    }
}

fn direct(session: &Session) -> Option<Vec<String>> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let linker = session.toolchain.std_dir().parent()?.join("bin/rust-lld");
    if !linker.is_file() {
        return None;
    }
    let mut cc = Command::new("cc");
    session.restore(&mut cc);
    let output = cc.arg("-print-search-dirs").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let dirs = text.lines().find_map(|line| line.strip_prefix("libraries: ="))?;
    let dirs = std::env::split_paths(dirs).filter_map(|dir| dir.canonicalize().ok());
    let mut arguments =
        vec![format!("-Clinker={}", linker.display()), "-Clinker-flavor=ld.lld".to_owned()];
    let mut seen: Vec<PathBuf> = Vec::new();
    for dir in dirs {
        if !seen.contains(&dir) {
            arguments.push(format!("-Lnative={}", dir.display()));
            seen.push(dir);
        }
    }
    Some(arguments)
}

fn links(session: &Session, direct: &[String], dir: &Path) -> bool {
    let (source, library) = (dir.join("trial.rs"), dir.join("trial.so"));
    let mut rustc = Command::new(&session.toolchain.rustc.path);
    session.restore(&mut rustc);
    rustc.args(["--crate-type=cdylib", "--edition=2024", "--cap-lints=allow", "-Cprefer-dynamic"]);
    rustc.args(direct).arg("-o").arg(&library).arg(&source);
    rustc.stdout(Stdio::null()).stderr(Stdio::null());
    let has_linked = fs::write(&source, TRIAL).is_ok()
        && rustc.status().is_ok_and(|status| status.success())
        && library.is_file();
    for file in [source, library] {
        let _ = fs::remove_file(file);
    }
    has_linked
}
