//! `cargo blitz clean`: removing what the other commands made.

use crate::disk::{self, Part};
use crate::project::Project;
use crate::setup::lock;
use anyhow::{Context, Result, bail};
use blitz_contract::layout;
use clap::Args;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Options of `clean`.
#[derive(Args)]
pub struct CleanOptions {
    /// Pages and executed notebooks in site/, logs, what Jupyter remembers: this is what goes where
    /// no part is named. Back by the next run
    #[arg(long)]
    pub results: bool,
    /// cargo's build directory target/, which notebooks do not need. Back in half a minute, or in
    /// minutes where the kernel must be built anew or tests are run
    #[arg(long)]
    pub target: bool,
    /// The kernel and the notebooks' compiled dependencies. Back by set-up, in minutes
    #[arg(long)]
    pub kernel: bool,
    /// Data sets. CIFAR-10 is downloaded anew by notebook 04 (170 MB)
    #[arg(long)]
    pub data: bool,
    /// The Python environment .venv with PyTorch. Back by set-up: a minute, and a download of up to
    /// 3 GB where pip's cache has it no more
    #[arg(long)]
    pub python: bool,
    /// nbgrader, which `class` installs. Back by the next `class nbgrader`: a minute
    #[arg(long)]
    pub class: bool,
    /// What drives a browser, and a Chromium that was fetched where the machine has none, for the check of
    /// the site and its PDF. Back by the next `test site`: a minute
    #[arg(long)]
    pub browser: bool,
    /// All of these, the history of what you have executed, and the choice of `setup --cpu`: a fresh
    /// clone again
    #[arg(long)]
    pub all: bool,
    /// Say what would be removed and how much that would free, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Removes the chosen parts and says how much that freed. Nothing outside the repository is removed:
/// of a link, the link alone.
///
/// # Errors
/// A set-up is at work, a kernel runs that needs what is to be removed, or something cannot be
/// removed.
pub fn clean(project: &Project, options: &CleanOptions) -> Result<()> {
    let parts = chosen(options);
    // Until the end, so that no set-up begins meanwhile.
    let lock = match project.made().is_dir() {
        true => Some(lock::take(project)?.context(
            "another `cargo blitz` is setting up here; wait for its end, or end it, and try again",
        )?),
        false => None,
    };
    let (running, dead) = kernels(project);
    let needs_none = [Part::Kernel, Part::Python, Part::State];
    if !running.is_empty() && parts.iter().any(|part| needs_none.contains(part)) {
        bail!(
            "{} kernels run here and need what would be removed (or ended less than a minute ago): \
             shut them down in Jupyter and try again. Their directories:\n  {}",
            running.len(),
            running.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join("\n  ")
        );
    }
    let mut paths = Vec::new();
    for part in &parts {
        for path in part.paths(project) {
            // A Jupyter that runs keeps its kernels' addresses there.
            if path.ends_with(layout::JUPYTER) && !running.is_empty() {
                println!("{} stays: kernels are running", disk::name(project, &path));
                continue;
            }
            paths.extend(place(project, path)?);
        }
    }
    // Those of kernels that were killed serve nobody.
    paths.extend(dead);
    let within_another = |path: &PathBuf| paths.iter().any(|p| p != path && path.starts_with(p));
    let outermost: Vec<PathBuf> =
        paths.iter().filter(|path| !within_another(path)).cloned().collect();
    remove(project, &outermost, options.dry_run)?;
    drop(lock);
    Ok(())
}

/// What the options name.
fn chosen(options: &CleanOptions) -> Vec<Part> {
    let named = [
        (options.results, Part::Results),
        (options.target, Part::Target),
        (options.kernel, Part::Kernel),
        (options.data, Part::Data),
        (options.python, Part::Python),
        (options.class, Part::Class),
        (options.browser, Part::Browser),
    ];
    if options.all {
        return Part::ALL.to_vec();
    }
    let parts: Vec<Part> = named.iter().filter(|(is, _)| *is).map(|(_, part)| *part).collect();
    if parts.is_empty() { vec![Part::Results] } else { parts }
}

/// The path where there is something to remove that lies in the repository.
fn place(project: &Project, path: PathBuf) -> Result<Option<PathBuf>> {
    let name = disk::name(project, &path);
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let real = |path: &Path| {
        path.canonicalize().with_context(|| format!("cannot resolve {}", path.display()))
    };
    let parent = path.parent().unwrap_or(project.root());
    if !real(parent)?.starts_with(real(project.root())?) {
        println!("{name} stays: it lies outside this directory, at {}", real(parent)?.display());
        return Ok(None);
    }
    if let Ok(target) = fs::read_link(&path)
        && path != project.libtorch()
    {
        println!("{name} is a link: what it points to stays ({})", target.display());
    }
    Ok(Some(path))
}

fn remove(project: &Project, paths: &[PathBuf], dry_run: bool) -> Result<()> {
    for path in paths {
        let bytes = disk::human(disk::freed(std::slice::from_ref(path)));
        let name = disk::name(project, path);
        println!("{}{name}: {bytes}", if dry_run { "would remove " } else { "removing " });
    }
    let freed = disk::freed(paths);
    for path in paths.iter().filter(|_| !dry_run) {
        let is_dir = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let removed = if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => {}
        }
    }
    let verb = if dry_run { "would be" } else { "are" };
    println!("{} {verb} free.", disk::human(freed));
    Ok(())
}

/// The directories of the kernels that run or are about to, and of those that do neither.
fn kernels(project: &Project) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let entries =
        fs::read_dir(project.made().join(layout::KERNELS)).into_iter().flatten().flatten();
    let dirs = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
    dirs.partition(|path| blitz_user_dirs::is_kernel_dir_in_use(path))
}
