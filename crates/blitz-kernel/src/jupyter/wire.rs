//! Messages as they travel: decoded leniently, so that a client's small omissions get an answer
//! instead of silence.

use crate::output::message::{broadcast, message, untyped};
use bytes::Bytes;
use jupyter_protocol::{Header, JupyterMessage, JupyterMessageContent};
use jupyter_zmq_client::connection::RawMessage;
use serde_json::{Value, json};

/// A request: what it asks and whom to answer.
#[derive(Clone, Debug)]
pub struct Request {
    /// The client's routing identities.
    pub identities: Vec<Bytes>,
    /// The request's header: the parent of everything it causes.
    pub header: Header,
    /// What the client says beside it, as JSON.
    pub metadata: Value,
    /// What is asked, as JSON.
    pub content: Value,
}

impl Request {
    /// Decodes a message whose signature was good. `None` where it is not a Jupyter message.
    pub fn decode(raw: RawMessage) -> Option<Self> {
        let header = serde_json::from_slice(raw.jparts.first()?).ok()?;
        let content = serde_json::from_slice(raw.jparts.get(3)?).ok()?;
        let metadata = raw.jparts.get(2).and_then(|part| serde_json::from_slice(part).ok());
        let metadata = metadata.unwrap_or_default();
        Some(Request { identities: raw.zmq_identities, header, metadata, content })
    }

    /// The message type, such as `execute_request`.
    pub fn kind(&self) -> &str {
        &self.header.msg_type
    }

    /// A text field of the content, empty where it is missing.
    pub fn text(&self, field: &str) -> &str {
        self.content[field].as_str().unwrap_or_default()
    }

    /// A flag of the content, or `default` where it is missing.
    pub fn flag(&self, field: &str, default: bool) -> bool {
        self.content[field].as_bool().unwrap_or(default)
    }

    /// The answer to this request, to its sender.
    pub fn reply(&self, content: impl Into<JupyterMessageContent>) -> JupyterMessage {
        message(content.into(), &self.header, self.identities.clone())
    }

    /// The answer `{"status": "error"}`, for a request that cannot be met.
    pub fn error_reply(&self, ename: &str, evalue: String) -> JupyterMessage {
        let kind = self.kind().replace("_request", "_reply");
        let content = json!({
            "status": "error", "ename": ename, "evalue": evalue, "traceback": [],
        });
        self.reply(untyped(&kind, content))
    }

    /// A message to everybody that this request causes.
    pub fn broadcast(&self, content: impl Into<JupyterMessageContent>) -> JupyterMessage {
        broadcast(content, Some(&self.header))
    }
}
