//! The processes of one launch, from their start to their end.

use std::fs;
use std::io;
use std::os::fd::RawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use super::agent::Agent;
use super::context::{Context, Place};
use super::ends;
use super::messages::Kind;
use super::output::{Lines, show};
use super::own_program;
use super::rank::{Rank, Source};
use crate::display::interrupt::Watch;
use crate::error::{Error, Result, peer_text};

/// How often the end of processes and an interrupt are looked for.
const PACE: Duration = Duration::from_millis(50);
/// How long a function may go on after it was asked to stop.
const GRACE: Duration = Duration::from_secs(8);
/// How long the other processes may take to end after one has failed. Longer, and all are killed.
const END: Duration = Duration::from_secs(10);
/// How long the others may go on after one has ended without a word, and so that its exit code says
/// nothing wrong.
const SILENCE: Duration = Duration::from_secs(3);

/// Runs the function at `address` in `nproc` processes; returns what rank 0 returned.
///
/// # Errors
///
/// As for [`launch`](super::launch()).
pub(super) fn run(nproc: usize, context: &Context, address: *const ()) -> Result<Vec<u8>> {
    let place = Place::of(address).filter(|place| is_found_again(context, place));
    let place = place.ok_or_else(|| Error::Launch {
        reason: "the function lies in no library that the processes know".to_owned(),
        remedy: "Define it in a cell, or in the program itself".to_owned(),
    })?;
    let dir = tempfile::Builder::new().prefix("blitz-launch-").tempdir();
    let dir = dir.map_err(Error::io("make a directory in", &std::env::temp_dir()))?;
    let ranks = (0..nproc).map(|rank| Rank::new(dir.path(), rank)).collect::<io::Result<_>>();
    let ranks = ranks.map_err(Error::io("make pipes in", dir.path()))?;
    let log = dir.path().join("start.log");
    let agent = Agent::start(nproc, context, &place, dir.path(), &log)?;
    let lines = |is_rich| (0..nproc).map(|rank| Lines::new(rank, is_rich && rank == 0)).collect();
    let workers = Workers {
        agent,
        ranks,
        stdout: lines(true),
        stderr: lines(false),
        first_silent: None,
        end_at: None,
        interrupts: 0,
        has_killed: false,
    };
    workers.run(&log)
}

/// Whether the new processes find the function: those of a program look for it beside this crate.
fn is_found_again(context: &Context, place: &Place) -> bool {
    match context {
        Context::Cell { .. } => true,
        Context::Program => own_program::place().is_some_and(|own| own.start == place.start),
    }
}

struct Workers {
    agent: Agent,
    ranks: Vec<Rank>,
    stdout: Vec<Lines>,
    stderr: Vec<Lines>,
    /// The rank that ended without a word before anything else went wrong.
    first_silent: Option<usize>,
    /// When all are ended.
    end_at: Option<Instant>,
    interrupts: usize,
    has_killed: bool,
}

impl Workers {
    fn run(mut self, log: &Path) -> Result<Vec<u8>> {
        let watch = Watch::new();
        loop {
            self.wait();
            self.read();
            self.note_failures();
            if watch.requested() {
                self.interrupt();
            }
            if self.end_at.is_some_and(|at| Instant::now() >= at) {
                self.kill();
            }
            // Only the end of its pipe tells that a process has said all. One that never began has
            // nothing to say.
            let have_ended = self.agent.look();
            let speaks = |rank: &Rank| rank.process.is_some() && !rank.has_ended;
            if have_ended && !self.ranks.iter().any(speaks) {
                break;
            }
        }
        self.finish_output();
        self.result(&fs::read_to_string(log).unwrap_or_default())
    }

