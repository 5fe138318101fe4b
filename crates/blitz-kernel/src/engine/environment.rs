//! The environment that evcxr needs.

use blitz_contract::{Layout, build_environment};
use blitz_toolchain::Variables;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Variables that build scripts read. A kernel gets the values that the warm build had: with
/// others, cargo would compile the dependencies anew.
const BUILD_VARIABLES: [&str; 9] =
    ["AR", "ARFLAGS", "CC", "CFLAGS", "CXX", "CXXFLAGS", "CXXSTDLIB", "RANLIB", "SDKROOT"];

/// Records [`BUILD_VARIABLES`] for the kernels to come.
///
/// # Errors
/// The file cannot be written.
pub fn record_build_variables(layout: &Layout) -> io::Result<()> {
    let lines = BUILD_VARIABLES.iter().filter_map(|name| {
        let value = std::env::var(name).ok()?;
        Some(format!("{name}={value}\n"))
    });
    fs::write(build_variables_file(layout), lines.collect::<String>())
}

fn build_variables_file(layout: &Layout) -> PathBuf {
    layout.evcxr_config_dir().join("build-variables")
}

/// The build variables of the warm build, for a kernel.
fn recorded_build_variables(layout: &Layout) -> Variables {
    let recorded = fs::read_to_string(build_variables_file(layout)).unwrap_or_default();
    let lines: Vec<(&str, &str)> =
        recorded.lines().filter_map(|line| line.split_once('=')).collect();
    let value = |name: &str| {
        let line = lines.iter().find(|(recorded, _)| *recorded == name);
        line.map(|(_, value)| value.into())
    };
    BUILD_VARIABLES.iter().map(|name| ((*name).to_owned(), value(name))).collect()
}

/// What evcxr reads in a kernel, and without what would change how cells and their dependencies are
/// compiled.
pub fn for_evcxr(layout: &Layout, build_dir: &Path) -> Variables {
    let mut variables = settings(layout, build_dir);
    variables.extend(recorded_build_variables(layout));
    variables
}

/// As [`for_evcxr`] in set-up, where build scripts read what the person has.
pub fn for_evcxr_in_set_up(layout: &Layout) -> Variables {
    settings(layout, &layout.warm_dir())
}

fn settings(layout: &Layout, build_dir: &Path) -> Variables {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let changing = names.filter(|name| build_environment::changes_what_is_compiled(name));
    let mut variables: Variables = changing.map(|name| (name, None)).collect();
    let mut set = |name: &str, value: PathBuf| {
        variables.push((name.to_owned(), Some(value.into())));
    };
    // Below the repository cargo reads this in `.cargo/config.toml`.
    if !layout.contains(build_dir) {
        set("LIBTORCH", layout.libtorch());
    }
    set("EVCXR_TMPDIR", build_dir.to_owned());
    set("EVCXR_CONFIG_DIR", layout.evcxr_config_dir());
    // evcxr_jupyter "updates" a kernelspec that it finds in the user's own Jupyter directory. Ours
    // is none of its business and neither is the user's, so it is shown a directory that has none.
    set("JUPYTER_PATH", layout.evcxr_config_dir().join("no-kernelspecs"));
    variables
}

/// Gives this process the variables.
///
/// # Safety
/// This process has no other thread.
pub unsafe fn apply(variables: Variables) {
    for (name, value) in variables {
        // SAFETY: the caller's promise.
        match value {
            Some(value) => unsafe { std::env::set_var(name, value) },
            None => unsafe { std::env::remove_var(name) },
        }
    }
}
