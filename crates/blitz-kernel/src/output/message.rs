//! Messages to clients, as the protocol wants their headers.

use bytes::Bytes;
use jupyter_protocol::{Header, JupyterMessage, JupyterMessageContent, UnknownMessage};
use serde_json::Value;

/// The version of the messaging protocol that the kernel speaks.
pub const PROTOCOL_VERSION: &str = "5.4";

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

/// A message to the client with these routing identities, caused by the request with header
/// `parent`.
pub fn message(
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
