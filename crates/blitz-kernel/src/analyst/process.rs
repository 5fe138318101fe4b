//! The process that answers, seen from the kernel.

use crate::analyst::question::{Answer, Question, READY};
use crate::engine::ROOT_OPTION;
use anyhow::{Context, Result, bail};
use blitz_contract::{Layout, program};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A question that takes longer keeps all others waiting: the process is given up.
const LONGEST: Duration = Duration::from_secs(30);

/// How long the process has to end by itself.
const FAREWELL: Duration = Duration::from_millis(500);

/// The process. Ended on drop.
pub struct Process {
    ending: Ending,
    /// Only `None` while the process is ended.
    questions: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// Ends a process, also while another thread waits for its answer.
#[derive(Clone, Default)]
pub struct Ending(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    child: Option<Child>,
    /// No further process may start.
    is_final: bool,
}

impl Process {
    /// Starts the process and waits until it has read everything. `ending` can end it meanwhile.
    ///
    /// # Errors
    /// It does not start, or ends before it can answer.
    pub fn start(layout: &Layout, ending: &Ending) -> Result<Self> {
        let mut command = Command::new(program::path()?);
        command.arg(ROOT_OPTION).arg(layout.root()).arg("analyse");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut state = ending.lock();
        if state.is_final {
            bail!("the kernel is ending");
        }
        let mut child = command.spawn().context("cannot start the completion service")?;
        let questions = child.stdin.take();
        let stdout = child.stdout.take();
        state.child = Some(child);
        drop(state);
        // From here on, whatever happens, the process is ended with this value.
        let lines = read_lines(stdout.context("no pipe")?)?;
        let process = Process { ending: ending.clone(), questions, lines };
        // However long it takes: on a slow machine the next question finds it ready.
        while process.lines.recv().context("the completion service does not start")? != READY {}
        Ok(process)
    }

    /// Whether the process still runs.
    pub fn is_running(&self) -> bool {
        let mut state = self.ending.lock();
        state.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Asks. After an error the process is of no use any more.
    ///
    /// # Errors
    /// The process ended over the question, or does not come to an end with it.
    pub fn ask(&mut self, question: &Question) -> Result<Answer> {
        let questions = self.questions.as_mut().context("the completion service is ending")?;
        writeln!(questions, "{}", serde_json::to_string(question)?)?;
        questions.flush()?;
        let deadline = Instant::now() + LONGEST;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                // What a library prints there is no answer.
                Ok(line) => match serde_json::from_str(&line) {
                    Ok(answer) => return Ok(answer),
                    Err(_) => continue,
                },
                Err(RecvTimeoutError::Timeout) => bail!("no answer within {LONGEST:?}"),
                Err(RecvTimeoutError::Disconnected) => bail!("the completion service has ended"),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Without questions to come it ends by itself and removes its build directory.
        self.questions = None;
        self.ending.end_child();
    }
}

impl Ending {
    /// Ends the process, if there is one, for good.
    pub fn end(&self) {
        self.lock().is_final = true;
        self.end_child();
    }

    fn end_child(&self) {
        let mut state = self.lock();
        let Some(mut child) = state.child.take() else { return };
        let deadline = Instant::now() + FAREWELL;
        while Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads in a thread, so that whoever waits for a line can give up.
fn read_lines(stdout: ChildStdout) -> Result<Receiver<String>> {
    let (sender, lines) = mpsc::channel();
    let thread = std::thread::Builder::new().name("analyst's answers".to_owned());
    let read = move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        lines.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
    };
    thread.spawn(read).context("cannot start a thread")?;
    Ok(lines)
}
