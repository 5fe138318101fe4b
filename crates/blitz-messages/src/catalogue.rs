//! The translated messages of a language, from gettext's files.

use crate::recognition::Recogniser;
use crate::template::Template;
use std::fs;
use std::path::Path;

/// A message and its translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The message in English, a [`Template`] in its notation.
    pub message: String,
    /// The same in another language.
    pub translation: String,
}

/// The translated messages of a language.
#[derive(Debug, Default)]
pub struct Catalogue {
    recogniser: Recogniser,
}

impl Catalogue {
    /// The messages of all catalogues (`*.po`) in `dir`. What cannot be read stays English, and so does
    /// a message whose translation is missing, outdated or has other placeholders.
    pub fn read(dir: &Path) -> Catalogue {
        let files = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|it| it == "po")).collect();
        files.sort();
        let texts = files.iter().filter_map(|path| fs::read_to_string(path).ok());
        Catalogue::of(texts.flat_map(|text| entries(&text)))
    }

    /// The messages of `entries`.
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Catalogue {
        let pair = |entry: Entry| {
            let message = Template::parse(&entry.message)?;
            let translation = Template::parse(&entry.translation)?;
            let fits = !entry.translation.is_empty() && translation.has_placeholders_of(&message);
            fits.then_some((message, translation))
        };
        Catalogue { recogniser: Recogniser::new(entries.into_iter().filter_map(pair)) }
    }

    /// `text` in this language, as far as it is made of messages of the catalogue.
    pub fn translated(&self, text: &str) -> String {
        self.recogniser.translated(text)
    }
}

/// The entries of a catalogue's text that are translated; lines that are none are passed over.
fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut block = Block::default();
    for line in text.lines().map(str::trim) {
        let begins = line.starts_with('#') || line.starts_with("msgid");
        if begins && block.field == Field::Translation {
            entries.extend(std::mem::take(&mut block).entry());
        }
        block.add(line);
    }
    entries.extend(block.entry());
    entries
}

/// What the lines that come belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Field {
    #[default]
    Other,
    Message,
    Translation,
}

/// The lines of one entry.
#[derive(Default)]
struct Block {
    message: String,
    translation: String,
    is_fuzzy: bool,
    field: Field,
}

impl Block {
    fn add(&mut self, line: &str) {
        if let Some(comment) = line.strip_prefix('#') {
            self.is_fuzzy |= comment.starts_with(',') && comment.contains("fuzzy");
            return;
        }
        let Some((name, quoted)) = line.split_once('"') else { return };
        self.field = match name.trim() {
            "msgid" => Field::Message,
            "msgstr" => Field::Translation,
            "" => self.field,
            _ => Field::Other,
        };
        let text = unescaped(quoted.strip_suffix('"').unwrap_or_default());
        match self.field {
            Field::Message => self.message += &text,
            Field::Translation => self.translation += &text,
            Field::Other => {}
        }
    }

    fn entry(self) -> Option<Entry> {
        let Block { message, translation, is_fuzzy, .. } = self;
        // The entry without a message is the catalogue's own.
        let counts = !message.is_empty() && !translation.is_empty() && !is_fuzzy;
        counts.then_some(Entry { message, translation })
    }
}

fn unescaped(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_gettext_writes_it() {
        let text = "msgid \"\"\nmsgstr \"Language: zh_CN\\n\"\n\n#. {0}: path\n#: error.rs\n\
                    msgid \"a \\\"b\\\" \"\n\"{0}\\n\"\nmsgstr \"\"\n\"甲 \"\n\"{0}\\n\"\n\n\
                    #, fuzzy\nmsgid \"old\"\nmsgstr \"旧\"\nmsgid \"new\"\nmsgstr \"新\"\n\
                    #~ msgid \"gone\"\n#~ msgstr \"没\"\nmsgid \"none\"\nmsgstr \"\"\n<<<<<<< HEAD\n\"";
        let entry = |message: &str, translation: &str| Entry {
            message: message.to_owned(),
            translation: translation.to_owned(),
        };
        assert_eq!(entries(text), [entry("a \"b\" {0}\n", "甲 {0}\n"), entry("new", "新")]);
        assert!(entries("").is_empty() && entries("msgid \"\\").is_empty());
    }

    #[test]
    fn what_cannot_be_used_stays_english() {
        let dir = tempfile::tempdir().expect("a directory");
        let text = "msgid \"{0} is here\"\nmsgstr \"在这里\"\n\nmsgid \"{0} is {1}\"\nmsgstr \"{0 是 {1}\"\n\n\
                    msgid \"it is there\"\nmsgstr \"在那里\"\n";
        fs::write(dir.path().join("a.po"), text).expect("written");
        fs::write(dir.path().join("b.po"), b"\xff").expect("written");
        let catalogue = Catalogue::read(dir.path());
        assert_eq!(catalogue.translated("5 is here"), "5 is here");
        assert_eq!(catalogue.translated("5 is 5"), "5 is 5");
        assert_eq!(catalogue.translated("it is there"), "在那里");
        assert_eq!(
            Catalogue::read(&dir.path().join("none")).translated("it is there"),
            "it is there"
        );
    }
}
