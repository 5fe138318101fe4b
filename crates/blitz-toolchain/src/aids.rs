//! What makes a cell compile and link faster: libraries of what it calls, and empty archives in the place
//! of libtorch.
//!
//! Two libraries are made of `blitz-cells`' sources. What evcxr's generated source calls is compiled once
//! ([`support`]). `blitz` and `tch` with all that they need are linked once, into a library that cells share
//! ([`prepared`]): a cell itself holds a few kilobytes, and what these crates keep in statics is kept once
//! in the process.
//!
//! The process that runs cells has loaded libtorch before the first one, so neither names it, and no linker
//! reads its half a million symbols each time.

use crate::job::{self, Diagnosed, Job};
use crate::linker::Linker;
use crate::rustc;
use crate::session::Session;
use crate::toolchain::Stamped;
use anyhow::{Context, Error, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// The library of what evcxr's generated source calls, as cells name it.
pub const SUPPORT: &str = "blitz_cell_support";
/// The library with what notebooks use in it, as cells name it. It has all of [`SUPPORT`].
pub const PREPARED: &str = "blitz_prepared";
/// The crates that [`PREPARED`] holds, as cells name them.
const HELD: [&str; 2] = ["blitz", "tch"];
/// What [`PREPARED`] makes public beside what rustc does: functions in C (the names of those in C++ begin
/// with an underscore), which what cells instantiate of the crates may call.
const PUBLIC: &str = "{ global: [^_]*; };\n";
/// Instantiates for cells, at the level of their loops, all that is not marked to be inlined, also what rustc
/// would inline by itself.
const TO_BE_SHARED: [&str; 4] =
    ["-Copt-level=2", rustc::SHARING, "-Zinline-mir=no", "-Zcross-crate-inline-threshold=never"];
/// What rustc says of an option that it does not have (any more).
const UNKNOWN_OPTION: &str = "unknown unstable option";
/// What the libraries were made of.
const MADE_OF: &str = "made-of.json";

/// Why [`PREPARED`] could not be made.
const FAILED: &str = "not-prepared.txt";

/// Why cells do without [`PREPARED`], if they have to: evcxr shows nothing of that.
pub fn why_not_prepared(build_dir: &Path) -> Option<String> {
    fs::read_to_string(dir(build_dir).join(FAILED)).ok()
}

/// The directory of these files below a build directory.
pub fn dir(build_dir: &Path) -> PathBuf {
    build_dir.join("aids")
}

/// The library of what evcxr's generated source calls, if it is there.
pub fn support(build_dir: &Path) -> Option<PathBuf> {
    Some(dir(build_dir).join(format!("lib{SUPPORT}.rlib"))).filter(|path| path.exists())
}

/// The newest library with what notebooks use in it, if there is one.
pub fn prepared(build_dir: &Path) -> Option<PathBuf> {
    all_prepared(build_dir).max()
}

fn all_prepared(build_dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(dir(build_dir)).into_iter().flatten().flatten();
    let is_prepared = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_library = name.ends_with(std::env::consts::DLL_SUFFIX);
        is_library && name.starts_with(&format!("{}{PREPARED}-", std::env::consts::DLL_PREFIX))
    };
    entries.map(|entry| entry.path()).filter(is_prepared)
}

/// Makes the files for cells that rustc gets `args` for, as far as they are not there.
///
/// # Errors
/// A file cannot be written, or rustc cannot compile a library.
pub fn make(session: &Session, args: &[String]) -> Result<()> {
    let dir = dir(&session.build_dir);
    let held: Vec<Stamped> = HELD.iter().filter_map(|name| library_of(args, name)).collect();
    let sources = (blitz_cells::SUPPORT, blitz_cells::PREPARED);
    let made_of = (&held, sources, TO_BE_SHARED, &session.toolchain.version);
    let made_of = serde_json::to_string(&made_of)?;
    let is_there = support(&session.build_dir).is_some()
        && fs::read_to_string(dir.join(MADE_OF)).is_ok_and(|text| text == made_of);
    if is_there {
        return Ok(());
    }
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let _ = fs::remove_file(dir.join(MADE_OF));
    make_stubs(&session.layout().libtorch_lib(), &dir)?;
    make_support(session, args, &dir)?;
    Linker::find(session, args, &dir);
    let _ = fs::remove_file(dir.join(FAILED));
    // Cells do without it, and take longer.
    if held.len() == HELD.len()
        && let Err(error) = make_prepared(session, args, &dir)
    {
        eprintln!("blitz-kernel: cells compile more slowly: {error:#}");
        write(&dir.join(FAILED), &format!("{error:#}"))?;
    }
    write(&dir.join(MADE_OF), &made_of)
}

