//! Requests on the shell socket. Cells wait for each other; everything else is answered at once,
//! also while a cell runs.

use crate::analyst::question::{Answer, Question, What};
use crate::jupyter::execute::execution;
use crate::jupyter::shared::Shared;
use crate::jupyter::wire::Request;
use crate::output::message::{PROTOCOL_VERSION, broadcast, untyped};
use crate::session::execution::Execution;
use crate::syntax::commands::settle;
use crate::syntax::{self, Completeness};
use blitz_contract::versions;
use jupyter_protocol::{Header, JupyterMessageContent, Status};
use serde_json::{Value, json};
use std::sync::PoisonError;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// How long rustc may take for the types of a cell's variables before a question is asked without.
const TYPES: Duration = Duration::from_secs(5);

/// Why a question has no answer.
const NOT_IN_TIME: &str = "the completion service has no answer yet; it may still be starting";

const TOO_DEEP: &str = "the cell is too long, or has too many brackets within each other";

/// Serves the socket until it is closed.
pub async fn serve(
    mut requests: UnboundedReceiver<Request>,
    cells: Sender<Execution>,
    shared: Shared,
) {
    while let Some(request) = requests.recv().await {
        if request.kind() == "execute_request" {
            shared.session.record.queue();
            // A closed queue means that the kernel is ending.
            let _ = cells.send(execution(request, &shared));
        } else {
            tokio::spawn(answer(request, shared.clone()));
        }
    }
}

/// What the kernel says of itself.
pub fn kernel_info() -> JupyterMessageContent {
    let content = json!({
        "status": "ok",
        "protocol_version": PROTOCOL_VERSION,
        "implementation": "blitz-kernel",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": {
            "name": "rust",
            "version": versions::RUST,
            "mimetype": "text/x-rust",
            "file_extension": ".rs",
            "pygments_lexer": "rust",
            "codemirror_mode": "rust",
            "nbconvert_exporter": "script",
        },
        "banner": format!("Rust Blitz {} on evcxr {}", env!("CARGO_PKG_VERSION"), versions::EVCXR),
        "debugger": false,
        "supported_features": [],
        "help_links": [
            {"text": "Rust standard library", "url": "https://doc.rust-lang.org/std/"},
            {"text": "The Rust book", "url": "https://doc.rust-lang.org/book/"},
            {"text": "tch", "url": format!("https://docs.rs/tch/{}/tch/", versions::TCH)},
        ],
    });
    untyped("kernel_info_reply", content)
}

/// Publishes `status: busy` or `idle` for a request that is answered beside a running cell.
pub async fn publish_status(shared: &Shared, request: &Request, status: Status) {
    let _ = shared.outbox.broadcast.send(request.broadcast(status)).await;
}

/// After an `idle` for another request: the kernel is still busy where a cell runs. Without this a
/// front end that shows the last status would call the kernel idle.
pub async fn publish_still_busy(shared: &Shared) {
    let parent: Option<Header> =
        shared.session.record.is_active().then(|| shared.session.publisher.parent()).flatten();
    if let Some(parent) = parent {
        let busy = broadcast(Status::busy(), Some(&parent));
        let _ = shared.outbox.broadcast.send(busy).await;
    }
}

async fn answer(request: Request, shared: Shared) {
    publish_status(&shared, &request, Status::busy()).await;
    let reply = match request.kind() {
        "kernel_info_request" => Some(kernel_info()),
        "is_complete_request" => Some(is_complete(&shared, &request).await),
        "history_request" => Some(history(&shared, &request.content)),
        "complete_request" => Some(complete(&shared, &request).await),
        "inspect_request" => Some(inspect(&shared, &request).await),
        // No cell can open a comm, so none is ever open.
        "comm_info_request" => {
            Some(untyped("comm_info_reply", json!({ "status": "ok", "comms": {} })))
        }
        "comm_open" => {
            close_comm(&shared, &request).await;
            None
        }
        "comm_msg" | "comm_close" => None,
        kind => {
            let message = format!("this kernel does not know `{kind}`");
            let _ = shared.outbox.shell.send(request.error_reply("unknown request", message));
            None
        }
    };
    if let Some(reply) = reply {
        let _ = shared.outbox.shell.send(request.reply(reply));
    }
    publish_status(&shared, &request, Status::idle()).await;
    publish_still_busy(&shared).await;
}

async fn is_complete(shared: &Shared, request: &Request) -> JupyterMessageContent {
    let settled = {
        let code = request.text("code");
        let known = shared.session.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        settle(code, |name| known.knows(name)).apply(code)
    };
    let judged = tokio::task::spawn_blocking(move || syntax::completeness(&settled)).await;
    let content = match judged.ok().flatten() {
        None => json!({ "status": "unknown" }),
        Some(Completeness::Complete) => json!({ "status": "complete" }),
        Some(Completeness::Invalid) => json!({ "status": "invalid" }),
        Some(Completeness::Incomplete(indent)) => {
            json!({ "status": "incomplete", "indent": indent })
        }
    };
    untyped("is_complete_reply", content)
}

