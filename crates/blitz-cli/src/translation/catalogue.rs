//! A gettext catalogue: the messages of one page in one language.

use crate::files::write_atomically;
use anyhow::{Context, Result, anyhow, ensure};
use polib::catalog::Catalog;
use polib::message::{Message, MessageFlags, MessageView};
use polib::metadata::CatalogMetadata;
use std::collections::HashMap;
use std::fs;
use std::io::BufWriter;
use std::path::Path;

const FUZZY: &str = "fuzzy";
/// How alike an old message must be for its translation to be offered for a new one, from 0 to 1.
const ALIKE: f64 = 0.6;

/// What stands before a text in quotes; nothing, where it goes on.
const FIELDS: [&str; 5] = ["", "msgctxt", "msgid", "msgid_plural", "msgstr"];

/// A message as it stands in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// The English text, in one line.
    pub text: String,
    /// Where it stands: `01_tensors#cell`.
    pub place: String,
}

/// What is left to do in a catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Messages without a translation, with their places.
    pub untranslated: Vec<Extracted>,
    /// Messages whose English has changed since they were translated.
    pub fuzzy: Vec<Extracted>,
}

/// The translations of a page.
pub struct Catalogue(Catalog);

impl Catalogue {
    /// An empty one for `language`.
    pub fn new(language: &str) -> Self {
        let mut metadata = CatalogMetadata::new();
        metadata.project_id_version = "Rust Blitz".to_owned();
        metadata.mime_version = "1.0".to_owned();
        metadata.content_type = "text/plain; charset=UTF-8".to_owned();
        metadata.content_transfer_encoding = "8bit".to_owned();
        metadata.language = language.to_owned();
        Catalogue(Catalog::new(metadata))
    }

    /// Reads a catalogue; an empty one where there is no file.
    ///
    /// # Errors
    /// The file is no catalogue.
    pub fn read(path: &Path, language: &str) -> Result<Self> {
        if !path.is_file() {
            return Ok(Self::new(language));
        }
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let parse = |text: String| {
            let parsed = polib::po_file::parse_from_reader(text.as_bytes());
            parsed.map_err(|error| anyhow!("{error}"))
        };
        let catalog = lines_that_count(&text).and_then(parse);
        let told = || format!("{} is not a gettext catalogue", path.display());
        Ok(Catalogue(catalog.with_context(told)?))
    }

    /// Writes it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut writer = BufWriter::new(Vec::new());
        polib::po_file::write(&self.0, &mut writer)?;
        write_atomically(path, &writer.into_inner()?)
    }

    /// The translation of a message; `None` where there is none, or one of an older text.
    pub fn translation(&self, text: &str) -> Option<&str> {
        let message = self.0.find_message(None, text, None)?;
        let translation = message.msgstr().ok().filter(|it| !it.is_empty());
        translation.filter(|_| !message.is_fuzzy())
    }

    /// The catalogue with the messages of `page`, in their order: translations stay with their text,
    /// go as fuzzy to a text that is much like theirs, and are dropped else.
    pub fn merged(&self, page: &[Extracted], language: &str) -> Catalogue {
        let mut places: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut order: Vec<&str> = Vec::new();
        for message in page {
            let known = places.entry(&message.text).or_default();
            if known.is_empty() {
                order.push(&message.text);
            }
            if !known.contains(&message.place.as_str()) {
                known.push(&message.place);
            }
        }
        let old: Vec<&dyn MessageView> =
            self.0.messages().filter(|it| it.is_translated()).collect();
        let mut gone: Vec<&dyn MessageView> =
            old.iter().copied().filter(|it| !places.contains_key(it.msgid())).collect();
        let mut merged = Self::new(language);
        for text in order {
            let kept = self.0.find_message(None, text, None).filter(|it| !it.msgid().is_empty());
            let (translation, mut flags, mut comment) = match kept {
                Some(it) => (
                    it.msgstr().unwrap_or_default().to_owned(),
                    it.flags().clone(),
                    it.translator_comments().to_owned(),
                ),
                None => (String::new(), MessageFlags::new(), String::new()),
            };
            if translation.is_empty()
                && let Some(index) = most_alike(text, &gone)
            {
                let it = gone.remove(index);
                flags.add_flag(FUZZY);
                comment = format!("translates: {}", it.msgid());
                merged.add(text, it.msgstr().unwrap_or_default(), flags, comment, &places[text]);
                continue;
            }
            merged.add(text, &translation, flags, comment, &places[text]);
        }
        merged
    }

    fn add(
        &mut self,
        text: &str,
        translation: &str,
        flags: MessageFlags,
        comment: String,
        places: &[&str],
    ) {
        let message = Message::build_singular()
            .with_msgid(text.to_owned())
            .with_msgstr(translation.to_owned())
            .with_flags(flags)
            .with_translator_comments(comment)
            .with_source(places.join(" "))
            .done();
        self.0.append_or_update(message);
    }

    /// What of `page` has no translation that holds.
    pub fn left(&self, page: &[Extracted]) -> Left {
        let mut left = Left::default();
        for message in page {
            if self.translation(&message.text).is_some() {
                continue;
            }
            let found = self.0.find_message(None, &message.text, None);
            match found.is_some_and(|it| it.is_fuzzy()) {
                true => left.fuzzy.push(message.clone()),
                false => left.untranslated.push(message.clone()),
            }
        }
        left
    }
}

