//! Messages as they travel: decoded leniently, so that a client's small omissions get an answer
//! instead of silence.

use bytes::Bytes;
use jupyter_protocol::{Header, JupyterMessage, JupyterMessageContent, UnknownMessage};
use jupyter_zmq_client::connection::RawMessage;
use serde_json::{Value, json};

/// The version of the messaging protocol that the kernel speaks.
pub const PROTOCOL_VERSION: &str = "5.4";

/// A request: what it asks and whom to answer.
#[derive(Clone, Debug)]
pub struct Request {
    /// The client's routing identities.
    pub identities: Vec<Bytes>,
    /// The request's header: the parent of everything it causes.
    pub header: Header,
    /// What is asked, as JSON.
    pub content: Value,
}

impl Request {
    /// Decodes a message whose signature was good. `None` where it is not a Jupyter message.
    pub fn decode(raw: RawMessage) -> Option<Self> {
        let header = serde_json::from_slice(raw.jparts.first()?).ok()?;
        let content = serde_json::from_slice(raw.jparts.get(3)?).ok()?;
        Some(Request { identities: raw.zmq_identities, header, content })
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

/// A message to everybody, caused by the request with header `parent`, if any.
pub fn broadcast(
    content: impl Into<JupyterMessageContent>,
    parent: Option<&Header>,
) -> JupyterMessage {
    let content = content.into();
    // The first frame of a broadcast is its topic.
    let topic = Bytes::from(format!("kernel.{}", content.message_type()));
    match parent {
        Some(parent) => message(content, parent, vec![topic]),
        None => with_version(JupyterMessage::new(content, None).with_zmq_identities(vec![topic])),
    }
}

/// Content of a type that `jupyter_protocol` has no fitting struct for.
pub fn untyped(kind: &str, content: Value) -> JupyterMessageContent {
    UnknownMessage { msg_type: kind.to_owned(), content }.into()
}

fn message(
    content: JupyterMessageContent,
    parent: &Header,
    identities: Vec<Bytes>,
) -> JupyterMessage {
    let mut message = JupyterMessage::new(content, None).with_zmq_identities(identities);
    message.parent_header = Some(parent.clone());
    with_version(message)
}

fn with_version(mut message: JupyterMessage) -> JupyterMessage {
    message.header.version = PROTOCOL_VERSION.to_owned();
    message.header.username = "kernel".to_owned();
    message
}
