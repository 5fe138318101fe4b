//! `cargo blitz kernelspec`: making the kernel known to a Jupyter or VS Code elsewhere.

mod readable;

use crate::files::write_atomically;
use crate::kernel::Kernel;
use crate::project::Project;
use crate::setup;
use crate::setup::kernelspecs::{self, LOGO};
use crate::usage::Usage;
use anyhow::{Context, Result, bail};
use blitz_contract::layout::KERNEL_PROGRAM;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// What can be done with kernelspecs.
#[derive(Subcommand)]
pub enum KernelspecCommand {
    /// Write a kernelspec that starts this project's kernel; sets up if need be
    Install(InstallOptions),
    /// Remove a kernelspec that `install` wrote
    Remove(InstallOptions),
    /// List the kernelspecs of this project
    List(KernelspecPlace),
}

/// Options of `kernelspec install` and `kernelspec remove`.
#[derive(Args)]
pub struct InstallOptions {
    /// Where
    #[command(flatten)]
    pub place: KernelspecPlace,
    /// The name by which notebooks ask for the kernel; those of this project ask for `rust`
    #[arg(long, value_name = "NAME", default_value = Kernel::Rust.name(),
          value_parser = parse_name)]
    pub name: String,
}

/// Where kernelspecs are.
#[derive(Args)]
pub struct KernelspecPlace {
    /// In Jupyter's directory for your own data, such as ~/.local/share/jupyter (JUPYTER_DATA_DIR
    /// and XDG_DATA_HOME count); this is the default
    #[arg(long, conflicts_with = "prefix")]
    pub user: bool,
    /// In DIR/share/jupyter, for example of a virtual environment, or /usr/local for everybody
    #[arg(long, value_name = "DIR")]
    pub prefix: Option<PathBuf>,
}

const SPEC: &str = "kernel.json";
const LOGO_FILE: &str = "logo-svg.svg";

/// Runs a subcommand.
///
/// # Errors
/// Set-up fails, somebody else's kernel has the name, there is none to remove, or the place cannot
/// be written.
pub fn kernelspec(project: &Project, command: &KernelspecCommand) -> Result<()> {
    match command {
        KernelspecCommand::Install(options) => install(project, options),
        KernelspecCommand::Remove(options) => remove(project, options),
        KernelspecCommand::List(place) => list(project, place),
    }
}

/// A kernelspec as somebody has written it.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// It starts this clone's kernel, or that of a clone that is no more.
    Ours,
    /// It starts the kernel of this other clone.
    OtherClone(PathBuf),
    /// It starts something else.
    Foreign(String),
}

fn install(project: &Project, options: &InstallOptions) -> Result<()> {
    let name = options.name.to_lowercase();
    let dir = kernels_dir(&options.place)?.join(&name);
    check_free(project, &dir, &name)?;
    setup::ensure(project)?;
    write_atomically(&dir.join(LOGO_FILE), LOGO)
        .and_then(|()| {
            let spec = kernelspecs::spec(project, Kernel::Rust);
            write_atomically(&dir.join(SPEC), format!("{spec:#}\n").as_bytes())
        })
        .with_context(|| {
            format!(
                "the kernel cannot be made known in {}; choose a place that you may write to with \
                 --prefix DIR, or --user",
                dir.display()
            )
        })?;
    println!("Wrote {}", dir.join(SPEC).display());
    println!(
        "The kernel `{name}`, in menus \"{}\", is known to {}. `jupyter kernelspec list` shows \
         it; JupyterLab and VS Code do once their page or window is reloaded.",
        Kernel::Rust.display_name(),
        reach(&options.place)
    );
    if options.place.prefix.is_some()
        && let Some(closed) = readable::closed_to_others(project)
    {
        println!(
            "Only its owner can read {}. For other people's kernels: chmod -R a+rX {}",
            closed.display(),
            closed.display()
        );
    }
    Ok(())
}

/// Fails where another kernel than ours has the name.
fn check_free(project: &Project, dir: &Path, name: &str) -> Result<()> {
    match find(project, dir) {
        Found::Nothing | Found::Ours => Ok(()),
        Found::OtherClone(root) => bail!(
            "the kernel `{name}` in {} is that of another clone, {}. Choose another name with \
             --name, for example --name rust-blitz, or run `cargo blitz kernelspec remove` there.",
            dir.display(),
            root.display()
        ),
        Found::Foreign(program) => bail!(
            "there is another kernel named `{name}` in {}, which starts {program}. It stays. Choose \
             another name with --name, for example --name rust-blitz, or remove it yourself: \
             `jupyter kernelspec remove {name}`.",
            dir.display()
        ),
    }
}

