//! A test's processes: this program again, once for each rank, with the variables that torchrun sets.

use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{io::Read, thread};

use super::ignored_test;

/// Longer than any of these tests takes on a loaded machine.
const LIMIT: Duration = Duration::from_secs(240);

/// How the ranks of a world are started.
pub struct World {
    size: usize,
    port: u16,
    variables: Vec<(String, String)>,
    absent: Vec<usize>,
}

/// How a rank ended, and what it wrote to its outputs.
pub struct Ended {
    pub status: ExitStatus,
    pub text: String,
}

impl Ended {
    /// What follows `KEY=` on a line of its own.
    pub fn value(&self, key: &str) -> &str {
        let line = self.text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {key} in {}", self.text))
    }
}

impl World {
    pub fn of(size: usize) -> World {
        World { size, port: free_port(), variables: Vec::new(), absent: Vec::new() }
    }

    /// With a variable on all ranks.
    pub fn with(mut self, name: &str, value: &str) -> World {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the rank never started.
    pub fn without(mut self, rank: usize) -> World {
        self.absent.push(rank);
        self
    }

    /// At a port of the test's.
    pub fn at(mut self, port: u16) -> World {
        self.port = port;
        self
    }

    /// Runs the ignored test `name` of the module (`module_path!()`) on all ranks, to their ends.
    pub fn run(&self, module: &str, name: &str) -> Vec<Ended> {
        let present = (0..self.size).filter(|rank| !self.absent.contains(rank));
        let started: Vec<Child> =
            present.map(|rank| self.command(module, name, rank).spawn().unwrap()).collect();
        let deadline = Instant::now() + LIMIT;
        let waiting: Vec<_> =
            started.into_iter().map(|child| thread::spawn(move || wait(child, deadline))).collect();
        waiting.into_iter().map(|rank| rank.join().unwrap()).collect()
    }

    /// Runs it where every rank must succeed.
    pub fn succeeds(&self, module: &str, name: &str) -> Vec<Ended> {
        let ended = self.run(module, name);
        for (rank, ended) in ended.iter().enumerate() {
            assert!(ended.status.success(), "rank {rank} of {name}: {}", ended.text);
            assert!(ended.text.contains("1 passed"), "there is no {name}: {}", ended.text);
        }
        ended
    }

    /// The program of one rank.
    pub fn command(&self, module: &str, name: &str, rank: usize) -> Command {
        let mut command = ignored_test(module, name);
        let size = self.size.to_string();
        command.env("RANK", rank.to_string()).env("LOCAL_RANK", rank.to_string());
        command.env("WORLD_SIZE", &size).env("LOCAL_WORLD_SIZE", &size);
        command.env("MASTER_ADDR", "127.0.0.1").env("MASTER_PORT", self.port.to_string());
        command.env("OMP_NUM_THREADS", "1");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Reads both outputs to their ends; kills the rank at the deadline.
fn wait(mut child: Child, deadline: Instant) -> Ended {
    let mut outputs: Vec<Box<dyn Read + Send>> =
        vec![Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
    let readers: Vec<_> = outputs
        .drain(..)
        .map(|mut output| {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = output.read_to_end(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })
        })
        .collect();
    let mut note = "";
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                note = "\n(killed: it had not ended in time)";
                child.kill().unwrap();
                break child.wait().unwrap();
            }
            None => thread::sleep(Duration::from_millis(10)),
        }
    };
    let text: Vec<String> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    Ended { status, text: text.concat() + note }
}
