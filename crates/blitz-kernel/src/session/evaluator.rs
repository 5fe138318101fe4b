//! The thread that compiles and runs cells, one after the other.

use crate::cells::input::Ask;
use crate::cells::outcome::Outcome;
use crate::engine;
use crate::failure::cell_error::CellError;
use crate::failure::defined::Defined;
use crate::failure::names::{Ended, Names};
use crate::failure::outdated::InUse;
use crate::failure::python::Python;
use crate::failure::{self, Failed};
use crate::notebook::definition::{Definition, Origin};
use crate::notebook::{self, Notebook};
use crate::output::publisher::Bundle;
use crate::session::Session;
use crate::session::commands::Commands;
use crate::session::definitions::Item;
use crate::session::execution::{Executed, Execution};
use crate::session::lines::SourceLines;
use crate::session::persistence::{Persistence, Unexecuted};
use crate::session::sent::Sent;
use crate::syntax;
use blitz_contract::Layout;
use blitz_toolchain::variable_types::INFERRED;
use evcxr::{CommandContext, EvalOutputs};
use serde_json::{Map, Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError};

/// Evaluates cells.
pub struct Evaluator {
    session: Session,
    layout: Layout,
    /// evcxr, or why there is none.
    engine: Result<CommandContext, String>,
    notebook: Notebook,
    lines: SourceLines,
    names: Names,
    python: Python,
    persistence: Persistence,
    execution_count: usize,
    full_backtrace: bool,
}

impl Evaluator {
    /// Starts evcxr in `build_dir`. The person sees backtraces with `full_backtrace`.
    pub fn start(session: Session, layout: Layout, build_dir: &Path, full_backtrace: bool) -> Self {
        let (publisher, record) = (Arc::clone(&session.publisher), Arc::clone(&session.record));
        let engine = engine::start_for_cells(&layout, publisher, record, full_backtrace)
            .map_err(|error| format!("{error:#}"));
        let lines = SourceLines::new(build_dir.join("src/lib.rs"));
        let notebook = Notebook::new(build_dir);
        let (names, persistence) = (Names::default(), Persistence::new(build_dir));
        let python = Python::new(layout.helper_crate().join("src/python_to_rust.md"));
        let execution_count = 0;
        Evaluator {
            session,
            layout,
            engine,
            notebook,
            lines,
            names,
            python,
            persistence,
            execution_count,
            full_backtrace,
        }
    }

    /// Evaluates cells until the queue is closed.
    pub fn run(mut self, queue: &Receiver<Execution>) {
        if let Ok(context) = &mut self.engine {
            // Also where a cell waits already: evcxr numbers what it compiles, and by the same number the
            // next kernel finds what this one has compiled.
            let _ = engine::warm_up(context);
        }
        self.session.record.ready();
        for execution in queue {
            self.execute(&execution, queue);
            // While the person reads.
            self.tell_types();
        }
    }

    /// Tells evcxr the types that rustc has found in the last cell, and then those who ask for them.
    fn tell_types(&mut self) {
        self.tell_engine_types();
        self.session.types_are_known.send_replace(true);
    }

    fn tell_engine_types(&mut self) {
        let inferred = self.persistence.take_inferred();
        let Ok(context) = &mut self.engine else { return };
        let is_waiting = |name: &str| {
            context.variables_and_types().any(|(it, kind)| it == name && kind == INFERRED)
        };
        let waiting = inferred.into_iter().filter(|it| is_waiting(&it.name));
        let bound: Vec<String> = waiting.map(|it| it.bound).collect();
        if bound.is_empty() {
            return;
        }
        // Where it does not take them, the next cell says that it does not know a variable's type.
        let _ = self.notebook.declare(context, &bound);
        self.note_variables();
    }

    /// Notes the variables for those who answer questions.
    fn note_variables(&mut self) {
        let Ok(context) = &self.engine else { return };
        let variables = context.variables_and_types();
        let variables = variables.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
        let mut definitions =
            self.session.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        definitions.variables = variables;
    }

