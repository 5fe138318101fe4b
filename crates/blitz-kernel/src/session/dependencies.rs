//! The crates that every kernel has, and what `:dep` lines mean by their names.
//!
//! Every kernel begins with this project's `blitz` and its `tch`, and with `evcxr_input`, which asks
//! the person for a line, compiled by set-up. A notebook names them as it likes (`:dep blitz`, `:dep tch = "0.24"`, a path to `crates/blitz` that is right
//! beside this project's notebooks) and may lie anywhere. So such a line becomes the very words
//! that the kernel has declared them with, which evcxr passes over.

use crate::syntax::commands::commands;
use crate::syntax::edits::Edits;
use blitz_contract::{Layout, versions};
use semver::{Version, VersionReq};
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The helper crate's name.
const BLITZ: &str = "blitz";
/// The crate that binds libtorch, and its version.
const TCH: (&str, &str) = ("tch", versions::TCH);
/// The crate that asks for input, and its version.
const EVCXR_INPUT: (&str, &str) = ("evcxr_input", versions::EVCXR_INPUT);
/// What examples call it, though it was never published: who asks for that means [`EVCXR_INPUT`].
const EVCXR_INPUT_ALIAS: Version = Version::new(0, 1, 0);

/// A crate that every kernel has.
struct Prepared {
    name: &'static str,
    version: Version,
    /// Another version that means this one.
    alias: Option<Version>,
    /// What stands behind `:dep NAME = `.
    config: String,
}

/// Why a `:dep` line cannot be had, in words for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The line of the cell, from 1.
    pub line: usize,
    /// The reason, with what helps.
    pub reason: String,
}

/// What a line asks for.
enum Wish {
    /// A crate that every kernel has.
    Prepared(Prepared),
    /// Something for evcxr to judge.
    Other,
}

/// The lines that declare the crates that every kernel has.
pub fn declarations(layout: &Layout) -> String {
    prepared(layout).iter().map(|it| format!("{}\n", it.declaration())).collect()
}

/// `code` with each `:dep` line that means a crate that every kernel has in the words of
/// [`declarations`]. Relative paths start at `folder`, where the notebook is. Lines stay where they
/// are.
///
/// # Errors
/// A line asks for another version of such a crate.
pub fn translate(code: &str, layout: &Layout, folder: &Path) -> Result<String, Refused> {
    let mut edits = Edits::default();
    for command in commands(code) {
        let wish = argument(command.text).map_or(Ok(Wish::Other), |it| wish(it, layout, folder));
        let refused = |reason| Refused { line: command.line, reason };
        if let Wish::Prepared(prepared) = wish.map_err(refused)? {
            let range = command.range;
            edits.replace(range.clone(), prepared.declaration(), range);
        }
    }
    Ok(edits.apply(code))
}

impl Prepared {
    fn declaration(&self) -> String {
        format!(":dep {} = {}", self.name, self.config) // Not translated
    }

    /// Whether this version fulfils `requirement`; `false` where that is none, which is for cargo to
    /// complain about. Fails for a requirement that another version would have to fulfil.
    fn fulfils(&self, requirement: &str) -> Result<bool, String> {
        match VersionReq::parse(requirement) {
            Ok(wanted) if !self.is_meant_by(&wanted) => Err(format!(
                "`{}` {requirement} cannot be had here: every kernel of this project has `{}` {}, \
                 which what set-up has compiled is made for. Write `:dep {}`, or leave the line out.",
                self.name, self.name, self.version, self.name
            )),
            wanted => Ok(wanted.is_ok()),
        }
    }

    fn is_meant_by(&self, wanted: &VersionReq) -> bool {
        wanted.matches(&self.version) || self.alias.as_ref().is_some_and(|it| wanted.matches(it))
    }
}

fn prepared(layout: &Layout) -> [Prepared; 3] {
    let path = Value::String(layout.helper_crate().display().to_string());
    // All of the workspace's crates have one version.
    let own = published((BLITZ, env!("CARGO_PKG_VERSION")));
    let input = published(EVCXR_INPUT);
    [
        Prepared { config: format!("{{ path = {path} }}"), ..own }, // Not translated
        published(TCH),
        Prepared { alias: Some(EVCXR_INPUT_ALIAS), ..input },
    ]
}

