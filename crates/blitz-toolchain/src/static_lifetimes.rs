//! Types of variables as evcxr's look at a cell must have them.
//!
//! There, the variables of earlier cells are arguments, and a `&str` among them is one of any
//! lifetime, which cannot be kept. What was kept lives as long as the process.

/// A type with `'static` where a reference has no lifetime of its own.
pub fn with_static_lifetimes(type_name: &str) -> String {
    let mut written = String::with_capacity(type_name.len());
    // Whether each bracket that is open has a function's arguments in it.
    let mut brackets = Vec::new();
    for (at, character) in type_name.char_indices() {
        let before = &type_name[..at];
        match character {
            '(' => brackets.push(before.ends_with(|c: char| c.is_alphanumeric() || c == '_')),
            ')' => drop(brackets.pop()),
            _ => {}
        }
        written.push(character);
        let is_own = type_name[at + character.len_utf8()..].starts_with('\'');
        // A function has a lifetime for each reference, and its result that of an argument.
        let is_functions = brackets.contains(&true) || before.trim_end().ends_with("->");
        if character == '&' && !is_own && !is_functions {
            written.push_str("'static ");
        }
    }
    written.replace("<'_", "<'static")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_static_but_for_those_of_functions() {
        let cases = [
            ("&str", "&'static str"),
            ("(&[u8], &'a mut T)", "(&'static [u8], &'a mut T)"),
            ("Vec<Box<dyn Fn(&str, &u8) -> &str>>", "Vec<Box<dyn Fn(&str, &u8) -> &str>>"),
            ("Peekable<Chars<'_>>", "Peekable<Chars<'static>>"),
            ("Option<&(dyn A + Send)>", "Option<&'static (dyn A + Send)>"),
        ];
        for (type_name, expected) in cases {
            assert_eq!(with_static_lifetimes(type_name), expected);
        }
    }
}