    /// Waits until something is there to read, a short time at most.
    fn wait(&self) {
        let descriptor = |fd: RawFd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut polled: Vec<libc::pollfd> =
            self.ranks.iter().flat_map(Rank::waits).flatten().map(descriptor).collect();
        let pace = i32::try_from(PACE.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the array has as many entries as the call is told.
        unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, pace) };
    }

    /// Reads what each process says, and shows what it prints.
    fn read(&mut self) {
        let (stdout, stderr) = (&mut io::stdout(), &mut io::stderr());
        for (index, rank) in self.ranks.iter_mut().enumerate() {
            rank.listen();
            // Both, even where a stream has nothing: a line may have waited long enough.
            let out = rank.stdout.read();
            show(stdout, &mut self.stdout, index, |lines| fed(lines, &out));
            let error = rank.stderr.read();
            show(stderr, &mut self.stderr, index, |lines| fed(lines, &error));
        }
    }

    /// Shows what is left in the pipes.
    fn finish_output(&mut self) {
        for (index, rank) in self.ranks.iter_mut().enumerate() {
            let rest = |source: &mut Source| {
                std::iter::from_fn(|| Some(source.read()).filter(|bytes| !bytes.is_empty()))
                    .collect::<Vec<_>>()
                    .concat()
            };
            let give = |bytes: Vec<u8>| {
                move |lines: &mut Lines| [lines.feed(&bytes), lines.finish()].concat()
            };
            let out = give(rest(&mut rank.stdout));
            show(&mut io::stdout(), &mut self.stdout, index, out);
            let error = give(rest(&mut rank.stderr));
            show(&mut io::stderr(), &mut self.stderr, index, error);
        }
    }

    /// Sees to it that a failure of one is the end of all.
    fn note_failures(&mut self) {
        let silent = self.ranks.iter().position(Rank::ended_silently);
        let failed = self.ranks.iter().any(|rank| rank.failure().is_some());
        let all_ended = self.ranks.iter().all(|rank| rank.has_ended);
        if self.end_at.is_some() || (silent.is_none() && !failed && !all_ended) {
            return;
        }
        let patience = match (silent, failed) {
            (Some(rank), false) => {
                self.first_silent = Some(rank);
                SILENCE
            }
            _ => END,
        };
        self.end_at = Some(Instant::now() + patience);
    }

    /// Asks all to stop; the second time, and where none has begun, ends them.
    fn interrupt(&mut self) {
        self.interrupts += 1;
        if self.interrupts > 1 || self.ranks.iter().all(|rank| rank.process.is_none()) {
            self.kill();
            return;
        }
        self.ranks.iter().for_each(Rank::interrupt);
        self.end_at = Some(Instant::now() + GRACE);
    }

    fn kill(&mut self) {
        self.has_killed = true;
        self.ranks.iter().for_each(Rank::kill);
        // Also those that have not said their number.
        self.agent.kill();
        self.end_at = None;
    }

    fn result(&mut self, report: &str) -> Result<Vec<u8>> {
        let world_size = self.ranks.len();
        let failure =
            self.failure().map(|(rank, message)| Error::Rank { rank, world_size, message });
        if self.interrupts > 0 {
            let state = match (self.has_killed, failure) {
                (false, Some(error)) => format!("all processes have stopped ({error})"),
                _ => "all processes have been ended".to_owned(),
            };
            return Err(Error::Interrupted { operation: "launch", state });
        }
        if let Some(error) = failure {
            return Err(error);
        }
        let end = self.ranks.first_mut().and_then(|rank| rank.end.take());
        match end.filter(|end| end.kind == Kind::Returned) {
            Some(end) => Ok(end.payload),
            None => Err(Error::Launch {
                reason: format!("the processes have ended: {}", ends::last_words(report)),
                remedy: "`cargo blitz doctor` checks the installation".to_owned(),
            }),
        }
    }

    /// The rank that failed first, and why. Of what follows from that, such as a connection that
    /// another rank lost, nothing is said.
    fn failure(&self) -> Option<(usize, String)> {
        let silent = |rank: &usize| self.ranks[*rank].ended_silently();
        let told = || {
            let failures = self.ranks.iter().enumerate();
            let failures = failures.filter_map(|(rank, it)| Some((rank, it.failure()?)));
            // Who lost another one is not the first, whenever that was told.
            failures.min_by_key(|(_, failure)| {
                (peer_text::tells_of_an_end(&failure.text()), failure.time)
            })
        };
        let crashed =
            |rank: &usize| self.ranks[*rank].end.is_none() && self.agent.failure(*rank).is_some();
        let ended = |rank| (rank, ends::described(self.agent.failure(rank).as_deref()));
        let first = self.first_silent.or_else(|| (0..self.ranks.len()).find(crashed));
        if let Some(rank) = first {
            return Some(ended(rank));
        }
        if let Some((rank, failure)) = told() {
            let text = failure.text();
            // An exit with 0 looks like a success.
            let lost =
                (0..self.ranks.len()).find(silent).filter(|_| peer_text::tells_of_an_end(&text));
            if let Some(lost) = lost {
                return Some(ended(lost));
            }
            let text =
                if failure.kind == Kind::Panicked { format!("panicked: {text}") } else { text };
            return Some((rank, text));
        }
        (0..self.ranks.len()).find(silent).map(ended)
    }
}

fn fed(lines: &mut Lines, bytes: &[u8]) -> Vec<u8> {
    match bytes.is_empty() {
        true => lines.feed_nothing(),
        false => lines.feed(bytes),
    }
}
