//! Putting the tools before the real ones.

use crate::recording::RECORDER;
use crate::session::{Analysis, SESSION_VAR, Session};
use crate::sysroot;
use crate::toolchain::Toolchain;
use anyhow::{Context, Result};
use blitz_contract::Layout;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Variables to set, or with `None` to remove, in the process that starts evcxr.
pub type Variables = Vec<(String, Option<OsString>)>;

/// Puts a kernel's own tools, which build in `build_dir`, before the real ones. Returns the
/// variables that make evcxr find them; everything else that changes the environment comes before.
///
/// # Errors
/// There is no Rust toolchain, or the links cannot be made.
pub fn prepare(layout: &Layout, build_dir: &Path, analysis: Analysis) -> Result<Variables> {
    let toolchain = match Toolchain::load(&layout.answers_dir()) {
        Some(recorded) => recorded.or_active(!blitz_user_dirs::is_own(layout.root()))?,
        None => Toolchain::find()?,
    };
    install(&Session::of_this_process(layout, build_dir, toolchain, analysis))
}

/// As [`prepare`] for set-up: finds the toolchain anew and forgets every recorded answer, so that
/// the real tools are asked once more.
///
/// # Errors
/// As for [`prepare`].
pub fn prepare_set_up(layout: &Layout) -> Result<Variables> {
    let store = layout.answers_dir();
    match fs::remove_dir_all(&store) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", store.display()));
        }
        _ => {}
    }
    let toolchain = Toolchain::find()?;
    toolchain.save(&store)?;
    let analysis = Analysis::Everything;
    install(&Session::of_this_process(layout, &layout.warm_dir(), toolchain, analysis))
}

/// The variables by which the stock kernel finds the toolchain that set-up used. It calls that by
/// name and compiles through cargo: from sources elsewhere, cargo would compile everything again.
pub fn variables_of_stock(layout: &Layout) -> Variables {
    let Some(toolchain) = Toolchain::load(&layout.answers_dir()) else { return Vec::new() };
    let path = toolchain.completed_path(std::env::var_os("PATH").as_deref());
    let mut variables = vec![("PATH".to_owned(), Some(path))];
    if blitz_user_dirs::is_readable(&toolchain.cargo_home.join("registry")) {
        variables.push(("CARGO_HOME".to_owned(), Some(toolchain.cargo_home.into())));
    }
    variables
}

/// Gives `command` the environment that the person started the kernel with.
pub fn restore(command: &mut Command) {
    if let Some(session) = Session::of_environment() {
        session.restore(command);
    }
}

fn install(session: &Session) -> Result<Variables> {
    let bin = session.bin_dir();
    let cargo_home = session.build_dir.join("cargo-home");
    // rust-analyzer prefers the cargo in CARGO_HOME to the one in PATH.
    for dir in [&bin, &cargo_home.join("bin")] {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    let this = blitz_contract::program::path().context("cannot find this binary")?;
    for link in ["cargo", "rustc", "rustup", RECORDER].map(|name| bin.join(name)) {
        link_binary(&this, &link)?;
    }
    link_binary(&this, &cargo_home.join("bin/cargo"))?;
    sysroot::make_views(session)?;
    session.save()?;
    let path = session.toolchain.completed_path(std::env::var_os("PATH").as_deref());
    let paths = std::iter::once(bin).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(paths).context("PATH cannot be extended")?;
    let variables = [
        ("PATH", Some(path)),
        ("CARGO_HOME", Some(cargo_home.into())),
        ("RUST_SRC_PATH", None),
        (SESSION_VAR, Some(session.build_dir.clone().into())),
    ];
    Ok(variables.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

/// Links `link` to `this`: hard, so that a kernel keeps its own version when set-up builds another.
fn link_binary(this: &Path, link: &Path) -> Result<()> {
    let _ = fs::remove_file(link);
    fs::hard_link(this, link)
        .or_else(|_| std::os::unix::fs::symlink(this, link))
        .with_context(|| format!("cannot link {}", link.display()))
}
