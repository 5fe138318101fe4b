//! torchrun, started so that it ends with this process and serves this machine alone.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use blitz_contract::{launcher, variables, worker};

use super::super::environment::{RANK, WORLD_SIZE};
use super::context::{Context, Launching, Place};
use crate::error::{Error, Result};

/// Starts torchrun, which starts `nproc` processes with the function at `place`. What it says itself
/// goes to `log`; its files and the pipes are in `dir`.
///
/// # Errors
///
/// [`Error::Launch`] where it cannot be started.
pub(super) fn start(
    nproc: usize,
    context: &Context,
    place: &Place,
    dir: &Path,
    log: &Path,
) -> Result<Child> {
    let log = File::create(log).map_err(Error::io("write", log))?;
    let streams = || log.try_clone().map(Stdio::from);
    let prepared = || -> io::Result<Command> {
        let mut command = Command::new(context.layout.python());
        command.args(["-c", launcher::SCRIPT]);
        arguments(&mut command, nproc, context, place, dir);
        command.stdin(Stdio::null()).stdout(streams()?).stderr(streams()?);
        environment(&mut command);
        Ok(command)
    };
    let started = prepared().and_then(|mut command| command.spawn());
    started.map_err(|error| Error::Launch {
        reason: format!("{} cannot be started ({error})", context.layout.python().display()),
        remedy: "`cargo blitz setup` installs it, with PyTorch and its torchrun".to_owned(),
    })
}

fn arguments(command: &mut Command, nproc: usize, context: &Context, place: &Place, dir: &Path) {
    command.arg("--nnodes=1").arg(format!("--nproc-per-node={nproc}"));
    command.arg("--max-restarts=0").arg("--log-dir").arg(dir).arg("--no-python");
    // The very program that runs this, also where another has taken its place on disk.
    command.arg(format!("/proc/{}/exe", std::process::id()));
    match &context.launching {
        Launching::Cell(statics) => {
            command.arg("--root").arg(context.layout.root()).arg(worker::COMMAND).arg(dir);
            command.arg(&place.library).arg(place.offset.to_string()).args(statics);
        }
        Launching::Program => {
            command.arg(worker::AGAIN).arg(dir).arg(place.offset.to_string());
        }
    }
}

fn environment(command: &mut Command) {
    // Those by which a program knows that it runs cells, or is one of several processes.
    for name in [variables::EVCXR_RUNTIME, variables::KERNEL, RANK, WORLD_SIZE] {
        command.env_remove(name);
    }
    // No signal of the terminal reaches it: an interrupt is this process's to pass on.
    command.process_group(0);
    #[cfg(target_os = "linux")]
    // SAFETY: the closure makes one system call, which is safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}
