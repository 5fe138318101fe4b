//! Text in a format that the front end renders.

use serde_json::Value;

use super::{Bundle, Output, Show};

/// HTML, as `IPython.display.HTML`. Its text alternative is what remains without the tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Html<S>(pub S);

/// Markdown, with formulas between dollar signs. Its text alternative is its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Markdown<S>(pub S);

/// An SVG picture. Its text alternative is its `<title>`; give one, or use [`Svg::with_alt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Svg<S>(pub S);

/// Plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<S>(pub S);

/// A JSON value, which JupyterLab shows as a tree. Its text alternative is the indented JSON.
///
/// ```no_run
/// use blitz::display::{self, Json};
/// use blitz::serde_json::json;
///
/// display::show(Json(json!({"lr": 0.001, "momentum": 0.9})));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub Value);

impl<S: AsRef<str>> Show for Html<S> {
    fn bundle(&self) -> Bundle {
        let html = self.0.as_ref();
        Bundle::new().with_text("text/html", html).with_alt(without_tags(html))
    }
}

impl<S: AsRef<str>> Show for Markdown<S> {
    fn bundle(&self) -> Bundle {
        let markdown = self.0.as_ref();
        Bundle::new().with_text("text/markdown", markdown).with_alt(markdown)
    }
}

impl<S: AsRef<str>> Show for Svg<S> {
    fn bundle(&self) -> Bundle {
        let svg = self.0.as_ref();
        let alt = title(svg).unwrap_or_else(|| "an SVG picture without a title".to_owned());
        Bundle::new().with_text("image/svg+xml", svg).with_alt(alt)
    }
}

impl<S: AsRef<str>> Show for Text<S> {
    fn bundle(&self) -> Bundle {
        Bundle::new().with_alt(self.0.as_ref())
    }
}

impl Show for Json {
    fn bundle(&self) -> Bundle {
        // The alternate form of a JSON value's Display is indented.
        Bundle::new()
            .with_json("application/json", self.0.clone())
            .with_alt(format!("{:#}", self.0))
    }
}

impl<S: AsRef<str>> Html<S> {
    /// The HTML with a text alternative of your own.
    pub fn with_alt(&self, text: impl Into<String>) -> Bundle {
        self.bundle().with_alt(text)
    }

    /// What evcxr calls when the value is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

impl<S: AsRef<str>> Markdown<S> {
    /// What evcxr calls when the value is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

impl<S: AsRef<str>> Svg<S> {
    /// The picture with a text alternative of your own.
    pub fn with_alt(&self, text: impl Into<String>) -> Bundle {
        self.bundle().with_alt(text)
    }

    /// What evcxr calls when the value is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

impl<S: AsRef<str>> Text<S> {
    /// What evcxr calls when the value is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

impl Json {
    /// What evcxr calls when the value is the last expression of a cell.
    pub fn evcxr_display(&self) {
        Output::standard().result(&self.bundle());
    }
}

/// `text` as it must stand in HTML to be read as it is.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The reverse of [`escape`].
fn unescape(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// The text between the tags. Good enough for the short pieces that cells show; scripts and
/// styles stay in.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text += before;
        let Some((_, beyond)) = after.split_once('>') else {
            rest = "";
            break;
        };
        rest = beyond;
    }
    text += rest;
    unescape(text.trim())
}

fn title(svg: &str) -> Option<String> {
    let (_, after) = svg.split_once("<title")?;
    let (_, text) = after.split_once('>')?;
    let (text, _) = text.split_once("</title>")?;
    Some(unescape(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alt(value: impl Show) -> String {
        value.bundle().alt().unwrap().to_owned()
    }

    #[test]
    fn each_kind_has_its_text_alternative() {
        assert_eq!(alt(Html("<p class=\"x\">5 &lt; 6 <b>&amp;lt;</b></p>\n")), "5 < 6 &lt;");
        assert_eq!(alt(Html("half a <b")), "half a");
        assert_eq!(alt(Html("<b>x</b>").with_alt("an x")), "an x");
        assert_eq!(alt(Markdown("**x**")), "**x**");
        assert_eq!(alt(Svg("<svg><title id=\"t\">Two &amp; two</title></svg>")), "Two & two");
        assert_eq!(alt(Svg("<svg/>")), "an SVG picture without a title");
        assert_eq!(alt(Svg("<svg/>").with_alt("a dot")), "a dot");
        assert_eq!(alt(Json(serde_json::json!([1]))), "[\n  1\n]");
    }

    #[test]
    fn escaped_text_reads_the_same() {
        let text = "a < b && \"c\" > d &lt;";
        assert_eq!(without_tags(&escape(text)), text);
    }
}
