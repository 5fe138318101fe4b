//! The command line.

use crate::setup::kernelspec::Kernel;
use crate::test::Check;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// Rust Blitz: PyTorch's 60-minute blitz as Rust notebooks.
#[derive(Parser)]
#[command(name = "cargo blitz", bin_name = "cargo blitz", version, arg_required_else_help = true)]
pub struct Cli {
    /// The repository to work on, where it is not the one that this tool was built in
    #[arg(long, value_name = "DIR", global = true, hide = true)]
    pub root: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Subcommand)]
pub enum Command {
    /// Make everything that the notebooks need, below this repository
    #[command(long_about = "Make everything that the notebooks need, below this repository: \
        Python packages with JupyterLab and PyTorch's libtorch in .venv, the Rust kernel and the \
        notebooks' compiled dependencies in .blitz. A second run does nothing; an interrupted one \
        is resumed; a changed pin redoes just its step.")]
    Setup(SetupOptions),
    /// Execute notebooks and write executed copies and HTML pages to site/
    Run(RunOptions),
    /// Open JupyterLab on the notebooks
    #[command(long_about = "Open JupyterLab on the notebooks. It listens on the loopback address \
        and asks for a token, so it also runs as root. Options for Jupyter itself go behind `--`: \
        cargo blitz lab -- --ServerApp.ip=0.0.0.0")]
    Lab(LabOptions),
    /// Check everything that CI checks: format, lints, tests, the kernel, and the notebooks
    Test(TestOptions),
    /// Train the classifier without Jupyter: crates/blitz/examples/cifar10.rs, with its own options
    #[command(disable_help_flag = true)]
    Train {
        /// The example's options; --help lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
        options: Vec<OsString>,
    },
    /// Measure, on this machine
    Bench {
        /// What to measure
        #[command(subcommand)]
        what: Bench,
    },
    /// Export notebooks as they are stored to HTML pages in site/, without executing them
    Html(HtmlOptions),
    /// Make the kernel known to a Jupyter or VS Code that you already have
    #[command(long_about = "Make the kernel known to a Jupyter or VS Code that you already have, \
        as other kernels do, or take it away again. The environment .venv knows it in any case.")]
    Kernelspec {
        /// What to do
        #[command(subcommand)]
        what: KernelspecCommand,
    },
    /// Look for what could be wrong with this machine or this set-up, and say how to mend it
    Doctor,
    /// Remove what the other commands made, in parts
    #[command(long_about = "Remove what the other commands made, in parts, and say how much that \
        frees. `cargo blitz doctor` lists the parts with their sizes. Of a link, the link alone is \
        removed; directories of running kernels stay, and so does everything while somebody sets up.")]
    Clean(CleanOptions),
}

/// Options of `setup`.
#[derive(Args, Default)]
pub struct SetupOptions {
    /// Take PyTorch's CPU wheels (0.2 GB) from its own index instead of the CUDA ones (3 GB), or, where
    /// that index cannot be reached, PyPI's wheel without CUDA's libraries (0.55 GB); later set-ups
    /// keep this choice until `cargo blitz clean --all`
    #[arg(long)]
    pub cpu: bool,
}

/// Options of `run`.
#[derive(Args)]
pub struct RunOptions {
    /// Notebooks: 04, 04_cifar10_classifier or a path; all of notebooks/ if none is named
    #[arg(value_name = "NOTEBOOK")]
    pub notebooks: Vec<String>,
    /// CIFAR-10 to use: a directory with the official binary files, or `builtin` for the drawn set
    #[arg(long, value_name = "DIR", env = "BLITZ_DATA")]
    pub data: Option<String>,
    /// Where executed notebooks and pages go
    #[arg(long, value_name = "DIR")]
    pub site: Option<PathBuf>,
    /// The kernel to execute with
    #[arg(long, value_enum, value_name = "KERNEL", default_value_t = Kernel::Rust)]
    pub kernel: Kernel,
    /// Seconds that one cell may take
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub timeout: u64,
    /// Execute on the built-in data set and store the outputs in the notebooks themselves, for
    /// nbval to compare with
    #[arg(long, conflicts_with = "site")]
    pub store: bool,
}

/// Options of `lab`.
#[derive(Args)]
pub struct LabOptions {
    /// Do not open a browser; the address is printed. So it is where there is no screen
    #[arg(long)]
    pub no_browser: bool,
    /// The port to listen on (default: 8888, or the next free one)
    #[arg(long)]
    pub port: Option<u16>,
    /// More arguments for `jupyter lab`, after `--`
    #[arg(last = true, value_name = "ARGUMENTS")]
    pub more: Vec<String>,
}

/// Options of `test`.
#[derive(Args)]
pub struct TestOptions {
    /// Checks to run; all if none is named
    #[arg(value_enum, value_name = "CHECK")]
    pub checks: Vec<Check>,
    /// A directory with real CIFAR-10: also execute 04 on it and check the accuracy that it reports
    #[arg(long, value_name = "DIR", env = "BLITZ_DATA")]
    pub data: Option<String>,
}

/// What can be measured.
#[derive(Subcommand)]
pub enum Bench {
    /// How long a kernel takes to start, to print its first tensor and to run a small cell: this
    /// project's kernel, the stock one, and Python's
    Kernel(BenchKernelOptions),
    /// How fast the classifier trains, how much memory that takes and how accurate it gets: the
    /// tutorial's loop in Python, the best plain loop in Python, and this project's, in turn
    Train(BenchTrainOptions),
}

/// Options of `bench train`.
#[derive(Args)]
pub struct BenchTrainOptions {
    /// CIFAR-10 to train on: a directory with the official binary files; without it the built-in
    /// set, on which accuracies say nothing
    #[arg(long, value_name = "DIR", env = "BLITZ_DATA")]
    pub data: Option<String>,
    /// A sample of 500 batches of each loop, without accuracies
    #[arg(long)]
    pub quick: bool,
    /// Seeds, each of which trains all three loops
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub seeds: u32,
    /// Walks over the training images
    #[arg(long, value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// Print every single measurement as JSON instead of the Markdown table
    #[arg(long)]
    pub json: bool,
}

/// Options of `bench kernel`.
#[derive(Args)]
pub struct BenchKernelOptions {
    /// A sample that takes one to three minutes: one measured start of each kernel, notebook 01 alone
    #[arg(long, conflicts_with = "runs")]
    pub quick: bool,
    /// Measured starts of each kernel, after one that is not counted; the table has their medians
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Kernels to measure
    #[arg(long, value_name = "NAME", value_delimiter = ',',
          default_values = ["rust", "rust-stock", "python3"],
          value_parser = ["rust", "rust-stock", "python3"])]
    pub kernels: Vec<String>,
    /// Print every single measurement as JSON instead of the Markdown table
    #[arg(long)]
    pub json: bool,
}

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
          value_parser = crate::kernelspec::parse_name)]
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

/// Options of `html`.
#[derive(Args)]
pub struct HtmlOptions {
    /// Notebooks: 04, 04_cifar10_classifier or a path; all of notebooks/ if none is named
    #[arg(value_name = "NOTEBOOK")]
    pub notebooks: Vec<String>,
    /// Where the pages go
    #[arg(long, value_name = "DIR")]
    pub site: Option<PathBuf>,
}

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
    /// All of these, the history of what you have executed, and the choice of `setup --cpu`: a fresh
    /// clone again
    #[arg(long)]
    pub all: bool,
    /// Say what would be removed and how much that would free, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}