/// The lines of a catalogue without empty comments and messages that are gone. The parser panics at
/// some lines that are none.
///
/// # Errors
/// A line is no comment, no field and no text in quotes.
fn lines_that_count(text: &str) -> Result<String> {
    let mut kept = String::with_capacity(text.len());
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end();
        if line == "#" || line.starts_with("#~") {
            continue;
        }
        let (field, quoted) = match line.find('"') {
            Some(at) => (line[..at].trim(), &line[at..]),
            None => (line, ""),
        };
        let is_field =
            FIELDS.contains(&field) || field.starts_with("msgstr[") && field.ends_with(']');
        let inside = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        let is_quoted = inside.is_some_and(|it| {
            // The closing quote is the text's own behind an odd number of backslashes.
            (it.len() - it.trim_end_matches('\\').len()).is_multiple_of(2)
        });
        let is_line = line.is_empty() || line.starts_with('#') || is_field && is_quoted;
        ensure!(is_line, "line {number}: expected a field and a text in quotes, found `{line}`");
        kept.push_str(line);
        kept.push('\n');
    }
    Ok(kept)
}

/// The one of `messages` whose English is most like `text`, if one is much like it.
fn most_alike(text: &str, messages: &[&dyn MessageView]) -> Option<usize> {
    let alike = messages.iter().map(|it| likeness(text, it.msgid())).enumerate();
    let (index, likeness) = alike.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (likeness >= ALIKE).then_some(index)
}

/// The share of words that two texts have in common, from 0 to 1 (Dice's coefficient).
fn likeness(a: &str, b: &str) -> f64 {
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let (a, mut b) = (words(a), words(b));
    let count = a.len() + b.len();
    let common = a.iter().filter(|word| {
        let found = b.iter().position(|it| it == *word);
        found.map(|index| b.swap_remove(index)).is_some()
    });
    2.0 * common.count() as f64 / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use polib::message::MessageMutView;

    fn extracted(texts: &[&str]) -> Vec<Extracted> {
        let message = |text: &&str| Extracted { text: (*text).to_owned(), place: "p#c".to_owned() };
        texts.iter().map(message).collect()
    }

    fn with(catalogue: &Catalogue, text: &str, translation: &str) -> Catalogue {
        let mut copy = Catalogue(catalogue.0.clone());
        copy.0
            .find_message_mut(None, text, None)
            .expect("there")
            .set_msgstr(translation.to_owned())
            .expect("singular");
        copy
    }

    #[test]
    fn a_changed_message_becomes_fuzzy_and_is_not_used() {
        let page = extracted(&["A tensor has a size.", "Nothing else."]);
        let first = Catalogue::new("zh_CN").merged(&page, "zh_CN");
        assert_eq!(first.left(&page).untranslated.len(), 2);
        let translated = with(&first, "A tensor has a size.", "张量有大小。");
        assert_eq!(translated.translation("A tensor has a size."), Some("张量有大小。"));
        let changed = extracted(&["A tensor has a size, too.", "Nothing else."]);
        let merged = translated.merged(&changed, "zh_CN");
        assert_eq!(merged.translation("A tensor has a size, too."), None);
        let left = merged.left(&changed);
        assert_eq!((left.fuzzy.len(), left.untranslated.len()), (1, 1));
        // Back again: what is fuzzy is translated no more by being the same.
        assert!(merged.merged(&changed, "zh_CN").left(&changed) == left);
    }

    #[test]
    fn a_file_keeps_all_of_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("p.po");
        let text = "A \"quoted\" word,\\ a line that is so long that a writer would fold it at some place. 中文 too.";
        let page = extracted(&[text, "One."]);
        let catalogue =
            with(&Catalogue::new("zh_CN").merged(&page, "zh_CN"), text, "引号 \"里\" \\ 的词");
        catalogue.write(&path).expect("written");
        let read = Catalogue::read(&path, "zh_CN").expect("read");
        assert_eq!(read.translation(text), Some("引号 \"里\" \\ 的词"));
        assert_eq!(read.left(&page).untranslated.len(), 1);
        for (broken, told) in [
            ("msgid \"x\"\nmsgstr", "line 2"),
            ("\"", "line 1"),
            ("msgid \"x\\\"", "line 1"),
            ("<<<<<<< HEAD", "line 1"),
        ] {
            fs::write(&path, broken).expect("written");
            let error = Catalogue::read(&path, "zh_CN").map(drop).expect_err("broken");
            let error = format!("{error:#}");
            assert!(
                error.contains("p.po is not a gettext catalogue: ") && error.contains(told),
                "{error}"
            );
        }
        let header = "#\nmsgid \"\"\nmsgstr \"Language: zh_CN\\n\"\n";
        fs::write(&path, format!("{header}\nmsgid \"x\"\nmsgstr \"y\"\n\n#~ msgid \"z\"\n"))
            .expect("written");
        assert_eq!(Catalogue::read(&path, "zh_CN").expect("read").translation("x"), Some("y"));
    }
}
