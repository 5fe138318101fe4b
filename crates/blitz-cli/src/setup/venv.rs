//! The Python environment.

use super::prerequisites;
use super::torch;
use crate::fingerprint::Fingerprint;
use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::{Board, Step};
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;
use std::process::Command;
use std::time::Duration;

/// What pip takes where the network is fast.
const USUAL: Duration = Duration::from_secs(120);

/// PyTorch's own index of CPU-only wheels.
const CPU_INDEX: &str = "https://download.pytorch.org/whl/cpu";
/// What the CPU's part of PyPI's torch 2.11.0 needs of NVIDIA's packages.
const NVIDIA: [&str; 3] =
    ["nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85", "nvidia-cufile==1.15.1.6"];
/// Takes CUDA out of PyPI's torch.
const WITHOUT_CUDA: &str = include_str!("../../python/without_cuda.py");
/// What must work then.
const CHECK: &str = "import torch, torchvision\n\
    torch.nn.Linear(2, 2)(torch.ones(1, 2)).sum().backward()\n\
    assert not torch.cuda.is_available()";

/// Which of PyTorch's builds the environment gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wheels {
    /// What PyPI has: with CUDA on Linux, which also runs on machines without a GPU.
    Default,
    /// CPU only, from PyTorch's own index, or from PyPI with CUDA taken out.
    Cpu,
}

/// The key: the pins and which of PyTorch's builds.
pub fn key(project: &Project, wheels: Wheels) -> String {
    Fingerprint::new().path(&project.requirements()).text(&format!("{wheels:?}")).finish()
}

/// Makes `.venv` and installs the pins. Packages that are there already stay.
///
/// # Errors
/// There is no fitting Python, or pip fails.
pub fn make(project: &Project, wheels: Wheels, board: &Board, cancel: &Cancel) -> Result<()> {
    let (python, _) = prerequisites::python()?;
    create(project, &python, board, cancel)?;
    let label = match wheels {
        Wheels::Default => "installing PyTorch and JupyterLab, 3 GB to download",
        Wheels::Cpu => "installing PyTorch for the CPU and JupyterLab",
    };
    let step = board.long_step(label, USUAL);
    let installed = install(project, wheels, &step, cancel);
    step.finish(installed, not_made(&project.requirements().display().to_string()))
}

fn install(project: &Project, wheels: Wheels, step: &Step, cancel: &Cancel) -> Result<()> {
    // pip takes either build for the pinned version and would keep the one that is there. (macOS has
    // but one.) A forced reinstallation removes it only when the other one has arrived.
    let other_build = cfg!(target_os = "linux")
        && torch::installed_dir(project)
            .is_some_and(|dir| is_cpu_build(&dir) != (wheels == Wheels::Cpu));
    if wheels == Wheels::Default {
        torch::forget_stand_ins(project)?;
    }
    if other_build || wheels == Wheels::Cpu {
        let requirements = fs::read_to_string(project.requirements())?;
        let pins: Vec<&str> =
            requirements.lines().filter(|line| line.starts_with("torch")).collect();
        let mut command = pip(project);
        if other_build {
            command.args(["--force-reinstall", "--no-deps"]);
        }
        if wheels == Wheels::Cpu {
            command.args(["--index-url", CPU_INDEX]);
        }
        command.args(&pins);
        let installed = run_logged(step, command, &project.log("pip-torch"), cancel);
        match installed {
            Err(error) if wheels == Wheels::Cpu && has_cuda_on_pypi() => {
                install_without_cuda(project, step, cancel, &pins).map_err(|other| {
                    error.context(format!("nor could it be had from PyPI: {other:#}"))
                })?;
            }
            installed => installed?,
        }
    }
    let mut command = pip(project);
    command.arg("--requirement").arg(project.requirements());
    run_logged(step, command, &project.log("pip"), cancel)?;
    if torch::installed_dir(project).is_some_and(|dir| torch::lacks_cuda(&dir)) {
        check_without_cuda(project, step, cancel)?;
    }
    Ok(())
}

/// Tries PyTorch from which CUDA was taken out. One that does not work is removed: pip would take it
/// for installed.
fn check_without_cuda(project: &Project, step: &Step, cancel: &Cancel) -> Result<()> {
    let mut command = project.python_command();
    command.args(["-c", CHECK]);
    let works = run_logged(step, command, &project.log("without-cuda-check"), cancel);
    if works.is_err() {
        let mut command = project.python_command();
        command.args(["-m", "pip", "uninstall", "--yes", "torch", "torchvision"]);
        let _ = command.output();
    }
    works.context("PyTorch does not work without CUDA's libraries here; set up without --cpu")
}

fn is_cpu_build(torch_dir: &std::path::Path) -> bool {
    torch::version_in(torch_dir).is_some_and(|version| version.ends_with("+cpu"))
        || torch::lacks_cuda(torch_dir)
}

/// Whether PyPI's torch for this machine is the one with CUDA, which can be taken out of it.
fn has_cuda_on_pypi() -> bool {
    cfg!(all(target_os = "linux", target_arch = "x86_64"))
}

/// Installs PyPI's torch without CUDA's libraries, where PyTorch's own index cannot be reached:
/// 0.55 GB to download instead of 3.
fn install_without_cuda(
    project: &Project,
    step: &Step,
    cancel: &Cancel,
    pins: &[&str],
) -> Result<()> {
    prerequisites::compiler()?;
    step.detail("PyTorch's own index cannot be reached: PyPI's torch, without CUDA's libraries");
    let mut command = pip(project);
    command.arg("--no-deps").args(pins).args(NVIDIA);
    run_logged(step, command, &project.log("pip-torch-without-cuda"), cancel)?;
    let mut command = project.python_command();
    command.args(["-c", WITHOUT_CUDA]);
    run_logged(step, command, &project.log("without-cuda"), cancel)
}

fn pip(project: &Project) -> Command {
    let mut command = project.python_command();
    // Few retries: without a network, pip's default makes the person wait for minutes.
    command.args(["-m", "pip", "install", "--retries", "2", "--progress-bar", "off"]);
    command.args(["--disable-pip-version-check", "--no-input"]);
    command
}

fn create(project: &Project, python: &str, board: &Board, cancel: &Cancel) -> Result<()> {
    let works = project.python_command().args(["-m", "pip", "--version"]).output();
    if works.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    let step = board.step("creating .venv");
    let mut command = Command::new(python);
    // What a killed run left of it is cleared.
    command.args(["-m", "venv", "--clear"]).arg(project.venv());
    let created = run_logged(&step, command, &project.log("venv"), cancel);
    step.finish(created, not_made("python -m venv"))
}

fn not_made(by: &str) -> String {
    format!("the Python environment could not be made ({by})")
}
