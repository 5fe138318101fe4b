//! A translation with its placeholders' values.

/// Adds `part` to `text`, with the space that Chinese has where it meets Latin letters, digits and
/// code. Nothing is added between other writings.
pub(crate) fn join(text: &mut String, part: &str) {
    let (before, after) = (last_shown(text), part.chars().next());
    if let (Some(before), Some(after)) = (before, after) {
        let meets =
            is_chinese(before) && begins_latin(after) || ends_latin(before) && is_chinese(after);
        if meets {
            text.push(' ');
        }
    }
    text.push_str(part);
}

/// Ends a sentence that was known without its full stop.
pub(crate) fn end_sentence(text: &mut String) {
    text.push(if last_shown(text).is_some_and(is_chinese) { '。' } else { '.' });
}

/// Adds a sentence behind those of `text`.
pub(crate) fn next_sentence(text: &mut String, sentence: &str) {
    if last_shown(text).is_some_and(|it| !"。！？".contains(it)) {
        text.push(' ');
    }
    text.push_str(sentence);
}

fn last_shown(text: &str) -> Option<char> {
    text.chars().next_back()
}

/// A Chinese character; the marks of Chinese need no space.
fn is_chinese(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

fn begins_latin(character: char) -> bool {
    character.is_ascii_alphanumeric() || "`$[(<{/-+&~\"'".contains(character)
}

fn ends_latin(character: char) -> bool {
    character.is_ascii_alphanumeric() || "`$])>}%\"'".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_keeps_its_distance_from_latin_letters() {
        let joined = |parts: &[&str]| {
            let mut text = String::new();
            parts.iter().for_each(|part| join(&mut text, part));
            text
        };
        assert_eq!(joined(&["第", "3", "步，", "x", "不对"]), "第 3 步，x 不对");
        assert_eq!(joined(&["应为", "-4", "到", "[2]"]), "应为 -4 到 [2]");
        assert_eq!(joined(&["expected ", "3", ", got", ""]), "expected 3, got");
    }
}
