//! The thread that compiles and runs cells, one after the other.

use crate::analyst::client::Analyst;
use crate::analyst::question::Definitions;
use crate::cells::record::{Outcome, SharedRecord};
use crate::dependencies;
use crate::engine;
use crate::environment::Layout;
use crate::failure::{self, Failed};
use crate::jupyter::history::History;
use crate::jupyter::publisher::{Bundle, Publisher};
use crate::jupyter::sockets::Outbox;
use crate::jupyter::stdin::InputReader;
use crate::jupyter::wire::{Request, untyped};
use crate::source_lines::SourceLines;
use evcxr::{CommandContext, EvalCallbacks, EvalOutputs};
use jupyter_protocol::{ErrorOutput, Stdio};
use serde_json::{Map, Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

/// What the evaluator shares with the tasks that answer other requests.
#[derive(Clone)]
pub struct Shared {
    /// Messages on their way out.
    pub outbox: Outbox,
    /// What the running cell publishes.
    pub publisher: Arc<Publisher>,
    /// What is known about the running cell.
    pub record: SharedRecord,
    /// What has been executed.
    pub history: Arc<Mutex<History>>,
    /// What the cells have defined.
    pub definitions: Arc<Mutex<Definitions>>,
    /// Answers the editor's questions.
    pub analyst: Analyst,
}

/// Evaluates cells.
pub struct Evaluator {
    shared: Shared,
    /// evcxr, or why there is none.
    engine: Result<CommandContext, String>,
    input: InputReader,
    lines: SourceLines,
    execution_count: usize,
    full_backtrace: bool,
}

impl Evaluator {
    /// An evaluator for `engine`. The person sees backtraces with `full_backtrace`.
    pub fn new(
        shared: Shared,
        engine: Result<CommandContext, String>,
        input: InputReader,
        lines: SourceLines,
        full_backtrace: bool,
    ) -> Self {
        Evaluator { shared, engine, input, lines, execution_count: 0, full_backtrace }
    }

    /// Evaluates requests until the queue is closed.
    pub fn run(mut self, queue: &Receiver<Request>) {
        let first = queue.try_recv().ok();
        if first.is_none()
            && let Ok(context) = &mut self.engine
        {
            // Nobody waits: do now what the first cell would wait for.
            let _ = engine::warm_up(context);
        }
        self.shared.record.ready();
        for request in first.into_iter().chain(queue.iter()) {
            self.execute(&request, queue);
        }
    }

    /// Executes one request. When it fails, what waits behind it in `queue` is aborted.
    fn execute(&mut self, request: &Request, queue: &Receiver<Request>) {
        let code = request.text("code").to_owned();
        let silent = request.flag("silent", false);
        let stored = !silent && request.flag("store_history", true) && !code.trim().is_empty();
        self.execution_count += usize::from(stored);
        let publisher = Arc::clone(&self.shared.publisher);
        publisher.set_parent(&request.header, self.execution_count, silent);
        publisher.busy();
        if !silent {
            publisher.input(&code);
        }
        let evaluated = match self.shared.record.unqueue() {
            true => Err(failure::before_it_began()),
            false => self.evaluate(&code, request),
        };
        let error = evaluated.as_ref().err();
        if let Some(error) = error {
            publisher.error(error);
        }
        if stored {
            let output = evaluated.as_ref().ok().cloned().flatten();
            let mut history = self.shared.history.lock().unwrap_or_else(PoisonError::into_inner);
            history.add(self.execution_count, &code, output);
        }
        let expressions = match error {
            None => self.user_expressions(request),
            Some(_) => Map::new(),
        };
        let stops = error.is_some() && request.flag("stop_on_error", true);
        // Before the client learns of the failure: what it sends after that is meant to run.
        let aborted: Vec<Request> = if stops { queue.try_iter().collect() } else { Vec::new() };
        self.reply(request, error, expressions);
        publisher.idle();
        aborted.iter().for_each(|request| self.abort(request));
    }

    /// Evaluates a cell. Returns its result as text, if it has one.
    fn evaluate(&mut self, code: &str, request: &Request) -> Result<Option<String>, ErrorOutput> {
        self.lines.add_cell(self.execution_count, code);
        let context = self.engine.as_mut().map_err(|reason| failure::no_engine(reason))?;
        if let Some(error) = failure::before_run(code) {
            return Err(error);
        }
        let folder = std::env::current_dir().unwrap_or_default();
        let translated = dependencies::translate(code, &Layout::of_this_build(), &folder)
            .map_err(|refused| failure::refused_dependency(&refused, code))?;
        self.shared.record.begin(code);
        let input = &self.input;
        let evaluated = catch_unwind(AssertUnwindSafe(|| {
            let mut callbacks = EvalCallbacks {
                input_reader: &|wish| input.read(request, &wish.prompt, wish.is_password),
            };
            context.execute_with_callbacks(&translated, &mut callbacks)
        }));
        let outcome = self.shared.record.end();
        let failed =
            Failed { outcome: &outcome, lines: &self.lines, full_backtrace: self.full_backtrace };
        match evaluated {
            Err(_) => Err(failure::kernel_error("evcxr panicked; its message is in Jupyter's log")),
            Ok(Err(error)) => {
                Err(failure::without_libtorch().unwrap_or_else(|| failed.of_evcxr(&error, code)))
            }
            Ok(Ok(outputs)) => match failed.after_run() {
                Some(error) => Err(error),
                None => Ok(self.succeeded(&translated, &outcome, &outputs)),
            },
        }
    }

    /// Notes what a cell defined and publishes what evcxr's commands returned.
    fn succeeded(
        &mut self,
        code: &str,
        outcome: &Outcome,
        outputs: &EvalOutputs,
    ) -> Option<String> {
        for caught in &outcome.panics {
            let text = format!("a panic was caught: {}\n", caught.message);
            self.shared.publisher.stream(Stdio::Stderr, text);
        }
        let mut definitions =
            self.shared.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        definitions.add(code);
        if let Ok(context) = &self.engine {
            let variables = context.variables_and_types();
            definitions.variables =
                variables.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
        }
        drop(definitions);
        let data: Map<String, Value> = outputs
            .content_by_mime_type
            .iter()
            .map(|(mime, text)| (mime.clone(), json!(text)))
            .collect();
        if data.values().any(|text| text.as_str().is_some_and(|text| !text.trim().is_empty())) {
            self.shared.publisher.result(Bundle { data, metadata: Map::new() });
        }
        self.shared.publisher.take_result_text()
    }

    /// Evaluates the expressions that a client wants to know beside the cell's own output.
    fn user_expressions(&mut self, request: &Request) -> Map<String, Value> {
        let expressions = request.content["user_expressions"].as_object().cloned();
        let expressions = expressions.unwrap_or_default().into_iter();
        let evaluate = |(name, expression): (String, Value)| {
            let code = expression.as_str().unwrap_or_default();
            self.shared.publisher.capture();
            let evaluated = self.evaluate(code, request);
            let bundle = self.shared.publisher.captured().unwrap_or_default();
            let answer = match evaluated {
                Ok(_) => json!({
                    "status": "ok", "data": bundle.data, "metadata": bundle.metadata,
                }),
                Err(error) => json!({
                    "status": "error", "ename": error.ename, "evalue": error.evalue,
                    "traceback": error.traceback,
                }),
            };
            (name, answer)
        };
        expressions.map(evaluate).collect()
    }

    fn reply(
        &self,
        request: &Request,
        error: Option<&ErrorOutput>,
        expressions: Map<String, Value>,
    ) {
        let mut content = json!({
            "status": if error.is_some() { "error" } else { "ok" },
            "execution_count": self.execution_count,
            "payload": [],
            "user_expressions": expressions,
        });
        if let Some(error) = error {
            content["ename"] = json!(error.ename);
            content["evalue"] = json!(error.evalue);
            content["traceback"] = json!(error.traceback);
        }
        let _ = self.shared.outbox.shell.send(request.reply(untyped("execute_reply", content)));
    }

    /// Answers a request that waited behind a failed cell.
    fn abort(&self, request: &Request) {
        self.shared.record.unqueue();
        let publisher = &self.shared.publisher;
        publisher.set_parent(&request.header, self.execution_count, true);
        publisher.busy();
        let content = json!({ "status": "aborted", "execution_count": self.execution_count });
        let _ = self.shared.outbox.shell.send(request.reply(untyped("execute_reply", content)));
        publisher.idle();
    }
}
