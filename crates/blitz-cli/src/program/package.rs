//! A folder of programs as a package for cargo, wherever it lies.

use crate::files::write_atomically;
use anyhow::{Context, Result, bail};
use blitz_contract::Layout;
use blitz_contract::versions::TCH;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The programs by name.
pub type Programs = BTreeMap<String, String>;

/// Writes the programs into `dir`, with what cargo needs to compile them against the clone `layout`:
/// a manifest, a build script, and where libtorch lies.
///
/// # Errors
/// A file cannot be written; or the manifest of something else is there.
pub fn write(layout: &Layout, dir: &Path, programs: &Programs) -> Result<()> {
    let manifest = dir.join("Cargo.toml");
    if fs::read_to_string(&manifest).is_ok_and(|text| !text.starts_with(HEAD)) {
        bail!(
            "{} belongs to another package; choose a directory of its own for the programs",
            manifest.display()
        );
    }
    for (name, text) in files(&layout.helper_crate(), programs) {
        write_atomically(&dir.join(name), text.as_bytes())?;
    }
    write_atomically(&dir.join(".cargo/config.toml"), settings(layout).as_bytes())?;
    // The versions that set-up has fetched: the network is not asked for others.
    let versions = fs::read(layout.lock_file())
        .with_context(|| format!("cannot read {}", layout.lock_file().display()))?;
    write_atomically(&dir.join("Cargo.lock"), &versions)
}

/// The files of the package, by name, but for where libtorch lies, which `.cargo/config.toml` of a clone
/// says to all below it. `blitz` is the path of the crate, from the package where it is relative.
pub fn files(blitz: &Path, programs: &Programs) -> BTreeMap<String, String> {
    let sources = programs.iter().map(|(name, program)| (format!("{name}.rs"), program.clone()));
    let others = [
        ("Cargo.toml".to_owned(), manifest(blitz, programs)),
        ("build.rs".to_owned(), BUILD_SCRIPT.to_owned()),
    ];
    sources.chain(others).collect()
}

/// The package's name.
pub const PACKAGE: &str = "blitz-programs";

/// The first line of a manifest that is ours.
const HEAD: &str = "# The notebooks of Rust Blitz as programs";

/// Tells the programs where libtorch lies: torch-sys says it to those that name it.
const BUILD_SCRIPT: &str = "\
//! Stores in each program where libtorch lies, as torch-sys has found it.

fn main() {
    let dir = std::env::var(\"DEP_TCH_LIBTORCH_LIB\").expect(\"torch-sys says it\");
    println!(\"cargo:rustc-link-arg=-Wl,-rpath,{dir}\");
}
";

/// The manifest of a package with the programs, which lie beside it as `NAME.rs`, and use the crate at
/// `blitz`, and what else their `:dep` lines name.
pub fn manifest(blitz: &Path, programs: &Programs) -> String {
    let program = |name: &String| {
        format!("[[bin]]\nname = {}\npath = {}\n\n", quoted(name), quoted(&format!("{name}.rs")))
    };
    let bins: String = programs.keys().map(program).collect();
    let blitz = quoted(&blitz.to_string_lossy());
    format!(
        "{HEAD}: `cargo run --bin {}`\n\
         # .cargo/config.toml says where libtorch lies: in the clone, once `cargo blitz setup` has run.\n\n\
         [package]\nname = \"{PACKAGE}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\
         autobins = false\n\n\
         # A package of its own, also within another's directory.\n[workspace]\n\n\
         [dependencies]\nblitz = {{ path = {blitz} }}\ntch = \"={TCH}\"\ntorch-sys = \"={TCH}\"\n{}\n{bins}",
        programs.keys().next().map_or("NAME", String::as_str),
        others(programs)
    )
}

/// What the programs' notebooks depend on besides our crates.
fn others(programs: &Programs) -> String {
    let mut found = BTreeMap::new();
    for line in programs.values().flat_map(|program| program.lines()) {
        let dependency = line.trim().strip_prefix("// :dep ").and_then(|it| it.split_once('='));
        if let Some((name, version)) = dependency
            && !["blitz", "tch", "torch-sys"].contains(&name.trim())
        {
            found.entry(name.trim()).or_insert(version.trim());
        }
    }
    found.iter().map(|(name, version)| format!("{name} = {version}\n")).collect()
}

/// cargo's settings: where libtorch lies.
fn settings(layout: &Layout) -> String {
    let dir = quoted(&layout.libtorch().to_string_lossy());
    // In full: it is merged with that of a directory above, such as the clone.
    format!("[env]\nLIBTORCH = {{ value = {dir}, relative = false, force = true }}\n")
}

/// A string in TOML.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str =
        "// :dep tch = \"1\"\n    // :dep rand = { version = \"1\" }\nfn main() {}\n";

    #[test]
    fn a_folder_is_a_package_of_its_programs() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let layout = Layout::new(dir.path().join("a clone"));
        fs::create_dir(layout.root()).expect("writable");
        fs::write(layout.lock_file(), "version = 4\n").expect("writable");
        let to = dir.path().join("with spaces");
        let programs = Programs::from([("01_a".to_owned(), PROGRAM.to_owned())]);
        write(&layout, &to, &programs).expect("it is written");
        write(&layout, &to, &programs).expect("it is written anew");
        let text = |name: &str| fs::read_to_string(to.join(name)).expect("it is there");
        assert_eq!(text("01_a.rs"), PROGRAM);
        assert!(text("Cargo.toml").contains("\nrand = { version = \"1\" }\n\n[[bin]]"));
        assert!(text("Cargo.toml").contains("a clone/crates/blitz\" }\n"));
        assert!(text("Cargo.toml").contains("name = \"01_a\"\npath = \"01_a.rs\""));
        assert_eq!(text("Cargo.lock"), "version = 4\n");
        assert!(text(".cargo/config.toml").contains("a clone/.blitz/libtorch\", "));
    }

    #[test]
    fn the_manifest_of_another_package_stays() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::write(dir.path().join("Cargo.toml"), "[package]").expect("writable");
        let error =
            write(&Layout::new("/srv"), dir.path(), &Programs::new()).expect_err("not ours");
        assert!(error.to_string().contains("belongs to another package"), "{error}");
    }
}
