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
        let content = decode_content(raw.jparts.get(3)?)?;
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

/// Reads JSON in which a text may be cut in the middle of a character, as an editor's can be where it
/// counts otherwise: half a surrogate pair, or bytes that are no UTF-8. Each stands as `\u{fffd}`.
fn decode_content(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok().or_else(|| {
        let text = String::from_utf8_lossy(bytes);
        serde_json::from_str(&without_lone_surrogates(&text)).ok()
    })
}

/// JSON with each escape of half a surrogate pair replaced.
fn without_lone_surrogates(json: &str) -> String {
    let surrogate = |at: usize| -> Option<u32> {
        let digits = json.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u32::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..0xe000).contains(unit))
    };
    let is_first = |at| surrogate(at).is_some_and(|unit| unit < 0xdc00);
    let is_second = |at| surrogate(at).is_some_and(|unit| unit >= 0xdc00);
    let mut text = String::with_capacity(json.len());
    let mut at = 0;
    while let Some(found) = json[at..].find('\\') {
        let escape = at + found;
        text.push_str(&json[at..escape]);
        let (length, replaced) = match surrogate(escape) {
            Some(_) if is_first(escape) && is_second(escape + 6) => (12, None),
            Some(_) => (6, Some("\\ufffd")),
            // The escaped character with its backslash, so that `\\\\ud800` stays what it is.
            None => (1 + json[escape + 1..].chars().next().map_or(0, char::len_utf8), None),
        };
        text.push_str(replaced.unwrap_or(&json[escape..escape + length]));
        at = escape + length;
    }
    text.push_str(&json[at..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_stays_readable() {
        let code = |json: &[u8]| decode_content(json).map(|content| content["code"].clone());
        assert_eq!(code(br#"{"code": "a\ud83d.b"}"#), Some(json!("a\u{fffd}.b")));
        assert_eq!(code(br#"{"code": "\udE00\uD83d\n"}"#), Some(json!("\u{fffd}\u{fffd}\n")));
        assert_eq!(code(br#"{"code": "\ud83d\ude00\ud83d"}"#), Some(json!("\u{1f600}\u{fffd}")));
        assert_eq!(code(br#"{"code": "\\ud83d\ud83d"}"#), Some(json!("\\ud83d\u{fffd}")));
        assert_eq!(code(b"{\"code\": \"x\x80\"}"), Some(json!("x\u{fffd}")));
        assert_eq!(code(b"{"), None);
    }
}
