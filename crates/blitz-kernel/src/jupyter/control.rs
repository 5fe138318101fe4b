//! Requests on the control socket: interrupt and shutdown, never behind a running cell.

use crate::jupyter::shared::Shared;
use crate::jupyter::shell::{kernel_info, publish_status, publish_still_busy};
use crate::jupyter::wire::Request;
use crate::output::message::{broadcast, untyped};
use crate::session::record::Interrupted;
use jupyter_protocol::{InterruptReply, Status, StreamContent};
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// How long an interrupted cell has before the person is told that it does not react.
const REACTION: Duration = Duration::from_secs(3);

/// Serves the socket until a shutdown is asked for, and returns then.
pub async fn serve(mut requests: UnboundedReceiver<Request>, shared: &Shared) {
    while let Some(request) = requests.recv().await {
        publish_status(shared, &request, Status::busy()).await;
        let reply = match request.kind() {
            "kernel_info_request" => request.reply(kernel_info()),
            "interrupt_request" => {
                interrupt(shared);
                request.reply(InterruptReply::new())
            }
            "shutdown_request" => {
                shutdown(shared, &request).await;
                return;
            }
            kind => request
                .error_reply("unknown request", format!("this kernel does not know `{kind}`")),
        };
        let _ = shared.outbox.control.send(reply);
        publish_status(shared, &request, Status::idle()).await;
        publish_still_busy(shared).await;
    }
}

/// Interrupts the running cell, and says so later where it does not react.
pub fn interrupt(shared: &Shared) {
    if shared.session.record.interrupt() != Interrupted::Asked {
        return;
    }
    let shared = shared.clone();
    let parent = shared.session.publisher.parent();
    tokio::spawn(async move {
        tokio::time::sleep(REACTION).await;
        if shared.session.record.ignores_interrupt()
            && shared.session.publisher.parent().map(|p| p.msg_id)
                == parent.as_ref().map(|p| p.msg_id.clone())
        {
            let text = "The cell has not reacted to the interrupt. Interrupt it again to end its \
                        process; all variables will then be gone.\n";
            let text = shared.session.publisher.messages().translated(text);
            let note = broadcast(StreamContent::stderr(&text), parent.as_ref());
            let _ = shared.outbox.broadcast.send(note).await;
        }
    });
}

async fn shutdown(shared: &Shared, request: &Request) {
    let content = json!({ "status": "ok", "restart": request.flag("restart", false) });
    let reply = untyped("shutdown_reply", content);
    let _ = shared.outbox.broadcast.send(request.broadcast(reply.clone())).await;
    let _ = shared.outbox.control.send(request.reply(reply));
    publish_status(shared, request, Status::idle()).await;
    // The tasks that write to the sockets need a moment.
    tokio::time::sleep(Duration::from_millis(100)).await;
}
