//! What torchrun does on one machine, for processes of this program: it serves the meeting place, starts
//! the processes with torchrun's variables, and knows who of them failed first.

use std::env;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use blitz_contract::{variables, worker};

use super::super::engine::MeetingPlace;
use super::super::environment::{RANK, WORLD_SIZE};
use super::context::{Context, Place};
use super::ends;
use super::own_program::end_with_parent;
use crate::error::{Error, Result};

/// The processes of one launch.
pub(super) struct Agent {
    processes: Vec<Process>,
    /// The others are being ended.
    is_ending: bool,
    /// Where they meet, served until they have ended.
    _meeting_place: MeetingPlace,
}

struct Process {
    child: Child,
    /// How it ended.
    status: Option<ExitStatus>,
    /// It ended by itself, and not well.
    has_failed: bool,
}

impl Agent {
    /// Starts `nproc` processes with the function at `place`. What they say before they have their pipes,
    /// which are in `dir`, goes to `log`.
    ///
    /// # Errors
    ///
    /// [`Error::Launch`] where one cannot be started; the others are ended.
    pub(super) fn start(
        nproc: usize,
        context: &Context,
        place: &Place,
        dir: &Path,
        log: &Path,
    ) -> Result<Agent> {
        let log = File::create(log).map_err(Error::io("write", log))?;
        let refused = |error: &dyn std::fmt::Display| Error::Launch {
            reason: format!("a process cannot be started ({error})"),
            remedy: "Launch fewer processes, or free memory".to_owned(),
        };
        // Nobody else on the network reaches it: c10d asks nobody for a password.
        let listening =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| refused(&error))?;
        let port = listening.local_addr().map_err(|error| refused(&error))?.port();
        let meeting_place = MeetingPlace::serve(listening).map_err(|error| refused(&error))?;
        let mut agent =
            Agent { processes: Vec::new(), is_ending: false, _meeting_place: meeting_place };
        for rank in 0..nproc {
            let mut command = command(context, place, dir);
            environment(&mut command, rank, nproc, port);
            let child = spawn(&mut command, &log).map_err(|error| refused(&error))?;
            agent.processes.push(Process { child, status: None, has_failed: false });
        }
        Ok(agent)
    }

    /// Notes who has ended, and ends the others where one has failed. Whether all have ended.
    pub(super) fn look(&mut self) -> bool {
        for process in self.processes.iter_mut().filter(|process| process.status.is_none()) {
            process.status = process.child.try_wait().ok().flatten();
            process.has_failed =
                !self.is_ending && process.status.is_some_and(|status| !status.success());
        }
        if !self.is_ending && self.processes.iter().any(|process| process.has_failed) {
            self.end(libc::SIGTERM);
        }
        self.processes.iter().all(|process| process.status.is_some())
    }

    /// How `rank` ended, where it failed before others were ended for it: `exit code 3` or `signal
    /// SIGKILL`.
    pub(super) fn failure(&self, rank: usize) -> Option<String> {
        let process = self.processes.get(rank).filter(|process| process.has_failed)?;
        process.status.map(ends::name)
    }

    /// Ends all processes at once.
    pub(super) fn kill(&mut self) {
        self.end(libc::SIGKILL);
    }

    /// Sends `signal` to those that are there, and to those that they started and that stayed in their
    /// session.
    fn end(&mut self, signal: i32) {
        self.is_ending = true;
        for process in self.processes.iter().filter(|process| process.status.is_none()) {
            if let Ok(number) = libc::pid_t::try_from(process.child.id()) {
                // SAFETY: a plain system call. Nobody has waited for the process, so the number is its
                // own.
                unsafe { libc::kill(-number, signal) };
            }
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Where this unwinds; otherwise all have ended and been waited for.
        self.kill();
        for process in self.processes.iter_mut().filter(|process| process.status.is_none()) {
            let _ = process.child.wait();
        }
    }
}

/// This program again, as a worker.
fn command(context: &Context, place: &Place, dir: &Path) -> Command {
    // The very program that runs this, also where another has taken its place on disk.
    let mut command = Command::new(format!("/proc/{}/exe", std::process::id()));
    match context {
        Context::Cell { root, statics } => {
            command.arg("--root").arg(root).arg(worker::COMMAND).arg(dir);
            command.arg(&place.library).arg(place.offset.to_string()).args(statics);
        }
        Context::Program => {
            command.arg(worker::AGAIN).arg(dir).arg(place.offset.to_string());
        }
    }
    // A session of its own: no signal of the terminal reaches it, because an interrupt is this process's
    // to pass on, and whatever it starts can be ended with it.
    //
    // SAFETY: the closure makes system calls, which are safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            end_with_parent();
            Ok(())
        });
    }
    command
}

fn spawn(command: &mut Command, log: &File) -> io::Result<Child> {
    let stream = || log.try_clone().map(Stdio::from);
    command.stdin(Stdio::null()).stdout(stream()?).stderr(stream()?).spawn()
}

/// torchrun's variables, with the names that it gives one machine's workers.
fn environment(command: &mut Command, rank: usize, world_size: usize, port: u16) {
    // By these a program knows that it runs cells.
    for name in [variables::EVCXR_RUNTIME, variables::KERNEL] {
        command.env_remove(name);
    }
    let (rank, world_size, one) = (rank.to_string(), world_size.to_string(), "1".to_owned());
    for (name, value) in [
        (RANK, &rank),
        ("LOCAL_RANK", &rank),
        ("ROLE_RANK", &rank),
        (WORLD_SIZE, &world_size),
        ("LOCAL_WORLD_SIZE", &world_size),
        ("ROLE_WORLD_SIZE", &world_size),
        ("GROUP_RANK", &"0".to_owned()),
        ("GROUP_WORLD_SIZE", &one),
        ("ROLE_NAME", &"default".to_owned()),
        ("MASTER_ADDR", &Ipv4Addr::LOCALHOST.to_string()),
        ("MASTER_PORT", &port.to_string()),
        ("TORCHELASTIC_RESTART_COUNT", &"0".to_owned()),
        ("TORCHELASTIC_MAX_RESTARTS", &"0".to_owned()),
        ("TORCHELASTIC_RUN_ID", &"none".to_owned()),
        ("TORCHELASTIC_USE_AGENT_STORE", &"True".to_owned()),
        ("TORCH_NCCL_ASYNC_ERROR_HANDLING", &one),
    ] {
        command.env(name, value);
    }
    // One process computes on one core, unless somebody knows better.
    if env::var_os("OMP_NUM_THREADS").is_none() {
        command.env("OMP_NUM_THREADS", "1");
    }
}
