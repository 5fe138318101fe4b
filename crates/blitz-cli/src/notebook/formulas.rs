//! Formulas as MathML, so that an exported page shows them without a script from elsewhere.

use pulldown_cmark::{Event, Options, Parser, Tag};
use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Storage, mathml};
use std::ops::Range;

const OPTIONS: Options = Options::ENABLE_MATH.union(Options::ENABLE_TABLES);

/// What begins a heading, a list or a heading's underline in Markdown, and a line of a formula too.
const MARKERS: [char; 5] = ['+', '-', '*', '=', '#'];

/// What begins a block of HTML that shows its text as it is, or not at all.
const VERBATIM: [&str; 5] = ["<pre", "<script", "<style", "<textarea", "<!--"];

/// Replaces `$…$` and `$$…$$` in Markdown by MathML. Code, escaped dollars and amounts of money
/// (a dollar sign before a space or without a partner in its paragraph) stay as they are, and so
/// does a formula that cannot be read.
pub fn render(markdown: &str) -> String {
    let joined = join_lines(markdown);
    let mut rendered = String::with_capacity(markdown.len());
    let mut end = 0;
    for (event, range) in Parser::new_ext(&joined, OPTIONS).into_offset_iter() {
        let original = &markdown[range.clone()];
        let is_joined = original != &joined[range.clone()];
        let source = |formula| if is_joined { original.trim_matches('$') } else { formula };
        let replaced = match &event {
            Event::InlineMath(formula) => to_mathml(source(formula), DisplayMode::Inline),
            Event::DisplayMath(formula) => to_mathml(source(formula), DisplayMode::Block),
            Event::Start(Tag::HtmlBlock) => Some(in_html(original)),
            _ => None,
        };
        if let Some(replaced) = replaced {
            rendered.push_str(&markdown[end..range.start]);
            rendered.push_str(&replaced);
            end = range.end;
        }
    }
    rendered + &markdown[end..]
}

/// A block of HTML, in which Markdown sees no formulas, with those between its tags rendered.
fn in_html(html: &str) -> String {
    if VERBATIM.iter().any(|tag| html.trim_start().starts_with(tag)) {
        return html.to_owned();
    }
    let parts = html.split_inclusive('>').map(|part| {
        let tag = part.find('<').unwrap_or(part.len());
        format!("{}{}", render(&part[..tag]), &part[tag..])
    });
    parts.collect()
}

/// The Markdown with a space for each line break before a line of a formula that Markdown would take
/// for a list or a heading. Jupyter looks for formulas before anything else. All places stay what they
/// were.
pub fn join_lines(markdown: &str) -> String {
    let begins_block = |place: usize| markdown[place..].trim_start().starts_with(MARKERS);
    let breaks = formulas_over_lines(markdown).into_iter().flat_map(|formula| {
        let breaks = markdown[formula.clone()].match_indices('\n');
        breaks.map(move |(place, _)| formula.start + place).filter(|place| begins_block(*place))
    });
    let mut joined = markdown.to_owned();
    breaks.for_each(|place| joined.replace_range(place..=place, " "));
    joined
}

/// Where a dollar sign and the next one of its kind stand in the same paragraph, outside code and HTML.
fn formulas_over_lines(markdown: &str) -> Vec<Range<usize>> {
    let events = Parser::new_ext(markdown, OPTIONS).into_offset_iter();
    let apart = events.filter_map(|(event, range)| match event {
        Event::Code(_) | Event::Html(_) | Event::InlineHtml(_) => Some(range),
        Event::Start(Tag::CodeBlock(_)) => Some(range),
        _ => None,
    });
    let apart: Vec<Range<usize>> = apart.collect();
    let mut found = Vec::new();
    let mut place = 0;
    while let Some(start) = markdown[place..].find('$').map(|start| place + start) {
        let fence = if markdown[start..].starts_with("$$") { "$$" } else { "$" };
        place = start + fence.len();
        let Some(length) = markdown[place..].find(fence) else { continue };
        let formula = start..place + length + fence.len();
        let is_text = markdown[formula.clone()].contains("\n\n")
            || markdown[..start].ends_with('\\')
            || apart.iter().any(|it| it.start < formula.end && formula.start < it.end);
        if !is_text {
            place = formula.end;
            found.push(formula);
        }
    }
    found
}

/// The MathML of a formula, on one line; `None` where it cannot be read.
fn to_mathml(formula: &str, display_mode: DisplayMode) -> Option<String> {
    let storage = Storage::new();
    let config = RenderConfig { display_mode, ..Default::default() };
    let mut mathml = String::new();
    let parser = pulldown_latex::Parser::new(formula, &storage);
    mathml::push_mathml(&mut mathml, parser, config).ok()?;
    // The parser writes errors into its output.
    let readable = !mathml.contains("<merror");
    readable.then(|| mathml.replace('\n', " "))
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
    fn a_formula_over_lines_may_look_like_a_list_or_a_heading() {
        for text in ["$a\n+ b$", "$$\na\n- b\n$$", "$$\na\n=\nb\n$$", "- $$\n  a\n  + b\n  $$"] {
            let rendered = render(text);
            assert!(rendered.contains("<math") && !rendered.contains('$'), "{text}: {rendered}");
        }
        // A comment ends with its line.
        let with_comment = render("$$\na % why\n+ b\n$$");
        assert!(with_comment.contains("<mi>b</mi>"), "{with_comment}");
    }

    #[test]
    fn formulas_between_the_tags_of_a_block_of_html_are_formulas() {
        let rendered = render("<div title=\"$t$\">\nfor $x$ and $y$\n</div>\n\n$z$");
        assert_eq!(rendered.matches("<math").count(), 3, "{rendered}");
        assert!(rendered.starts_with("<div title=\"$t$\">\nfor <math"), "{rendered}");
        assert!(rendered.contains("\n</div>\n\n<math"), "{rendered}");
    }

    #[test]
    fn dollars_in_a_formula_and_beside_it_are_told_apart() {
        assert!(render(r"$\$5$").starts_with("<math"));
        let prices = render("$5 and $6, but $x$");
        assert!(prices.starts_with("$5 and $6, but <math"), "{prices}");
        let cells = "| $5 | $6 |\n|---|---|\n| $a$ | b |";
        assert_eq!(render(cells).matches("<math").count(), 1);
    }

    #[test]
    fn what_is_no_formula_stays() {
        for text in [
            "costs $5 or $ 6",
            "`$x$`",
            "```sh\necho $A $B\n```",
            "~~~\n$A$\n~~~",
            "    $A$ in a block",
            "costs $5\n- or $ 6",
            "<a href=\"$x$\">here</a>",
            "<pre>\n$x$\n</pre>",
            "<!--\n$x$\n-->",
            r"\$x\$",
            "one $",
            "$a\n\nb$",
            "é\\é",
        ] {
            assert_eq!(render(text), text);
        }
    }
}