fn remove(project: &Project, options: &InstallOptions) -> Result<()> {
    let name = options.name.to_lowercase();
    let dir = kernels_dir(&options.place)?.join(&name);
    match find(project, &dir) {
        Found::Ours => {}
        Found::Nothing => bail!(
            "there is no kernel `{name}` in {}. `cargo blitz kernelspec list` shows those of this \
             project, with --prefix DIR in another place.",
            parent(&dir).display()
        ),
        Found::OtherClone(root) => bail!(
            "the kernel `{name}` in {} is that of another clone, {}. Run the command there.",
            dir.display(),
            root.display()
        ),
        Found::Foreign(program) => bail!(
            "the kernel `{name}` in {} is none of this project's: it starts {program}. It stays; \
             `jupyter kernelspec remove {name}` removes it.",
            dir.display()
        ),
    }
    for file in [SPEC, LOGO_FILE] {
        let path = dir.join(file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => {}
        }
    }
    // What somebody else has put there stays.
    let _ = fs::remove_dir(&dir);
    println!("Removed the kernel `{name}`: {}", dir.display());
    Ok(())
}

fn list(project: &Project, place: &KernelspecPlace) -> Result<()> {
    let kernels = kernels_dir(place)?;
    let mut dirs: Vec<PathBuf> =
        fs::read_dir(&kernels).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    dirs.sort();
    let lines = dirs.iter().filter_map(|dir| {
        let whose = match find(project, dir) {
            Found::Ours => "this clone".to_owned(),
            Found::OtherClone(root) => format!("the clone {}", root.display()),
            Found::Nothing | Found::Foreign(_) => return None,
        };
        Some(format!("{:16} of {whose}, {}", name_of(dir), dir.display()))
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        println!("No kernel of this project in {}", kernels.display());
    }
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}

fn name_of(dir: &Path) -> String {
    dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn parent(dir: &Path) -> &Path {
    dir.parent().unwrap_or(dir)
}

/// What the kernelspec in `dir` starts.
fn find(project: &Project, dir: &Path) -> Found {
    let Ok(text) = fs::read_to_string(dir.join(SPEC)) else {
        // A directory without a kernelspec may be what a killed command left.
        return if dir.join(SPEC).exists() {
            Found::Foreign("something that cannot be read".to_owned())
        } else {
            Found::Nothing
        };
    };
    let spec: Value = serde_json::from_str(&text).unwrap_or_default();
    let Some(program) = spec["argv"][0].as_str() else {
        return Found::Foreign("something unknown".to_owned());
    };
    match program.strip_suffix(KERNEL_PROGRAM).map(Path::new) {
        Some(root) if root == project.root() || !Path::new(program).exists() => Found::Ours,
        Some(root) => Found::OtherClone(root.to_owned()),
        None => Found::Foreign(format!("`{program}`")),
    }
}

/// Whom a place serves.
fn reach(place: &KernelspecPlace) -> String {
    match &place.prefix {
        None => "every Jupyter and VS Code of yours".to_owned(),
        Some(prefix) => format!("every Jupyter that looks in {}", prefix.display()),
    }
}

/// The directory of kernelspecs that `place` means.
fn kernels_dir(place: &KernelspecPlace) -> Result<PathBuf> {
    let data = match &place.prefix {
        Some(prefix) => std::path::absolute(prefix)?.join("share/jupyter"),
        None => user_data_dir()?,
    };
    Ok(data.join("kernels"))
}

/// Jupyter's directory for the user's data, as `jupyter_core.paths.jupyter_data_dir` finds it.
fn user_data_dir() -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(dir) = variable("JUPYTER_DATA_DIR") {
        return Ok(std::path::absolute(dir)?);
    }
    let home = || {
        std::env::home_dir().filter(|home| home.is_absolute()).context(
            "you have no home directory; set JUPYTER_DATA_DIR, or choose a place with --prefix DIR",
        )
    };
    if cfg!(target_os = "macos") {
        return Ok(home()?.join("Library/Jupyter"));
    }
    match variable("XDG_DATA_HOME") {
        Some(dir) => Ok(std::path::absolute(dir)?.join("jupyter")),
        None => Ok(home()?.join(".local/share/jupyter")),
    }
}

/// Reads a kernel's name by Jupyter's rule.
///
/// # Errors
/// [`Usage`], as text for the command line: another character than Jupyter allows.
pub fn parse_name(name: &str) -> Result<String, Usage> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || !name.chars().all(allowed) || name.chars().all(|c| c == '.') {
        return Err(Usage(
            "a kernel's name has ASCII letters, digits, and `.`, `_`, `-` only (Jupyter's rule)"
                .to_owned(),
        ));
    }
    Ok(name.to_owned())
}
