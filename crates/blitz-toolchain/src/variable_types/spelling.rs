//! rustc's way to print types, and Rust's way to write them.

/// Whether a type that rustc printed can be written in a program.
pub fn is_nameable(text: &str) -> bool {
    let is_impl = text.starts_with("impl ") || text.contains(" impl ") || text.contains("<impl ");
    !is_impl && !text.contains("(impl ") && !text.contains("&impl ") && !text.contains(['{', '}'])
}

/// `text` as it can be written anywhere, with paths that begin with `::` where they lead into one of
/// `crates`.
pub fn written(text: &str, crates: &[String]) -> String {
    let text = text.replace("{integer}", "i32").replace("{float}", "f64").replace("'_", "'static");
    absolute(&with_brackets(&without_function_names(&text)), crates)
}

/// Whether a type that rustc printed is, or holds, that of one function.
pub fn names_function(text: &str) -> bool {
    without_function_names(text) != text
}

/// Without the names of functions, `fn() -> i32 {f}`: what is kept is a pointer to one.
fn without_function_names(text: &str) -> String {
    let mut rest = text;
    let mut shown = String::new();
    while let Some(at) = rest.find(" {") {
        let (before, name) = rest.split_at(at);
        let is_function = !["{closure", "{async", "{gen", "{coroutine", "{type", "{unknown"]
            .iter()
            .any(|start| name[1..].starts_with(start));
        let end = match is_function {
            true => closing(name).unwrap_or(name.len()),
            false => 2,
        };
        shown.push_str(before);
        if !is_function {
            shown.push_str(&name[..end]);
        }
        rest = &name[end..];
    }
    shown + rest
}

/// Where the brace closes that `text` opens first.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at + 1),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// With the brackets around `dyn A + B` behind `&` and `*` that Rust wants.
fn with_brackets(text: &str) -> String {
    let mut text = text.to_owned();
    let mut from = 0;
    while let Some(found) = text[from..].find("dyn ") {
        let at = from + found;
        from = at + 4;
        let end = from + extent(&text[from..]);
        if is_pointer(&text[..at]) && has_outer_plus(&text[at..end]) {
            text.insert(end, ')');
            text.insert(at, '(');
            from += 1;
        }
    }
    text
}

/// Whether what follows is the target of a reference or a pointer.
fn is_pointer(before: &str) -> bool {
    let before = before.strip_suffix("mut ").or(before.strip_suffix("const ")).unwrap_or(before);
    let before = before.trim_end();
    let lifetime = before
        .rfind('\'')
        .filter(|at| before[at + 1..].chars().all(|c| c.is_alphanumeric() || c == '_') && *at > 0);
    before[..lifetime.unwrap_or(before.len())].ends_with(['&', '*'])
}

/// How far a type reaches: to the first comma or closing bracket that is not its own.
pub fn extent(text: &str) -> usize {
    let mut depth = 0;
    let mut last = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '<' | '(' | '[' => depth += 1,
            '>' if last == '-' => {}
            '>' | ')' | ']' if depth == 0 => return at,
            '>' | ')' | ']' => depth -= 1,
            ',' | ';' if depth == 0 => return at,
            _ => {}
        }
        last = character;
    }
    text.len()
}

fn has_outer_plus(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '(', '[', '+']) {
        if rest[at..].starts_with('+') {
            return true;
        }
        let inner = &rest[at + 1..];
        let mut end = extent(inner);
        // A comma ends a type but not its brackets.
        while inner[end..].starts_with([',', ';']) {
            end += 1 + extent(&inner[end + 1..]);
        }
        rest = inner.get(end + 1..).unwrap_or_default();
    }
    false
}

/// With `::` before each path that begins with the name of one of `crates`.
fn absolute(text: &str, crates: &[String]) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_name) {
        let word = &rest[start..];
        let end = word.find(|c| !is_name(c)).unwrap_or(word.len());
        written.push_str(&rest[..start]);
        let (name, after) = word.split_at(end);
        let begins = after.starts_with("::") && !written.ends_with("::");
        if begins && !written.ends_with('\'') && crates.iter().any(|it| it == name) {
            written.push_str("::");
        }
        written.push_str(name);
        rest = after;
    }
    written + rest
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str) -> String {
        written(text, &["std".to_owned(), "tch".to_owned()])
    }

    #[test]
    fn paths_are_absolute() {
        let cases = [
            (
                "std::result::Result<{integer}, std::boxed::Box<dyn std::any::Any + std::marker::Send>>",
                "::std::result::Result<i32, ::std::boxed::Box<dyn ::std::any::Any + ::std::marker::Send>>",
            ),
            ("(tch::Tensor, Net, shapes::std::Net)", "(::tch::Tensor, Net, shapes::std::Net)"),
            (
                "std::iter::Peekable<std::str::Chars<'_>>",
                "::std::iter::Peekable<::std::str::Chars<'static>>",
            ),
            ("<T as std::ops::Add>::Output", "<T as ::std::ops::Add>::Output"),
            ("[{float}; 3]", "[f64; 3]"),
            ("&'std str", "&'std str"),
        ];
        for (printed, expected) in cases {
            assert_eq!(spelled(printed), expected);
        }
    }

    #[test]
    fn references_to_several_traits_get_brackets() {
        let cases = [
            ("&dyn A + Send", "&(dyn A + Send)"),
            ("&'static mut dyn A<X = B> + Send", "&'static mut (dyn A<X = B> + Send)"),
            ("Vec<&dyn Fn(i32, u8) -> i32 + Send>", "Vec<&(dyn Fn(i32, u8) -> i32 + Send)>"),
            ("(*const dyn A + B, &dyn C + D)", "(*const (dyn A + B), &(dyn C + D))"),
            ("&dyn A", "&dyn A"),
            ("&dyn Fn(Box<dyn A + B>)", "&dyn Fn(Box<dyn A + B>)"),
            ("Box<dyn A + Send>", "Box<dyn A + Send>"),
            ("&(dyn A + Send)", "&(dyn A + Send)"),
        ];
        for (printed, expected) in cases {
            assert_eq!(spelled(printed), expected);
        }
    }

    #[test]
    fn functions_become_pointers_and_closures_have_no_name() {
        assert_eq!(spelled("fn(i32) -> i32 {f}"), "fn(i32) -> i32");
        assert!(names_function("(u8, fn() {m::f})"));
        assert!(!names_function("fn(u8) -> Map<I, {closure@a}>"));
        assert_eq!(spelled("(fn() {m::f::<{integer}>}, u8)"), "(fn(), u8)");
        for text in ["{closure@src/lib.rs:1:2: 3:4}", "Vec<impl A>", "Map<I, {closure@x:1:1: 1:2}>"]
        {
            assert!(!is_nameable(&spelled(text)), "{text}");
        }
        for text in ["Vec<[u8; 4]>", "simple::T", "dyn Fn() -> (u8, u8)"] {
            assert!(is_nameable(text), "{text}");
        }
    }
}