fn history(shared: &Shared, request: &Value) -> JupyterMessageContent {
    let history = shared.history.lock().unwrap_or_else(PoisonError::into_inner);
    untyped("history_reply", history.answer(request))
}

/// A comm for a target that the kernel does not have is closed, as the protocol asks.
async fn close_comm(shared: &Shared, request: &Request) {
    let content = json!({ "comm_id": request.text("comm_id"), "data": {} });
    let close = request.broadcast(untyped("comm_close", content));
    let _ = shared.outbox.broadcast.send(close).await;
}

async fn complete(shared: &Shared, request: &Request) -> JupyterMessageContent {
    let question = question(shared, request, What::Complete).await;
    let code = question.code.clone();
    let (answer, mut metadata) = ask(shared, question).await;
    let kinds = answer.matches.iter().map(|(text, kind)| {
        json!({
            "text": text, "type": kind,
            "start": characters(&code, answer.start), "end": characters(&code, answer.end),
        })
    });
    metadata["_jupyter_types_experimental"] = kinds.collect();
    let content = json!({
        "status": "ok",
        "matches": answer.matches.iter().map(|(text, _)| text).collect::<Vec<_>>(),
        "cursor_start": characters(&code, answer.start),
        "cursor_end": characters(&code, answer.end),
        "metadata": metadata,
    });
    untyped("complete_reply", content)
}

async fn inspect(shared: &Shared, request: &Request) -> JupyterMessageContent {
    let (answer, metadata) = ask(shared, question(shared, request, What::Inspect).await).await;
    let data = answer
        .documentation
        .as_ref()
        .map_or(json!({}), |(text, html)| json!({ "text/plain": text, "text/html": html }));
    let content = json!({
        "status": "ok", "found": answer.documentation.is_some(), "data": data, "metadata": metadata,
    });
    untyped("inspect_reply", content)
}

/// An answer and metadata for the reply. Where no answer came in time, the answer is empty and the
/// metadata say so: on a slow machine the service may need longer to start than an editor waits. It
/// goes on starting, so that a later question is answered.
async fn ask(shared: &Shared, question: Question) -> (Answer, Value) {
    // No person wrote it, and rust-analyzer would keep others waiting.
    if syntax::is_too_deep(&question.code) {
        return (Answer::default(), json!({ "reason": TOO_DEEP }));
    }
    match shared.analyst.ask(question).await {
        Some(answer) => (answer, json!({})),
        None => (Answer::default(), json!({ "reason": NOT_IN_TIME })),
    }
}

/// The question of `request`, with what the cells so far have defined: who asks right behind a cell
/// waits for the types of its variables.
async fn question(shared: &Shared, request: &Request, what: What) -> Question {
    let mut types = shared.session.types_are_known.subscribe();
    let _ = tokio::time::timeout(TYPES, types.wait_for(|are_known| *are_known)).await;
    let definitions =
        shared.session.definitions.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let code = request.text("code").to_owned();
    let position = position(&code, &request.content["cursor_pos"]);
    Question { what, code, position, definitions }
}

/// The place in `code`, in bytes, that a client's `cursor` means: the end where it is missing or no
/// number, and the nearest place where it lies outside.
fn position(code: &str, cursor: &Value) -> usize {
    // A float is cut to what an integer can hold.
    let number = cursor.as_i64().or_else(|| cursor.as_f64().map(|cursor| cursor as i64));
    let Some(cursor) = number else { return code.len() };
    bytes(code, usize::try_from(cursor).unwrap_or_default())
}

/// Jupyter counts characters, rust-analyzer bytes.
fn bytes(code: &str, characters: usize) -> usize {
    code.char_indices().nth(characters).map_or(code.len(), |(at, _)| at)
}

fn characters(code: &str, bytes: usize) -> usize {
    code.char_indices().take_while(|(at, _)| *at < bytes).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cursor_is_a_place() {
        let code = "é𝄞x";
        let at = |cursor: Value| position(code, &cursor);
        assert_eq!(at(json!(1)), 2);
        assert_eq!(at(json!(2.7)), 6);
        for start in [json!(0), json!(-1), json!(i64::MIN), json!(-1e300), json!(0.5)] {
            assert_eq!(at(start), 0);
        }
        let ends = [json!(3), json!(u64::MAX), json!(1e300), Value::Null, json!("1"), json!([1])];
        for end in ends {
            assert_eq!(at(end), code.len());
        }
    }

    #[test]
    fn cursors_count_characters() {
        let code = "é𝄞x";
        assert_eq!([0, 1, 2, 3, 9].map(|at| bytes(code, at)), [0, 2, 6, 7, 7]);
        assert_eq!([0, 2, 6, 7].map(|at| characters(code, at)), [0, 1, 2, 3]);
    }
}
