//! A message with places for what is not known beforehand, in the notation of `format!`.

use std::fmt;

/// A text with placeholders. In its notation a placeholder is `{name}`; unnamed ones are numbered from
/// `{0}`, and how a value is to be formatted is left out: `{:?}` and `{}` are the same. Braces of the
/// text itself are doubled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    /// What stands before, between and after the placeholders: one more than there are of these.
    literals: Vec<String>,
    names: Vec<String>,
}

impl Template {
    /// Reads the notation; `None` where a brace is alone.
    pub fn parse(text: &str) -> Option<Template> {
        let mut template = Template { literals: vec![String::new()], names: Vec::new() };
        let (mut characters, mut unnamed) = (text.chars().peekable(), 0);
        while let Some(character) = characters.next() {
            match character {
                '{' | '}' if characters.peek() == Some(&character) => {
                    characters.next();
                    template.push(character);
                }
                '}' => return None,
                '{' => {
                    let mut inside = String::new();
                    loop {
                        match characters.next()? {
                            '}' => break,
                            '{' => return None,
                            other => inside.push(other),
                        }
                    }
                    let name = inside.split(':').next().unwrap_or_default().trim();
                    let number = unnamed.to_string();
                    unnamed += usize::from(name.is_empty());
                    let name = if name.is_empty() { &number } else { name };
                    template.names.push(name.to_owned());
                    template.literals.push(String::new());
                }
                other => template.push(other),
            }
        }
        Some(template)
    }

    /// A text without placeholders.
    pub fn plain(text: &str) -> Template {
        Template { literals: vec![text.to_owned()], names: Vec::new() }
    }

    fn push(&mut self, character: char) {
        // There is always one.
        if let Some(last) = self.literals.last_mut() {
            last.push(character);
        }
    }

    /// What stands before, between and after the placeholders.
    pub fn literals(&self) -> &[String] {
        &self.literals
    }

    /// The placeholders' names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The template without blanks and line breaks at both ends.
    pub fn trimmed(mut self) -> Template {
        if let Some(first) = self.literals.first_mut() {
            *first = first.trim_start_matches(['\n', '\r']).to_owned();
        }
        if let Some(last) = self.literals.last_mut() {
            *last = last.trim_end_matches(['\n', '\r']).to_owned();
        }
        self
    }

    /// Whether `other` has the same placeholders as often, in whatever order.
    pub fn has_placeholders_of(&self, other: &Template) -> bool {
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names
        };
        sorted(&self.names) == sorted(&other.names)
    }

    /// The text with `values` in the place of the placeholders, in order.
    pub fn filled(&self, values: &[&str]) -> String {
        let mut text = String::new();
        for (index, literal) in self.literals.iter().enumerate() {
            text += literal;
            text += values.get(index).copied().unwrap_or_default();
        }
        text
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, literal) in self.literals.iter().enumerate() {
            f.write_str(&literal.replace('{', "{{").replace('}', "}}"))?;
            if let Some(name) = self.names.get(index) {
                write!(f, "{{{name}}}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_string_has_one_notation() {
        let told = |text: &str| Template::parse(text).map(|it| it.to_string());
        assert_eq!(told("{} of {name:>5}, {:?}").as_deref(), Some("{0} of {name}, {1}"));
        assert_eq!(told("{{x}} {a}{b}").as_deref(), Some("{{x}} {a}{b}"));
        assert_eq!(told("{0} of {0}").as_deref(), Some("{0} of {0}"));
        assert_eq!([told("a {b"), told("a } b"), told("{a{b}}")], [None, None, None]);
        assert_eq!(Template::plain("f({x})").to_string(), "f({{x}})");
    }

    #[test]
    fn placeholders_are_those_of_the_other_in_any_order() {
        let template = |text: &str| Template::parse(text).expect("a template");
        let of = |one: &str, other: &str| template(one).has_placeholders_of(&template(other));
        assert!(of("{a} before {b}", "{b}在{a}之后"));
        assert!(!of("{a} before {b}", "{b}") && !of("{a}", "{a}{a}") && !of("{a}", "{c}"));
        assert_eq!(template("{a} before {b}").filled(&["1", "2"]), "1 before 2");
    }
}