    /// Executes one cell. When it fails, what waits behind it in `queue` is aborted.
    fn execute(&mut self, execution: &Execution, queue: &Receiver<Execution>) {
        let code = &execution.code;
        self.execution_count += usize::from(execution.stored);
        let publisher = Arc::clone(&self.session.publisher);
        publisher.set_parent(&execution.parent, self.execution_count, execution.silent);
        publisher.busy();
        if !execution.silent {
            publisher.input(code);
        }
        let defined = Defined::by(code);
        let mut evaluated = match self.session.record.unqueue() {
            true => Err(failure::before_it_began()),
            false => {
                let notes = self.names.before(
                    code,
                    &defined,
                    &InUse::of(&self.notebook, self.engine.as_ref().ok()),
                );
                if !notes.is_empty() {
                    publisher.note(&notes);
                }
                self.evaluate(code, execution)
            }
        };
        let (cell, id) = (self.execution_count, execution.cell_id.as_deref());
        let in_use = InUse::of(&self.notebook, self.engine.as_ref().ok());
        self.names.after(
            &Ended { code, defined: &defined, cell, id },
            evaluated.as_mut().err(),
            &in_use,
        );
        let error = evaluated.as_ref().err().map(|error| error.output(publisher.messages()));
        if let Some(error) = &error {
            publisher.error(error);
        }
        let expressions = match &error {
            None => self.user_expressions(execution),
            Some(_) => Map::new(),
        };
        let stops = error.is_some() && execution.stop_on_error;
        // Before the client learns of the failure: what it sends after that is meant to run.
        let aborted: Vec<Execution> = if stops { queue.try_iter().collect() } else { Vec::new() };
        execution.client.executed(Executed {
            execution_count: self.execution_count,
            error: error.as_ref(),
            output: evaluated.as_ref().ok().and_then(Option::as_deref),
            expressions: &expressions,
        });
        publisher.idle();
        aborted.iter().for_each(|execution| self.abort(execution));
    }

