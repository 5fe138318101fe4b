//! Which of the languages a person reads.

use std::fs;
use std::path::{Path, PathBuf};

/// Below a language's folder: the catalogues of messages.
const MESSAGES: &str = "messages";
const ENGLISH: &str = "en";

/// What says something about the language, the strongest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What the person has set: `zh`, `zh_CN` or `en`.
    pub option: Option<String>,
    /// The folder of the notebook, below that of all notebooks: in `zh` lie those in Chinese.
    pub folder: Option<PathBuf>,
    /// The locales of the environment: `zh_CN.UTF-8`.
    pub locales: Vec<String>,
}

/// The languages that there are.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Their folders, in alphabetical order.
    dirs: Vec<PathBuf>,
}

impl Wishes {
    /// What the environment says, given how its variables are read: `LC_ALL`, `LC_MESSAGES` or `LANG`,
    /// and before them `LANGUAGE`, a list, where they ask for a language at all (as gettext has it).
    pub fn locales_of(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        let locale = locale.filter(|it| !matches!(base(it), "C" | "POSIX"));
        let Some(locale) = locale else { return Vec::new() };
        let list = set("LANGUAGE").unwrap_or_default();
        let list = list.split(':').filter(|it| !it.is_empty()).map(str::to_owned);
        list.chain([locale]).collect()
    }
}

impl Choice {
    /// The languages with a folder in `dir`.
    pub fn in_dir(dir: &Path) -> Choice {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut dirs: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
        dirs.sort();
        Choice { dirs }
    }

    /// The folder of the messages for somebody with these wishes; `None` for English.
    pub fn messages_dir(&self, wishes: &Wishes) -> Option<PathBuf> {
        let asked = wishes.option.as_deref().filter(|it| !it.trim().is_empty());
        if let Some(asked) = asked {
            return self.named(asked).map(|dir| dir.join(MESSAGES));
        }
        let folder = wishes.folder.iter().flat_map(|folder| folder.components().next());
        let folder = folder.map(|it| it.as_os_str().to_string_lossy().into_owned());
        let of_folder = folder.into_iter().find_map(|it| {
            let is_it = |dir: &&PathBuf| language(name(dir)) == it || name(dir) == it;
            self.dirs.iter().find(is_it)
        });
        let of_locale = || {
            let mut known = wishes.locales.iter().map(|it| (is_english(it), self.named(it)));
            known.find(|(english, dir)| *english || dir.is_some()).and_then(|(_, dir)| dir)
        };
        of_folder.or_else(of_locale).map(|dir| dir.join(MESSAGES))
    }

    /// The folder of the language that a person calls `asked`: `zh_CN`, `zh-cn`, `zh_CN.UTF-8` or `zh`.
    /// A country that has no folder of its own gets another one's.
    pub fn named(&self, asked: &str) -> Option<&PathBuf> {
        let asked = base(asked).replace('-', "_").to_lowercase();
        let exact = self.dirs.iter().find(|dir| name(dir).to_lowercase() == asked);
        exact.or_else(|| self.dirs.iter().find(|dir| language(name(dir)) == language(&asked)))
    }
}

/// Whether a person who asks for this wants English.
fn is_english(asked: &str) -> bool {
    language(&base(asked).to_lowercase()) == ENGLISH
}

fn name(dir: &Path) -> &str {
    dir.file_name().and_then(|it| it.to_str()).unwrap_or_default()
}

/// A locale without its encoding and variant.
fn base(locale: &str) -> &str {
    locale.trim().split(['.', '@']).next().unwrap_or_default()
}

/// `zh_CN` is `zh`.
fn language(name: &str) -> &str {
    name.split(['_', '-']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(option: &str, folder: &str, locales: &[&str]) -> Wishes {
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Wishes {
            option: set(option),
            folder: set(folder).map(PathBuf::from),
            locales: locales.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn the_option_counts_before_the_notebook_and_that_before_the_locale() {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["zh_CN", "de"] {
            fs::create_dir(dir.path().join(name)).expect("a directory");
        }
        let chosen = |option: &str, folder: &str, locales: &[&str]| {
            let found =
                Choice::in_dir(dir.path()).messages_dir(&wishes(option, folder, locales))?;
            let language = found.parent().map(|it| name(it).to_owned());
            assert!(found.ends_with(MESSAGES));
            language
        };
        for asked in ["zh", "zh_CN", "zh-cn", "zh_CN.UTF-8", "zh_TW", " zh "] {
            assert_eq!(chosen(asked, "", &[]).as_deref(), Some("zh_CN"), "{asked}");
            assert_eq!(chosen("", "", &[asked]).as_deref(), Some("zh_CN"), "{asked}");
        }
        assert_eq!(chosen("en", "zh", &["zh_CN"]), None);
        assert_eq!(chosen("fr", "zh", &["zh_CN"]), None);
        assert_eq!(chosen("de", "zh", &["zh_CN"]).as_deref(), Some("de"));
        assert_eq!(chosen("", "zh/my_exercises", &["de_DE"]).as_deref(), Some("zh_CN"));
        assert_eq!(chosen("", "my_exercises", &["de_DE"]).as_deref(), Some("de"));
        assert_eq!(chosen("", "", &["fr_FR", "de", "zh"]).as_deref(), Some("de"));
        assert_eq!(chosen("", "", &["en_GB.UTF-8", "de"]), None);
        assert_eq!(chosen("", "zhx", &[]), None);
        assert!(Choice::in_dir(&dir.path().join("none")).named("zh").is_none());
    }

    #[test]
    fn the_environment_is_read_as_gettext_reads_it() {
        let locales = |set: &[(&str, &str)]| {
            Wishes::locales_of(|name| set.iter().find(|it| it.0 == name).map(|it| it.1.to_owned()))
        };
        assert_eq!(locales(&[("LANG", "zh_CN.UTF-8")]), ["zh_CN.UTF-8"]);
        assert_eq!(locales(&[("LANG", "zh_CN"), ("LC_ALL", "en_US")]), ["en_US"]);
        assert_eq!(locales(&[("LANG", "de_DE"), ("LC_ALL", "")]), ["de_DE"]);
        assert_eq!(locales(&[("LANG", "en_US"), ("LANGUAGE", "zh::de")]), ["zh", "de", "en_US"]);
        assert!(locales(&[("LANG", "C.UTF-8"), ("LANGUAGE", "zh")]).is_empty());
        assert!(locales(&[("LANGUAGE", "zh")]).is_empty());
    }
}
