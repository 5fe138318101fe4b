//! Formulas as MathML, so that an exported page shows them without a script from elsewhere.

use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser, Storage, mathml};

/// Replaces `$…$` and `$$…$$` in Markdown by MathML. Code, escaped dollars and amounts of money
/// (a dollar sign before a space or without a partner in its paragraph) stay as they are, and so
/// does a formula that cannot be read.
pub fn render(markdown: &str) -> String {
    let mut rendered = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(start) = rest.find(['`', '$', '\\']) {
        rendered.push_str(&rest[..start]);
        rest = &rest[start..];
        let (taken, text) = if rest.starts_with('`') {
            let taken = code_length(rest);
            (taken, None)
        } else if rest.starts_with('$') {
            formula(rest).map_or((1, None), |(taken, mathml)| (taken, Some(mathml)))
        } else {
            (rest.chars().take(2).map(char::len_utf8).sum(), None)
        };
        rendered.push_str(text.as_deref().unwrap_or(&rest[..taken]));
        rest = &rest[taken..];
    }
    rendered + rest
}

/// The length of the code span or block at the start of `text`.
fn code_length(text: &str) -> usize {
    let fence = text.len() - text.trim_start_matches('`').len();
    text[fence..].find(&text[..fence]).map_or(fence, |end| fence + end + fence)
}

/// The length and the MathML of the formula at the start of `text`, if there is one.
fn formula(text: &str) -> Option<(usize, String)> {
    let (fence, display_mode) = if text.starts_with("$$") {
        ("$$", DisplayMode::Block)
    } else {
        ("$", DisplayMode::Inline)
    };
    let inner = &text[fence.len()..];
    let inner = &inner[..inner.find(fence)?];
    let is_inline = display_mode == DisplayMode::Inline;
    let is_money = inner.starts_with(char::is_whitespace) || inner.ends_with(char::is_whitespace);
    if inner.is_empty() || inner.contains("\n\n") || (is_inline && is_money) {
        return None;
    }
    let storage = Storage::new();
    let config = RenderConfig { display_mode, ..Default::default() };
    let mut mathml = String::new();
    mathml::push_mathml(&mut mathml, Parser::new(inner, &storage), config).ok()?;
    // The parser writes errors into its output.
    let readable = !mathml.contains("<merror");
    readable.then(|| (inner.len() + 2 * fence.len(), mathml.replace('\n', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_mathml() {
        let inline = render("the product $J^T v$ of");
        assert!(
            inline.starts_with("the product <math") && inline.ends_with("</math> of"),
            "{inline}"
        );
        assert!(inline.contains("<msup>"), "{inline}");
        let block = render("$$\n\\frac{\\partial Q}{\\partial a} = 9a^2\n$$");
        assert!(block.contains("<mfrac>") && block.contains("display=\"block\""), "{block}");
    }

    #[test]
    fn what_is_no_formula_stays() {
        for text in [
            "costs $5 or $ 6",
            "`$x$`",
            "```sh\necho $A $B\n```",
            r"\$x\$",
            "one $",
            "$a\n\nb$",
            "é\\é",
        ] {
            assert_eq!(render(text), text);
        }
    }
}
