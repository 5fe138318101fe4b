//! Asking the process that answers.

use crate::analyst::question::{Answer, Question};
use crate::engine::ROOT_OPTION;
use anyhow::{Context, Result};
use blitz_contract::Layout;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an editor waits for an answer. The first questions may come before rust-analyzer has
/// read everything.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the process has to end by itself.
const FAREWELL: Duration = Duration::from_millis(500);

/// The process, started when it is first needed and again should it end.
#[derive(Clone)]
pub struct Analyst {
    layout: Layout,
    process: Arc<Mutex<Option<Process>>>,
}

struct Process {
    child: Child,
    /// Only `None` while the process is ended.
    questions: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Analyst {
    /// No process yet, for the repository at `layout`.
    pub fn new(layout: Layout) -> Self {
        Analyst { layout, process: Arc::default() }
    }

    /// Starts the process now, so that it has read everything when the first question comes.
    pub fn start(&self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if process.is_none() {
            *process = Process::start(&self.layout).ok();
        }
    }

    /// Ends the process, whatever it is doing.
    pub fn end(&self) {
        if let Ok(mut process) = self.process.try_lock() {
            *process = None;
        }
    }

    /// Asks. An answer that takes too long is none.
    pub async fn ask(&self, question: Question) -> Answer {
        let analyst = self.clone();
        let asked = tokio::task::spawn_blocking(move || analyst.ask_now(&question));
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(Ok(answer))) => answer,
            _ => Answer::default(),
        }
    }

    fn ask_now(&self, question: &Question) -> Result<Answer> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if process.is_none() {
            *process = Some(Process::start(&self.layout)?);
        }
        let answer = process.as_mut().context("just started")?.ask(question);
        if answer.is_err() {
            *process = None;
        }
        answer
    }
}

impl Process {
    fn start(layout: &Layout) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(ROOT_OPTION)
            .arg(layout.root())
            .arg("analyse")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the analyst")?;
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("no pipe")?).lines();
        Ok(Process { child, questions, answers })
    }

    fn ask(&mut self, question: &Question) -> Result<Answer> {
        let questions = self.questions.as_mut().context("the analyst is ending")?;
        writeln!(questions, "{}", serde_json::to_string(question)?)?;
        questions.flush()?;
        let line = self.answers.next().context("the analyst has ended")??;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Without questions to come it ends by itself and removes its build directory.
        self.questions = None;
        let deadline = Instant::now() + FAREWELL;
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
