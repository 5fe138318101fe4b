//! What the running request publishes to everybody.

use crate::output::message::{broadcast, untyped};
use blitz_messages::Messages;
use jupyter_protocol::{
    ClearOutput, ErrorOutput, ExecuteInput, ExecutionCount, Header, JupyterMessage,
    JupyterMessageContent, Status, Stdio, StreamContent,
};
use serde_json::{Map, Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// A value in one or more MIME types, with metadata about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle {
    /// Content by MIME type.
    pub data: Map<String, Value>,
    /// Metadata by MIME type.
    pub metadata: Map<String, Value>,
}

/// Publishes with the right parent. Called from the threads that run cells and read their output,
/// never from an asynchronous task.
pub struct Publisher {
    broadcast: mpsc::Sender<JupyterMessage>,
    messages: Messages,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    parent: Option<Header>,
    execution_count: usize,
    silent: bool,
    /// A `user_expressions` value is being evaluated: its result is kept here, not shown.
    captured: Option<Bundle>,
    capturing: bool,
    /// The cell's result as text, for the history.
    result_text: Option<String>,
}

impl Publisher {
    /// A publisher without a parent yet, for a person who reads `messages`.
    pub fn new(broadcast: mpsc::Sender<JupyterMessage>, messages: Messages) -> Self {
        Publisher { broadcast, messages, current: Mutex::default() }
    }

    /// What the kernel says, in the person's language.
    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    /// From now on everything has this parent. Output that comes after its cell, from a thread that
    /// the cell left running, keeps the parent until the next.
    pub fn set_parent(&self, parent: &Header, execution_count: usize, silent: bool) {
        let parent = Some(parent.clone());
        *self.current() = Current { parent, execution_count, silent, ..Current::default() };
    }

    /// Keeps results instead of showing them, until [`Publisher::captured`].
    pub fn capture(&self) {
        self.current().capturing = true;
    }

    /// Ends capturing and returns the last result.
    pub fn captured(&self) -> Option<Bundle> {
        let mut current = self.current();
        current.capturing = false;
        current.captured.take()
    }

    /// The cell's result as text, once.
    pub fn take_result_text(&self) -> Option<String> {
        self.current().result_text.take()
    }

    /// The request that runs, for messages of other tasks.
    pub fn parent(&self) -> Option<Header> {
        self.current().parent.clone()
    }

    /// `status: busy`.
    pub fn busy(&self) {
        self.publish(Status::busy());
    }

    /// `status: idle`.
    pub fn idle(&self) {
        self.publish(Status::idle());
    }

    /// The code that is about to run.
    pub fn input(&self, code: &str) {
        let execution_count = ExecutionCount::new(self.current().execution_count);
        self.publish(ExecuteInput { code: code.to_owned(), execution_count });
    }

    /// Text on standard output or error.
    pub fn stream(&self, name: Stdio, text: String) {
        self.publish(StreamContent { name, text });
    }

    /// What the kernel has to say, on standard error.
    pub fn note(&self, text: &str) {
        self.stream(Stdio::Stderr, self.messages.translated(text));
    }

    /// A value, shown now. With a display id it can be updated.
    pub fn display(&self, bundle: Bundle, display_id: Option<&str>) {
        self.publish(untyped("display_data", with_id(bundle, display_id)));
    }

    /// New content for all outputs with this display id.
    pub fn update(&self, bundle: Bundle, display_id: &str) {
        self.publish(untyped("update_display_data", with_id(bundle, Some(display_id))));
    }

    /// Removes the cell's outputs, with `wait` when the next comes.
    pub fn clear(&self, wait: bool) {
        self.publish(ClearOutput { wait });
    }

    /// The value of the cell's final expression.
    pub fn result(&self, bundle: Bundle) {
        let execution_count = {
            let mut current = self.current();
            if current.capturing {
                current.captured = Some(bundle);
                return;
            }
            // Without a parent, evcxr itself tried something out.
            if current.silent || current.parent.is_none() {
                return;
            }
            let text = bundle.data.get("text/plain").and_then(Value::as_str);
            current.result_text = text.map(str::to_owned);
            current.execution_count
        };
        let mut content = with_id(bundle, None);
        content["execution_count"] = json!(execution_count);
        self.publish(untyped("execute_result", content));
    }

    /// Why the cell failed.
    pub fn error(&self, error: &ErrorOutput) {
        self.publish(error.clone());
    }

    fn publish(&self, content: impl Into<JupyterMessageContent>) {
        let message = broadcast(content, self.current().parent.as_ref());
        // A closed queue means that the kernel is ending.
        let _ = self.broadcast.blocking_send(message);
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn with_id(bundle: Bundle, display_id: Option<&str>) -> Value {
    let transient = display_id.map_or(json!({}), |id| json!({ "display_id": id }));
    json!({ "data": bundle.data, "metadata": bundle.metadata, "transient": transient })
}
