//! What a translation must keep of its text, and how Chinese is set.

use super::glossary::Glossary;
use pulldown_cmark::{Event, Options, Parser, Tag};

const OPTIONS: Options = Options::ENABLE_MATH.union(Options::ENABLE_TABLES);

/// What stands in a text besides prose, and the prose.
#[derive(Default)]
struct Parts {
    code: Vec<String>,
    formulas: Vec<String>,
    links: Vec<String>,
    placeholders: Vec<String>,
    prose: String,
}

/// What is wrong with a translation, in words.
pub fn faults(text: &str, translation: &str, glossary: &Glossary) -> Vec<String> {
    let (english, translated) = (Parts::of(text), Parts::of(translation));
    let mut faults = Vec::new();
    for (what, wanted, found) in [
        ("code", &english.code, &translated.code),
        ("formula", &english.formulas, &translated.formulas),
        ("link", &english.links, &translated.links),
        ("placeholder", &english.placeholders, &translated.placeholders),
    ] {
        faults.extend(lacking(wanted, found).map(|it| format!("the {what} `{it}` is missing")));
        faults.extend(
            lacking(found, wanted).map(|it| format!("the {what} `{it}` is not in the text")),
        );
    }
    for (term, translations) in glossary.missing(&english.prose, translation) {
        faults.push(format!("\"{term}\" should be {} (glossary)", translations.join(" or ")));
    }
    let quotes = |parts: &Parts| parts.prose.matches('"').count();
    // In code, one more would end the string.
    if quotes(&english) < quotes(&translated) {
        faults.push("it has a \" that is not in the text (in Chinese: “ ”)".to_owned());
    }
    let words = english.prose.split_whitespace().filter(|it| it.contains(char::is_alphabetic));
    if !translation.chars().any(is_cjk) && words.count() >= 3 {
        faults.push("it is not translated".to_owned());
    }
    faults.extend(punctuation(translation));
    faults
}

/// Those of `wanted` that `found` has fewer times.
fn lacking<'a>(wanted: &'a [String], found: &[String]) -> impl Iterator<Item = &'a String> {
    let mut rest = found.to_vec();
    wanted.iter().filter(move |it| match rest.iter().position(|other| other == *it) {
        Some(index) => {
            rest.swap_remove(index);
            false
        }
        None => true,
    })
}

impl Parts {
    fn of(text: &str) -> Parts {
        let mut parts = Parts::default();
        for event in Parser::new_ext(text, OPTIONS) {
            match event {
                Event::Code(code) => {
                    parts.code.push(code.into_string());
                    // Words before and after it are not neighbours.
                    parts.prose.push_str(" | ");
                }
                Event::InlineMath(formula) | Event::DisplayMath(formula) => {
                    parts.formulas.push(formula.into_string());
                    parts.prose.push_str(" | ");
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    parts.links.push(dest_url.into_string());
                }
                Event::SoftBreak | Event::HardBreak => parts.prose.push(' '),
                Event::Text(text) => parts.prose.push_str(&text),
                _ => {}
            }
        }
        parts.placeholders = placeholders(&parts.prose);
        parts
    }
}

fn placeholders(prose: &str) -> Vec<String> {
    let begins = prose.match_indices('{');
    let ends = begins.filter_map(|(at, _)| Some(&prose[at..=at + prose[at..].find('}')?]));
    ends.map(str::to_owned).collect()
}

/// Chinese has marks of its own, and a space where it meets Latin letters, digits, code or formulas.
fn punctuation(translation: &str) -> Vec<String> {
    let characters: Vec<char> = without_targets(translation).chars().collect();
    let around = |at: usize| -> String {
        characters[at.saturating_sub(4)..(at + 5).min(characters.len())].iter().collect()
    };
    let mut faults = Vec::new();
    for (at, pair) in characters.windows(2).enumerate() {
        let (first, second) = (pair[0], pair[1]);
        let next = characters.get(at + 2);
        // A colon or a full stop before a letter may belong to a name or a number.
        let is_mark = matches!(second, ',' | ';' | '?' | '!' | '(')
            || matches!(second, '.' | ':') && next.is_none_or(|it| it.is_whitespace());
        if is_cjk(first) && is_mark {
            faults.push(format!("`{second}` after Chinese, in \"{}\"", around(at)));
        }
        let is_latin = |it: char| it.is_ascii_alphanumeric() || matches!(it, '`' | '$');
        if is_cjk(first) && is_latin(second) || is_latin(first) && is_cjk(second) {
            faults
                .push(format!("no space between `{first}` and `{second}`, in \"{}\"", around(at)));
        }
    }
    faults
}

/// Without what links lead to.
fn without_targets(text: &str) -> String {
    let mut kept = String::new();
    let mut parts = text.split("](");
    kept.extend(parts.next());
    for part in parts {
        kept.push(']');
        kept.push_str(part.split_once(')').map_or("", |(_, rest)| rest));
    }
    kept
}

/// A Chinese character; the marks of Chinese need no space.
fn is_cjk(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, translation: &str) -> String {
        faults(text, translation, &Glossary::default()).join("; ")
    }

    #[test]
    fn a_good_translation_has_no_faults() {
        let text = "A tensor `x` of size $n$ ([more](a.ipynb#b)), printed as {x}.";
        let translation = "大小为 $n$ 的张量 `x`（[更多](a.ipynb#b)），打印为 {x}。";
        assert_eq!(told(text, translation), "");
    }

    #[test]
    fn what_is_lost_or_added_is_named() {
        assert_eq!(told("Run `x` once more.", "再运行一次。"), "the code `x` is missing");
        assert_eq!(
            told("Run it once more.", "再运行一次 `y`。"),
            "the code `y` is not in the text"
        );
        let told_of = told("See [the page](a.md), now.", "现在见[这页](b.md)。");
        assert_eq!(told_of, "the link `a.md` is missing; the link `b.md` is not in the text");
        assert_eq!(
            told("It has {count} parts.", "它有几部分。"),
            "the placeholder `{count}` is missing"
        );
        assert_eq!(told("Three words here.", "Three words here."), "it is not translated");
        assert_eq!(told("`x` moved, E0382", "`x` moved，E0382"), "", "what rustc says");
        assert!(told("It is odd.", "它是\"奇数\"。").starts_with("it has a \""));
    }

    #[test]
    fn chinese_is_set_as_chinese() {
        assert!(told("Yes, it is.", "是的,它是。").starts_with("`,` after Chinese"));
        assert!(told("A GPU is here.", "这里有GPU。").starts_with("no space between `有` and `G`"));
        assert!(told("A `x` is here.", "`x`在这里。").starts_with("no space between ```"));
    }
}