/// A crate from the registry with this name and version.
fn published((name, text): (&'static str, &str)) -> Prepared {
    Prepared {
        name,
        version: Version::parse(text).unwrap_or(Version::new(0, 0, 0)),
        alias: None,
        config: format!("\"={text}\""),
    }
}

/// What stands behind `:dep` in a line, if it is such a command.
fn argument(line: &str) -> Option<&str> {
    let argument = line.trim().strip_prefix(":dep")?;
    argument.starts_with(char::is_whitespace).then(|| argument.trim())
}

/// What the argument of a `:dep` line asks for.
fn wish(argument: &str, layout: &Layout, folder: &Path) -> Result<Wish, String> {
    let Some((name, value)) = parse(argument) else { return Ok(Wish::Other) };
    if name.starts_with(['.', '/']) {
        return Ok(of_path(Path::new(&name), layout, folder));
    }
    let Some(prepared) = prepared(layout).into_iter().find(|it| it.name == name) else {
        return Ok(Wish::Other);
    };
    match value {
        None => Ok(Wish::Prepared(prepared)),
        Some(Value::String(requirement)) => {
            let fits = prepared.fulfils(&requirement)?;
            Ok(if fits { Wish::Prepared(prepared) } else { Wish::Other })
        }
        Some(Value::Table(table)) => of_table(prepared, &table, layout, folder),
        Some(_) => Ok(Wish::Other),
    }
}

/// The name and the value of `NAME` or `NAME = VALUE`, with or without a comment behind it.
fn parse(argument: &str) -> Option<(String, Option<Value>)> {
    if let Ok(table) = argument.parse::<Table>() {
        let (name, value) = table.into_iter().next()?;
        return Some((name, Some(value)));
    }
    let name = argument.split(['#', ' ', '\t']).next()?;
    let rest = argument.strip_prefix(name)?.trim_start();
    let is_comment = rest.starts_with('#') || rest.starts_with("//");
    (!name.is_empty() && (rest.is_empty() || is_comment)).then(|| (name.to_owned(), None))
}

/// What a table asks for. One with other keys (`features`, `git`) is for evcxr.
fn of_table(
    prepared: Prepared,
    table: &Table,
    layout: &Layout,
    folder: &Path,
) -> Result<Wish, String> {
    if let Some(requirement) = table.get("version").and_then(Value::as_str)
        && !prepared.fulfils(requirement)?
    {
        return Ok(Wish::Other);
    }
    if table.keys().any(|key| !["version", "path"].contains(&key.as_str())) {
        return Ok(Wish::Other);
    }
    match table.get("path").and_then(Value::as_str) {
        None => Ok(Wish::Prepared(prepared)),
        Some(path) if prepared.name == BLITZ => Ok(of_path(Path::new(path), layout, folder)),
        Some(_) => Ok(Wish::Other),
    }
}

/// What a path asks for: this project's `blitz` where that is what lies there, or where nothing
/// does and the path ends as the notebooks' own does.
fn of_path(path: &Path, layout: &Layout, folder: &Path) -> Wish {
    let found = folder.join(path);
    let own = layout.helper_crate();
    let is_ours = if found.join("Cargo.toml").is_file() {
        is_same_crate(&found, &own)
    } else {
        path.file_name().is_some_and(|name| name == BLITZ)
    };
    let blitz = prepared(layout).into_iter().find(|it| it.name == BLITZ);
    blitz.filter(|_| is_ours).map_or(Wish::Other, Wish::Prepared)
}

/// Whether a crate is this project's own, or another clone's with the same sources. Compiling those
/// again would take a minute for the same result; a clone with other sources is what a developer
/// means, and is compiled.
fn is_same_crate(found: &Path, own: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().ok();
    canonical(found) == canonical(own)
        || ["Cargo.toml", "build.rs", "src", "cpp"]
            .iter()
            .all(|part| is_same(&found.join(part), &own.join(part)))
}

/// Whether two files, or all files below two directories, are equal.
fn is_same(one: &Path, other: &Path) -> bool {
    if !other.is_dir() {
        return fs::read(one).ok() == fs::read(other).ok();
    }
    let names = |dir: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let mut names: Vec<PathBuf> = entries.map(|entry| entry.file_name().into()).collect();
        names.sort();
        names
    };
    let found = names(one);
    found == names(other) && found.iter().all(|name| is_same(&one.join(name), &other.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout::new("/srv/rust-blitz")
    }

    /// A folder like no other: what a notebook's place may be called.
    fn folder(dir: &Path) -> PathBuf {
        let folder = dir.join("课程 one's \"x\"/notebooks");
        fs::create_dir_all(&folder).expect("writable");
        folder
    }

    /// The declarations of `blitz`, `tch` and `evcxr_input`.
    fn three(declared: &str) -> [&str; 3] {
        let lines: Vec<&str> = declared.lines().collect();
        lines.try_into().expect("three lines")
    }

    fn translated(code: &str, folder: &Path) -> Result<String, Refused> {
        translate(code, &layout(), folder)
    }

    #[test]
    fn every_way_to_name_a_prepared_crate_becomes_its_declaration() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let folder = folder(dir.path());
        let declared = declarations(&layout());
        let [blitz, tch, input] = three(&declared);
        let of_blitz = [
            ":dep blitz",
            ":dep blitz = \"*\"",
            ":dep blitz = \"0.1\"",
            ":dep blitz=\"^0.1.0\"",
            "  :dep   blitz   =   { path = \"../crates/blitz\" }  ",
            ":dep blitz = {path=\"../crates/blitz\"} # ours",
            ":dep blitz = { path = '../../crates/blitz', version = \"0.1\" }",
            ":dep blitz = { version = \"0.1\" }",
            ":dep blitz = { path = \"/home/somebody else/rust-blitz/crates/blitz/\" }",
            ":dep\tblitz\t=\t\"0.1\"",
            ":dep blitz // ours",
            ":dep blitz # ours",
            ":dep ../crates/blitz",
        ];
        for line in of_blitz {
            assert_eq!(translated(line, &folder).as_deref(), Ok(blitz), "{line}");
        }
        let of_tch = [
            ":dep tch",
            ":dep tch = \"=0.24.0\"",
            ":dep tch = \"0.24\" # libtorch",
            ":dep tch = { version = \">=0.20, <1\" }",
        ];
        for line in of_tch {
            assert_eq!(translated(line, &folder).as_deref(), Ok(tch), "{line}");
        }
        let of_input = [
            ":dep evcxr_input",
            ":dep evcxr_input = \"1\"",
            ":dep evcxr_input = \"=1.0.0\"",
            ":dep evcxr_input = \"0.1\"",
            ":dep evcxr_input = { version = \"0.1.0\" }",
        ];
        for line in of_input {
            assert_eq!(translated(line, &folder).as_deref(), Ok(input), "{line}");
        }
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let folder = folder(dir.path());
        let others = [
            ":dep mycrate = { path = \"./mycrate\" }",
            ":dep rand = \"0.9\"",
            ":dep blitz = { git = \"https://example.org/blitz\" }",
            ":dep blitz = { path = \"./mine\" }",
            ":dep tch = { path = \"../tch-rs\" }",
            ":dep tch = { version = \"0.24\", features = [\"cuda-tests\"] }",
            ":dep blitz-more = \"1\"",
            ":dep",
            ":dep blitz = {",
            ":dep tch = \"no version\"",
            "let s = \"\n:dep blitz\n\";",
            "fn f() {}\n:dep blitz",
        ];
        for line in others {
            assert_eq!(translated(line, &folder).as_deref(), Ok(line));
        }
    }

    #[test]
    fn lines_stay_where_they_are() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let folder = folder(dir.path());
        let code = "// first\n\n:dep blitz\r\n:dep mine = { path = \"mine\" }\n!ls\n:dep tch\nuse \
                    blitz::prelude::*;\nlet s = \":dep tch\";";
        let declared = declarations(&layout());
        let [blitz, tch, _] = three(&declared);
        let expected = code.replacen(":dep blitz", blitz, 1).replacen(
            "!ls\n:dep tch",
            &format!("!ls\n{tch}"),
            1,
        );
        assert_eq!(translated(code, &folder).as_deref(), Ok(expected.as_str()));
    }

    #[test]
    fn another_version_is_refused_with_the_one_that_is_here() {
        let refused = |code: &str| {
            translated(code, Path::new("/")).expect_err("another version than the one here")
        };
        let tch = refused("// a\n:dep tch = \"0.23\"");
        assert_eq!(tch.line, 2);
        assert!(tch.reason.contains("`tch` 0.23") && tch.reason.contains("0.24.0"), "{tch:?}");
        let blitz = refused(":dep blitz = { version = \"2\", path = \"../crates/blitz\" }");
        assert!(blitz.reason.contains("leave the line out"), "{blitz:?}");
        let input = refused(":dep evcxr_input = \"2\"");
        assert!(input.reason.contains("1.0.0"), "{input:?}");
    }

    #[test]
    fn another_clone_counts_as_this_one_only_with_the_same_sources() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let clone = |name: &str, source: &str| {
            let root = dir.path().join(name);
            for made in ["notebooks", "crates/blitz/src", "crates/blitz/cpp"] {
                fs::create_dir_all(root.join(made)).expect("writable");
            }
            fs::write(root.join("crates/blitz/Cargo.toml"), "[package]").expect("writable");
            fs::write(root.join("crates/blitz/src/lib.rs"), source).expect("writable");
            root.join("crates/blitz")
        };
        let own = clone("own", "fn f() {}");
        assert!(is_same_crate(&own, &own));
        assert!(is_same_crate(&clone("copy", "fn f() {}"), &own));
        assert!(!is_same_crate(&clone("edited", "fn g() {}"), &own));
        let code = ":dep blitz = { path = \"../crates/blitz\" }";
        let notebooks = dir.path().join("edited/notebooks");
        assert_eq!(translated(code, &notebooks).as_deref(), Ok(code));
    }
}
