//! `cargo blitz doctor`: what could be wrong, each with its remedy.

use crate::disk;
use crate::kernel::Kernel;
use crate::process::command::output_of;
use crate::project::Project;
use crate::setup::{kernelspecs, nbgrader, pins, prerequisites, torch};
use anyhow::{Context, Result, anyhow, ensure};
use std::env::consts::DLL_SUFFIX;
use std::process::Command;

/// What a whole set-up takes on disk, with CUDA's libraries and cargo's build directory, in GB.
const DISK_SPACE: u64 = 12;

/// Runs every check and prints a line for each.
///
/// # Errors
/// At least one check failed.
pub fn doctor(project: &Project) -> Result<()> {
    let checks: [(&str, Result<String>); 13] = [
        ("path", prerequisites::path(project)),
        ("Rust", prerequisites::rust()),
        ("Python", prerequisites::python().map(|(_, version)| version)),
        ("C++ compiler", prerequisites::compiler()),
        ("disk space", disk_space(project)),
        ("Python packages", pins::check(project)),
        ("torch", torch::check(project).map(|(_, version)| version)),
        ("libtorch", loads(project, "libtorch")),
        ("CUDA backend", loads(project, "libtorch_cuda")),
        ("kernel", kernel(project)),
        ("kernelspec", kernelspecs::check(project, Kernel::Rust)),
        ("stock kernelspec", kernelspecs::check(project, Kernel::RustStock)),
        ("nbgrader", nbgrader::check(project)),
    ];
    let mut failed = 0;
    for (name, result) in checks {
        match result {
            Ok(found) => println!("✓ {name:16} {found}"),
            Err(error) => {
                failed += 1;
                println!("✗ {name:16} {error:#}");
            }
        }
    }
    print!("\n{}", disk::report(project));
    ensure!(failed == 0, "{failed} checks failed; each line above says what helps");
    println!("All is well.");
    Ok(())
}

fn disk_space(project: &Project) -> Result<String> {
    let free = fs4::available_space(project.root()).context("cannot ask for free disk space")?;
    let free = free / 1_000_000_000;
    let is_set_up = project.warm_dir().exists();
    ensure!(
        is_set_up || free >= DISK_SPACE,
        "{free} GB free, set-up takes up to {DISK_SPACE} GB. Make room, or use \
         `cargo blitz setup --cpu`, which takes less."
    );
    Ok(format!("{free} GB free"))
}

/// The kernel itself tries: what counts is whether the process that runs cells can load it.
fn loads(project: &Project, library: &str) -> Result<String> {
    let file = |name: &str| format!("{name}{DLL_SUFFIX}");
    let path = project.libtorch_lib().join(file(library));
    if library == "libtorch_cuda"
        && !path.exists()
        && path.with_file_name(file("libtorch")).exists()
    {
        return Ok("not in this libtorch (CPU wheels); cells run on the CPU".to_owned());
    }
    ensure!(path.exists(), "{} is missing. Run `cargo blitz setup`.", path.display());
    let output = Command::new(project.kernel()).arg("load").arg(&path).output();
    let output = output.map_err(|_| anyhow!("the kernel is missing. Run `cargo blitz setup`."))?;
    ensure!(
        output.status.success(),
        "{} Remove .venv and run `cargo blitz setup`.",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(format!("{library} loads"))
}

fn kernel(project: &Project) -> Result<String> {
    let version = output_of(Command::new(project.kernel()).arg("--version"));
    version.ok_or_else(|| anyhow!("it is missing. Run `cargo blitz setup`."))
}