/// The library that `args` name for a crate, by its name alone: each kernel has its own links to it.
fn library_of(args: &[String], name: &str) -> Option<Stamped> {
    let mut externs = args.windows(2).filter(|pair| pair[0] == "--extern");
    let path = externs.find_map(|pair| pair[1].strip_prefix(name)?.strip_prefix('='))?;
    let mut library = Stamped::now(Path::new(path))?;
    library.path = library.path.file_name()?.into();
    Some(library)
}

fn make_support(session: &Session, args: &[String], dir: &Path) -> Result<()> {
    let source = write_sources(dir, SUPPORT, &blitz_cells::SUPPORT)?;
    // rustc replaces a file's content, and hard links to it may be in other kernels' hands.
    let _ = fs::remove_file(dir.join(format!("lib{SUPPORT}.rlib")));
    let mut rustc = rustc_for(session, args, SUPPORT, &source);
    rustc.arg("--crate-type=rlib").arg("--out-dir").arg(dir);
    run(session, &mut rustc, SUPPORT)
}

/// Each has a name of its own: the process that runs cells may have loaded an older one, and what it has
/// loaded under a name stands for all of that name.
fn make_prepared(session: &Session, args: &[String], dir: &Path) -> Result<()> {
    let older: Vec<PathBuf> = all_prepared(&session.build_dir).collect();
    // Whole or not at all.
    let made = dir.join(format!("{PREPARED}.made"));
    fs::create_dir_all(&made).with_context(|| format!("cannot create {}", made.display()))?;
    // Only so does rustc let others use how a struct is dropped.
    let incremental = made.with_extension("incremental");
    let rustc = |options: &[&str]| -> Result<()> {
        let mut rustc = rustc_for_prepared(session, args, dir)?;
        rustc.arg("--out-dir").arg(&made).args(options).env(rustc::BOOTSTRAP, "1");
        rustc.arg(format!("-Cincremental={}", incremental.display()));
        run(session, &mut rustc, PREPARED)
    };
    let is_of_another_rustc = |error: &Error| error.to_string().contains(UNKNOWN_OPTION);
    let ended = rustc(&TO_BE_SHARED).or_else(|error| match is_of_another_rustc(&error) {
        true => rustc(&[]),
        false => Err(error),
    });
    let _ = fs::remove_dir_all(&incremental);
    ended?;
    for entry in fs::read_dir(&made)?.flatten() {
        fs::rename(entry.path(), dir.join(entry.file_name()))?;
    }
    fs::remove_dir(&made).with_context(|| format!("cannot remove {}", made.display()))?;
    if session.is_set_up() {
        // Nothing runs here that has loaded an older one.
        older.iter().for_each(|library| drop(fs::remove_file(library)));
    }
    Ok(())
}

fn rustc_for_prepared(session: &Session, args: &[String], dir: &Path) -> Result<Command> {
    let source = write_sources(dir, PREPARED, &blitz_cells::PREPARED)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("this clock is wrong")?;
    let mut rustc = rustc_for(session, args, PREPARED, &source);
    rustc.arg("--crate-type=dylib").arg(format!("-Cextra-filename=-{:016x}", since.as_nanos()));
    for pair in args.windows(2) {
        match (pair[0].as_str(), pair[1].as_str()) {
            ("-L", path) => drop(rustc.arg("-L").arg(without_libtorch(session, path))),
            ("--extern", library) if is_held(library) => {
                rustc.arg("--extern").arg(library);
            }
            _ => {}
        }
    }
    let support = dir.join(format!("lib{SUPPORT}.rlib"));
    rustc.arg("--extern").arg(format!("{SUPPORT}={}", support.display()));
    rustc.args(Linker::ByCompiler.arguments(session));
    if cfg!(target_os = "linux") {
        let public = dir.join("public.ld");
        write(&public, PUBLIC)?;
        rustc.arg(format!("-Clink-arg=-Wl,--version-script={}", public.display()));
    }
    Ok(rustc)
}

