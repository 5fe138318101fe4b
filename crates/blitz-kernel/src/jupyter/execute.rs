//! `execute_request`: a cell on its way to the evaluator, and the answer on its way back.

use crate::cells::input::{Abandoned, Answer, Ask, NoInput, Wish};
use crate::jupyter::shared::Shared;
use crate::jupyter::wire::Request;
use crate::output::message::untyped;
use crate::session::execution::{Client, Executed, Execution};
use serde_json::json;
use std::sync::{Arc, PoisonError};

/// The cell that `request` asks for.
pub fn execution(request: Request, shared: &Shared) -> Execution {
    let code = request.text("code").to_owned();
    let silent = request.flag("silent", false);
    let stored = !silent && request.flag("store_history", true) && !code.trim().is_empty();
    let cell_id = request.metadata["cellId"].as_str().map(str::to_owned);
    let expressions = request.content["user_expressions"].as_object().cloned();
    Execution {
        cell_id,
        silent,
        stored,
        stop_on_error: request.flag("stop_on_error", true),
        expressions: expressions.unwrap_or_default(),
        parent: request.header.clone(),
        client: Arc::new(Asker { request, stored, shared: shared.clone() }),
        code,
    }
}

/// The client that sent a request.
struct Asker {
    request: Request,
    /// The cell is kept in the history.
    stored: bool,
    shared: Shared,
}

impl Ask for Asker {
    fn refusal(&self) -> Option<NoInput> {
        if !self.request.flag("allow_stdin", true) {
            return Some(NoInput::Refused);
        }
        self.shared.session.record.ignores_interrupt().then_some(NoInput::Interrupted)
    }

    fn ask(&self, wish: &Wish, abandoned: &Abandoned) -> Answer {
        self.shared.input.read(&self.request, wish, abandoned)
    }
}

impl Client for Asker {
    fn executed(&self, executed: Executed) {
        if self.stored {
            let output = executed.output.map(str::to_owned);
            let mut history = self.shared.history.lock().unwrap_or_else(PoisonError::into_inner);
            history.add(executed.execution_count, self.request.text("code"), output);
        }
        let mut content = json!({
            "status": if executed.error.is_some() { "error" } else { "ok" },
            "execution_count": executed.execution_count,
            "payload": [],
            "user_expressions": executed.expressions,
        });
        if let Some(error) = executed.error {
            content["ename"] = json!(error.ename);
            content["evalue"] = json!(error.evalue);
            content["traceback"] = json!(error.traceback);
        }
        let reply = self.request.reply(untyped("execute_reply", content));
        let _ = self.shared.outbox.shell.send(reply);
    }

    fn aborted(&self, execution_count: usize) {
        let content = json!({ "status": "aborted", "execution_count": execution_count });
        let reply = self.request.reply(untyped("execute_reply", content));
        let _ = self.shared.outbox.shell.send(reply);
    }
}