    /// Evaluates a cell. Returns its result as text, if it has one.
    fn evaluate(&mut self, code: &str, execution: &Execution) -> Result<Option<String>, CellError> {
        self.tell_types();
        let context = self.engine.as_mut().map_err(|reason| failure::no_engine(reason))?;
        let folder = std::env::current_dir().unwrap_or_default();
        let sent = {
            let known = self.session.definitions.lock().unwrap_or_else(PoisonError::into_inner);
            Sent::new(code, &known, &self.layout, &folder)
        };
        let sent = sent
            .map_err(|refused| failure::refused_dependency(refused.line, &refused.reason, code))?;
        if let Some(fault) = sent.fault() {
            return Err(failure::unreadable(&fault, self.execution_count, code));
        }
        if let Some(line) = syntax::let_without_pattern(&sent.code) {
            return Err(failure::let_without_pattern(line));
        }
        self.lines.add_cell(self.execution_count, &sent);
        let (translated, commands) = Commands::take(&sent.code);
        self.persistence.prepare(context, &translated);
        let client: Arc<dyn Ask> = execution.client.clone();
        self.session.record.begin(&sent.code, client);
        let origin = Origin {
            cell: self.execution_count,
            id: execution.cell_id.clone(),
            ..Origin::default()
        };
        let mut refused = None;
        let mut execute = |context: &mut CommandContext, code: &str| {
            let mut added = |text: &str| self.lines.add_to_line(text);
            match self.persistence.execute(context, code, &mut added) {
                Ok(outputs) => Ok(outputs),
                Err(Unexecuted::Engine(error)) => Err(error),
                Err(Unexecuted::NotKept(refusal)) => {
                    let error = refusal.message.clone().into();
                    refused = Some(refusal);
                    Err(error)
                }
            }
        };
        let evaluated = catch_unwind(AssertUnwindSafe(|| {
            self.notebook.execute(context, &translated, &origin, &mut execute)
        }));
        let outcome = self.session.record.end();
        self.lines.set_definitions(self.notebook.lines());
        let failed = Failed {
            outcome: &outcome,
            place: self.lines.place_of_failure(&outcome),
            libtorch_lib: &self.layout.libtorch_lib(),
            full_backtrace: self.full_backtrace,
            python: &self.python,
        };
        match evaluated {
            Err(_) => Err(failure::kernel_error("evcxr panicked; its message is in Jupyter's log")),
            Ok(Err(notebook::Failed::Evcxr(error, changes))) => {
                let mut shown = match &refused {
                    Some(refusal) => {
                        let place = self.lines.place_in_last_cell(refusal.line);
                        failed.of_unkept(&refusal.message, place, &refusal.helps)
                    }
                    None => failed.of_evcxr(&error, &sent),
                };
                if matches!(error, evcxr::Error::SubprocessTerminated(_)) {
                    self.notebook.process_ended();
                } else {
                    let notes = failure::definitions::notes(code, self.notebook.store(), &changes);
                    shown.extend(notes);
                }
                Err(shown)
            }
            Ok(Err(notebook::Failed::Cancelled)) => Err(failure::compilation_cancelled()),
            Ok(Err(notebook::Failed::Definitions(faults, aside))) => {
                Err(failure::definitions::describe(&faults, &aside, &self.lines, &origin))
            }
            Ok(Ok((mut outputs, changes))) => {
                let publisher = &self.session.publisher;
                commands.show(self.notebook.store(), &mut outputs, publisher.messages());
                changes.described().iter().for_each(|text| publisher.note(text));
                match failed.after_run() {
                    Some(error) => Err(error),
                    None => {
                        let cut_short = failed.cut_short();
                        let text = self.succeeded(&translated, &outcome, &outputs);
                        cut_short.map_or(Ok(text), Err)
                    }
                }
            }
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
            self.session.publisher.note(&format!("a panic was caught: {}\n", caught.message));
        }
        let mut definitions =
            self.session.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        definitions.add_commands(code);
        let items = self.notebook.store().active();
        let item = |it: &Definition| Item { key: it.name(), source: it.source.clone() };
        definitions.items = items.map(item).collect();
        drop(definitions);
        // Before the client learns that the cell has ended, and asks.
        self.session.types_are_known.send_replace(false);
        self.note_variables();
        let data: Map<String, Value> = outputs
            .content_by_mime_type
            .iter()
            .map(|(mime, text)| (mime.clone(), json!(text)))
            .collect();
        if data.values().any(|text| text.as_str().is_some_and(|text| !text.trim().is_empty())) {
            self.session.publisher.result(Bundle { data, metadata: Map::new() });
        }
        self.session.publisher.take_result_text()
    }

    /// Evaluates the expressions that a client wants to know beside the cell's own output.
    fn user_expressions(&mut self, execution: &Execution) -> Map<String, Value> {
        let evaluate = |(name, expression): (&String, &Value)| {
            let code = expression.as_str().unwrap_or_default();
            self.session.publisher.capture();
            let evaluated = self.evaluate(code, execution);
            let bundle = self.session.publisher.captured().unwrap_or_default();
            let answer = match evaluated {
                Ok(_) => json!({
                    "status": "ok", "data": bundle.data, "metadata": bundle.metadata,
                }),
                Err(error) => {
                    let error = error.output(self.session.publisher.messages());
                    json!({
                        "status": "error", "ename": error.ename, "evalue": error.evalue,
                        "traceback": error.traceback,
                    })
                }
            };
            (name.clone(), answer)
        };
        execution.expressions.iter().map(evaluate).collect()
    }

    /// Answers for a cell that waited behind a failed one.
    fn abort(&self, execution: &Execution) {
        self.session.record.unqueue();
        let publisher = &self.session.publisher;
        publisher.set_parent(&execution.parent, self.execution_count, true);
        publisher.busy();
        execution.client.aborted(self.execution_count);
        publisher.idle();
    }
}