fn is_held(library: &str) -> bool {
    library.split_once('=').is_some_and(|(name, _)| HELD.contains(&name))
}

/// rustc for one of the libraries. At level 1 it lets cells use what is instantiated there.
fn rustc_for(session: &Session, args: &[String], name: &str, source: &Path) -> Command {
    let mut rustc = Command::new(&session.toolchain.rustc.path);
    session.restore(&mut rustc);
    rustc.args(["--crate-name", name, "--edition=2024", "--cap-lints=allow"]);
    rustc.args(["-Copt-level=1", "-Cprefer-dynamic", "-Cembed-bitcode=no"]);
    rustc.args(args.iter().skip_while(|arg| *arg != "--target").take(2)).arg(source);
    rustc
}

fn run(session: &Session, rustc: &mut Command, name: &str) -> Result<()> {
    match job::diagnosed(rustc, session)? {
        Job::Ended(Diagnosed { is_success: true, .. }) => Ok(()),
        Job::Ended(Diagnosed { lines, .. }) => bail!("cannot compile {name}: {lines}"),
        Job::Cancelled => bail!("compilation cancelled"), // Not translated
    }
}

/// Writes the files of a library, and returns its root.
fn write_sources(dir: &Path, name: &str, files: &[(&str, &str)]) -> Result<PathBuf> {
    let sources = dir.join(name);
    fs::create_dir_all(&sources).with_context(|| format!("cannot create {}", sources.display()))?;
    for (name, text) in files {
        write(&sources.join(name), text)?;
    }
    Ok(sources.join(files[0].0))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// An empty archive for each of libtorch's libraries. Other linkers than Linux' insist on knowing
/// where each symbol comes from.
fn make_stubs(libtorch_lib: &Path, dir: &Path) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    for entry in fs::read_dir(libtorch_lib).into_iter().flatten().flatten() {
        let name = PathBuf::from(entry.file_name());
        if name.extension().is_some_and(|extension| extension == "so") {
            write(&dir.join(name.with_extension("a")), "!<arch>\n")?;
        }
    }
    Ok(())
}

/// `option`, a value of rustc's `-L`, with libtorch's directory replaced by that of the archives.
pub fn without_libtorch(session: &Session, option: &str) -> String {
    let libtorch = session.layout().libtorch_lib();
    let is_libtorch = option.strip_prefix("native=").is_some_and(|dir| Path::new(dir) == libtorch);
    if is_libtorch && cfg!(target_os = "linux") {
        return format!("native={}", dir(&session.build_dir).display());
    }
    option.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_library_is_the_one_that_cells_get() {
        let root = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(prepared(root.path()), None);
        let dir = dir(root.path());
        fs::create_dir_all(&dir).expect("a directory is made");
        let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        for name in ["00a", "00b", "009"] {
            let name = format!("{prefix}{PREPARED}-{name}{suffix}");
            fs::write(dir.join(name), "").expect("a file is written");
        }
        fs::write(dir.join(format!("{PREPARED}.rs")), "").expect("a file is written");
        let newest = dir.join(format!("{prefix}{PREPARED}-00b{suffix}"));
        assert_eq!(prepared(root.path()), Some(newest));
    }

    #[test]
    fn no_crate_lends_cells_instances_that_are_not_optimized() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let config = fs::read_to_string(root.join(".cargo/config.toml")).expect("cargo's settings");
        let levels: Vec<(&str, &str)> =
            config.lines().filter_map(|line| line.split_once(" = { opt-level = ")).collect();
        assert!(levels.len() > 10, "{levels:?}");
        for (package, level) in levels {
            let is_mostly_c = package.ends_with("-sys\"");
            assert!(is_mostly_c || !level.starts_with('0'), "{package}: {level}");
        }
    }

    #[test]
    fn a_crates_library_is_the_one_that_rustc_is_told() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let library = dir.path().join("libtch.rlib");
        fs::write(&library, "").expect("a file is written");
        let args =
            ["--extern", "tch_extra=/other", "--extern", &format!("tch={}", library.display())];
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        assert_eq!(
            library_of(&args, "tch").map(|found| found.path),
            Some(PathBuf::from("libtch.rlib"))
        );
        assert_eq!(library_of(&args, "blitz").map(|found| found.path), None);
    }
}
