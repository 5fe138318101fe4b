//! The words that a language has for the field's terms.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// The glossary of a language.
#[derive(Debug, Default)]
pub struct Glossary(Vec<Term>);

#[derive(Debug)]
struct Term {
    /// In small letters.
    english: String,
    /// The words of which a translation has one.
    translations: Vec<String>,
}

impl Glossary {
    /// Reads a file with a term a line: English, a tab, and its translations between `|`. Lines that
    /// begin with `#` are notes. Without a file there are no terms.
    ///
    /// # Errors
    /// The file cannot be read, or a line is none of these.
    pub fn read(path: &Path) -> Result<Self> {
        if !path.is_file() {
            return Ok(Glossary::default());
        }
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
        let term = |(index, line): (usize, &str)| {
            let (english, translations) = line.split_once('\t').unwrap_or_default();
            let translations = translations.split('|').map(|it| it.trim().to_owned());
            let translations: Vec<String> = translations.filter(|it| !it.is_empty()).collect();
            ensure!(
                !english.is_empty() && !translations.is_empty(),
                "{}, line {}: expected a term, a tab and its translations, found `{line}`",
                path.display(),
                index + 1
            );
            Ok(Term { english: english.trim().to_lowercase(), translations })
        };
        Ok(Glossary(lines.map(term).collect::<Result<_>>()?))
    }

    /// The terms of `text` (prose, without its code) for which `translation` has no word, each with
    /// those that it may have.
    pub fn missing(&self, text: &str, translation: &str) -> Vec<(&str, &[String])> {
        let text = text.to_lowercase();
        let used = self.0.iter().filter(|term| has_term(&text, &term.english));
        let missing =
            used.filter(|term| !term.translations.iter().any(|it| translation.contains(it)));
        // The longest term at a place is the one that is meant: "loss function", not "loss".
        let missing: Vec<&Term> = missing.collect();
        missing
            .iter()
            .filter(|term| {
                let longer = |it: &&Term| {
                    it.english.len() > term.english.len() && it.english.contains(&term.english)
                };
                !self.0.iter().filter(longer).any(|it| has_term(&text, &it.english))
            })
            .map(|term| (term.english.as_str(), term.translations.as_slice()))
            .collect()
    }
}

/// Whether `term` stands in `text` as words of its own, perhaps in the plural.
fn has_term(text: &str, term: &str) -> bool {
    text.match_indices(term).any(|(at, _)| {
        let is_letter = |it: char| it.is_alphanumeric() || it == '-' || it == '_';
        let after = &text[at + term.len()..];
        let after = after
            .strip_prefix("es")
            .or(after.strip_prefix('s'))
            .filter(|it| !it.starts_with(is_letter))
            .unwrap_or(after);
        !text[..at].ends_with(is_letter) && !after.starts_with(is_letter)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_words_and_the_longest_counts() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("glossary.tsv");
        fs::write(&path, "# note\nloss\t损失\nloss function\t损失函数\nbatch\t批次|小批量\n")
            .expect("written");
        let glossary = Glossary::read(&path).expect("read");
        let missing = |text: &str, translation: &str| -> Vec<String> {
            glossary.missing(text, translation).iter().map(|it| it.0.to_owned()).collect()
        };
        assert!(missing("Two batches, a loss.", "两个小批量，损失").is_empty());
        assert_eq!(missing("A Loss function.", "函数"), ["loss function"]);
        assert!(missing("lossless, and a batch_size", "无损").is_empty());
        fs::write(&path, "loss 损失\n").expect("written");
        let error = Glossary::read(&path).expect_err("no tab").to_string();
        assert!(error.contains("line 1: expected a term, a tab"), "{error}");
    }
}
