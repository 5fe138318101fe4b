//! A value in one or more forms, of which the front end shows the best it can.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub(super) const TEXT: &str = "text/plain";

/// What can be shown with [`crate::display::show`].
pub trait Show {
    /// The value's forms, with a text alternative (`text/plain`) among them.
    fn bundle(&self) -> Bundle;
}

impl<T: Show + ?Sized> Show for &T {
    fn bundle(&self) -> Bundle {
        (**self).bundle()
    }
}

/// One value in several forms, by MIME type (Jupyter's "MIME bundle").
///
/// ```
/// use blitz::display::Bundle;
/// use blitz::serde_json::json;
///
/// let bars = json!({"mark": "bar", "data": {"values": [{"a": 1}, {"a": 2}]}});
/// let chart = Bundle::new()
///     .with_json("application/vnd.vegalite.v5+json", bars)
///     .with_alt("Two bars of height 1 and 2.");
/// assert_eq!(chart.alt(), Some("Two bars of height 1 and 2."));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle {
    data: BTreeMap<String, Value>,
    metadata: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Bundle {
    /// A bundle of nothing yet.
    pub fn new() -> Bundle {
        Bundle::default()
    }

    /// Adds a form that is text, such as `text/html` or `image/svg+xml`.
    pub fn with_text(mut self, mime_type: impl Into<String>, text: impl Into<String>) -> Bundle {
        self.data.insert(mime_type.into(), Value::String(text.into()));
        self
    }

    /// Adds a form that is bytes, such as `image/png`. They travel in base64.
    pub fn with_bytes(self, mime_type: impl Into<String>, bytes: &[u8]) -> Bundle {
        self.with_text(mime_type, STANDARD.encode(bytes))
    }

    /// Adds a form that is JSON: its MIME type ends in `json`.
    pub fn with_json(mut self, mime_type: impl Into<String>, value: Value) -> Bundle {
        self.data.insert(mime_type.into(), value);
        self
    }

    /// Adds the text alternative, for screen readers, plain programs and whoever cannot show more.
    pub fn with_alt(self, text: impl Into<String>) -> Bundle {
        self.with_text(TEXT, text)
    }

    /// Adds a detail about the form `mime_type`, such as a picture's `width` in pixels.
    pub fn with_metadata(
        mut self,
        mime_type: impl Into<String>,
        key: impl Into<String>,
        value: impl Into<Value>,
    ) -> Bundle {
        self.metadata.entry(mime_type.into()).or_default().insert(key.into(), value.into());
        self
    }

    /// The form `mime_type`: a string, in base64 where it is bytes, or a JSON value.
    pub fn form(&self, mime_type: &str) -> Option<&Value> {
        self.data.get(mime_type)
    }

    /// The text alternative.
    pub fn alt(&self) -> Option<&str> {
        self.data.get(TEXT).and_then(Value::as_str)
    }

    /// The forms in alphabetical order.
    pub(super) fn forms(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.data.iter().map(|(mime_type, content)| (mime_type.as_str(), content))
    }

    /// Jupyter's `data` and, where there is some, `metadata`.
    pub(super) fn to_json(&self) -> serde_json::Map<String, Value> {
        let data: serde_json::Map<_, _> = self.data.clone().into_iter().collect();
        let mut message = serde_json::Map::from_iter([("data".to_owned(), data.into())]);
        if !self.metadata.is_empty() {
            let details = |details: &BTreeMap<String, Value>| -> Value {
                details.clone().into_iter().collect::<serde_json::Map<_, _>>().into()
            };
            let metadata: serde_json::Map<_, _> =
                self.metadata.iter().map(|(key, value)| (key.clone(), details(value))).collect();
            message.insert("metadata".to_owned(), metadata.into());
        }
        message
    }
}

impl Show for Bundle {
    fn bundle(&self) -> Bundle {
        self.clone()
    }
}
