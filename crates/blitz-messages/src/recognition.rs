//! Finding out which messages a text was made of.
//!
//! A text is explained by a message whose fixed parts stand in it, and its values are explained in the
//! same way. Of several explanations the one counts that knows the most characters.

use crate::fill::{end_sentence, join, next_sentence};
use crate::template::Template;
use ends::{ends, joints};
use std::collections::HashMap;

mod ends;
#[cfg(test)]
mod tests;

/// Texts within texts that are looked into.
const DEEPEST: usize = 8;
/// Values that are tried for a text in all. No message of ours comes near.
const MOST_TRIES: usize = 20_000;
/// Bytes of a text beyond which it is only looked at line by line, and of a line that is looked at.
const LONGEST: usize = 4_000;
/// A message of a single word is only taken for one where it is this share of its text, in percent:
/// `{0} and {1}` explains `cat and dog`, and not every sentence with an "and".
const LEAST_SHARE: usize = 40;
/// A placeholder for a verb: its value may be a single word.
const VERB: &str = "operation";

/// The messages, ready to be found in texts.
#[derive(Debug, Default)]
pub(crate) struct Recogniser(Vec<Message>);

#[derive(Debug)]
struct Message {
    template: Template,
    /// What is shown for it, and the value behind each part by the template's index.
    parts: Vec<(String, Option<usize>)>,
    /// Characters and words of the fixed parts.
    known: Known,
    /// It is a single word, which may mean something else within another text.
    is_word: bool,
    /// It begins with a word and a colon or comma.
    is_label: bool,
}

/// How much of a text is explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    characters: usize,
    words: usize,
}

/// A text's translation.
#[derive(Clone, Debug, Default)]
struct Explained {
    known: Known,
    text: String,
    /// It counts, however little is known.
    is_whole: bool,
}

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Within {
    /// It is all there is, or a line of it.
    Nothing,
    /// It is the value of a placeholder for a verb.
    Verb,
    /// It is another value, or a part of a text.
    Value,
}

impl Recogniser {
    pub fn new(messages: impl IntoIterator<Item = (Template, Template)>) -> Recogniser {
        Recogniser(messages.into_iter().map(|(message, it)| Message::new(message, &it)).collect())
    }

    /// `text`, translated as far as it is made of the messages.
    pub fn translated(&self, text: &str) -> String {
        let mut search = Search { messages: &self.0, tries: 0, found: HashMap::new() };
        let inner = text.trim_matches('\n');
        let explained = match inner.len() > LONGEST {
            true => search.in_lines(inner, DEEPEST),
            false => search.best(inner, Within::Nothing, DEEPEST),
        };
        let Some(explained) = explained else { return text.to_owned() };
        let (before, rest) = text.split_at(text.len() - text.trim_start_matches('\n').len());
        before.to_owned() + &explained.text + &rest[inner.len()..]
    }
}

impl Message {
    fn new(template: Template, translation: &Template) -> Message {
        // A name that stands twice has one value.
        let value = |name: &String| template.names().iter().position(|it| it == name);
        let values = translation.names().iter().map(value).chain([None]);
        let parts = translation.literals().iter().cloned().zip(values).collect();
        let known = Known::of(template.literals());
        let is_word = template.names().is_empty() && !template.literals()[0].trim().contains(' ');
        let first = template.literals()[0].as_str();
        let is_label = first.ends_with(": ") || first.ends_with(", ");
        let is_label = is_label && first.contains(char::is_alphabetic);
        Message { template, parts, known, is_word, is_label }
    }

    /// What stands in `text` between the message's first and last fixed part.
    fn between<'t>(&self, text: &'t str) -> Option<&'t str> {
        let literals = self.template.literals();
        let rest = text.strip_prefix(literals[0].as_str())?;
        match literals.len() {
            1 => Some(rest),
            count => rest.strip_suffix(literals[count - 1].as_str()),
        }
    }

    fn shown(&self, values: &[Explained]) -> String {
        let mut text = String::new();
        for (literal, value) in &self.parts {
            join(&mut text, literal);
            if let Some(value) = value.and_then(|index| values.get(index)) {
                join(&mut text, &value.text);
            }
        }
        text
    }
}

impl Known {
    fn of(literals: &[String]) -> Known {
        let words = |text: &String| {
            let words = text.split(|it: char| !it.is_alphabetic());
            words.filter(|word| word.chars().count() > 1).count()
        };
        Known {
            characters: literals.iter().map(|it| it.chars().count()).sum(),
            words: literals.iter().map(words).sum(),
        }
    }

    fn and(self, other: Known) -> Known {
        Known { characters: self.characters + other.characters, words: self.words + other.words }
    }

    /// Whether that much of a text of this length is no chance.
    fn is_enough(self, length: usize) -> bool {
        self.words > 1 || self.words == 1 && self.characters * 100 >= length * LEAST_SHARE
    }
}

/// The search for one text.
struct Search<'m> {
    messages: &'m [Message],
    tries: usize,
    /// What became of parts of the text, by their addresses and lengths.
    found: HashMap<(*const u8, usize, Within), Option<Explained>>,
}

