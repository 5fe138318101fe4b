//! The few words of the site itself: buttons and labels, from a table in Markdown.

use anyhow::{Result, bail};
use std::collections::BTreeMap;

/// The page that has them; it is translated as any other.
pub const PATH: &str = "docs/site/words.md";

/// What the templates ask for.
const ASKED: [&str; 16] = [
    "language",
    "languages",
    "pages",
    "chapters",
    "depth",
    "exercises",
    "reference",
    "api",
    "show",
    "both",
    "download",
    "notebook",
    "program",
    "filter",
    "archive",
    "book",
];

/// The words by their keys.
pub type Words = BTreeMap<String, String>;

/// Reads the table in `markdown`: a key, in code, and the words.
///
/// # Errors
/// Something that the templates ask for is missing.
pub fn read(markdown: &str) -> Result<Words> {
    let rows = markdown.lines().filter_map(|line| {
        let (key, words) = line.strip_prefix("| `")?.strip_suffix('|')?.split_once("` |")?;
        Some((key.to_owned(), words.trim().to_owned()))
    });
    let words: Words = rows.collect();
    for key in ASKED {
        if words.get(key).is_none_or(String::is_empty) {
            bail!("{PATH} has no word for `{key}`");
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_missing_is_named() {
        let rows: Vec<String> =
            ASKED.iter().map(|key| format!("| `{key}` | the {key} |")).collect();
        let words = read(&rows.join("\n")).expect("all words");
        assert_eq!(words["both"], "the both");
        let error = read(&rows[1..].join("\n")).expect_err("one is missing").to_string();
        assert!(error.contains("no word for `language`"), "{error}");
    }
}