impl<'m> Search<'m> {
    /// The explanation that knows the most of `text`.
    fn best(&mut self, text: &str, within: Within, depth: usize) -> Option<Explained> {
        if depth == 0 || text.len() > LONGEST || !text.contains(|it: char| it.is_ascii_alphabetic())
        {
            return None;
        }
        let key = (text.as_ptr(), text.len(), within);
        if let Some(found) = self.found.get(&key) {
            return found.clone();
        }
        let messages = self.messages;
        let fitting = messages.iter().filter(|it| !it.is_word || within != Within::Value);
        let length = text.chars().count();
        let mut best = None;
        for message in fitting {
            let mut values = Vec::new();
            if let Some(rest) = message.between(text) {
                self.values(message, rest, &mut values, depth, &mut best);
            }
        }
        best = best.filter(|it: &Explained| it.is_whole || it.known.is_enough(length));
        // A value goes on behind its line, or its sentence, only where more is known for it.
        let mut apart = self.in_lines(text, depth);
        better(&mut apart, self.in_sentences(text, depth));
        better(&mut apart, best);
        let best = apart;
        self.found.insert(key, best.clone());
        best
    }

    /// Tries the ways to divide `rest` into values of `message`, of which there are some already.
    fn values<'t>(
        &mut self,
        message: &Message,
        rest: &'t str,
        values: &mut Vec<&'t str>,
        depth: usize,
        best: &mut Option<Explained>,
    ) {
        self.tries += 1;
        if self.tries > MOST_TRIES {
            return;
        }
        let (names, next) = (message.template.names(), values.len());
        let is_last = next + 1 >= names.len();
        if names.is_empty() {
            better(best, rest.is_empty().then(|| self.explained(message, values, depth)));
            return;
        }
        let literal = &message.template.literals()[next + 1];
        let ends = match (is_last, literal.is_empty()) {
            (true, _) => vec![rest.len()],
            // A name that has stood before says where it begins.
            (false, true) => match names[..next].iter().position(|it| *it == names[next + 1]) {
                Some(index) => ends(rest, values[index]),
                None => joints(rest),
            },
            (false, false) => ends(rest, literal),
        };
        for end in ends {
            let (name, value) = (&names[next], &rest[..end]);
            let before = names[..next].iter().position(|it| it == name);
            if before.is_some_and(|index| values[index] != value) {
                continue;
            }
            values.push(value);
            if is_last {
                better(best, Some(self.explained(message, values, depth)));
            } else {
                self.values(message, &rest[end + literal.len()..], values, depth, best);
            }
            values.pop();
        }
    }

    /// `message` with these values, each of which is explained in turn.
    fn explained(&mut self, message: &Message, values: &[&str], depth: usize) -> Explained {
        let mut known = message.known;
        let mut shown = Vec::with_capacity(values.len());
        for (name, value) in message.template.names().iter().zip(values) {
            let within = if name == VERB { Within::Verb } else { Within::Value };
            let value =
                self.best(value, within, depth - 1).unwrap_or_else(|| Explained::as_is(value));
            known = known.and(value.known);
            shown.push(value);
        }
        // Where only marks are around values, these have been judged already.
        let is_whole = message.is_label || message.known.words == 0 && known.words > 0;
        Explained { known, text: message.shown(&shown), is_whole }
    }

    /// Each line by itself.
    fn in_lines(&mut self, text: &str, depth: usize) -> Option<Explained> {
        let mut all = Explained::default();
        if !text.contains('\n') {
            return None;
        }
        for line in text.split_inclusive('\n') {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            let found = self.best(line, Within::Nothing, depth - 1);
            let Explained { known, text, .. } = found.unwrap_or_else(|| Explained::as_is(line));
            all.known = all.known.and(known);
            all.text += &text;
            all.text += end;
        }
        (all.known != Known::default()).then_some(all)
    }

    /// Each sentence by itself, with or without its full stop.
    fn in_sentences(&mut self, text: &str, depth: usize) -> Option<Explained> {
        let mut all = Explained::default();
        if text.contains('\n')
            || !text.trim_end().trim_end_matches('.').contains(". ") && !text.ends_with('.')
        {
            return None;
        }
        for sentence in text.split_inclusive(". ") {
            let shown = sentence.trim_end();
            let found = self.best_but(shown, text, depth).or_else(|| {
                let mut found = self.best(shown.strip_suffix('.')?, Within::Value, depth - 1)?;
                end_sentence(&mut found.text);
                Some(found)
            });
            let Explained { known, text, .. } = found.unwrap_or_else(|| Explained::as_is(shown));
            all.known = all.known.and(known);
            next_sentence(&mut all.text, &text);
        }
        (all.known != Known::default()).then_some(all)
    }

    /// As [`Self::best`] for a part of `whole`.
    fn best_but(&mut self, part: &str, whole: &str, depth: usize) -> Option<Explained> {
        (part.len() < whole.len()).then(|| self.best(part, Within::Value, depth - 1)).flatten()
    }
}

impl Explained {
    fn as_is(text: &str) -> Explained {
        Explained { text: text.to_owned(), ..Explained::default() }
    }
}

/// Keeps `other` where it knows more.
fn better(best: &mut Option<Explained>, other: Option<Explained>) {
    let known = |it: &Option<Explained>| it.as_ref().map(|it| it.known.characters);
    if known(&other) > known(best) {
        *best = other;
    }
}
