use super::*;

fn found(source: &str) -> Vec<String> {
    messages(source).expect("Rust")
}

#[test]
fn formats_have_placeholders_and_plain_strings_braces() {
    let source = r#"
        /// Not "a message".
        #[error("{} is not {expected:?}: {}", path.display(), 3)]
        fn f() {
            println!("it is {x:.1} \
                      long\n", "two words");
            let remedy = "write f({x: 1}) now";
            g(&["one word", "sizes"], format!("{}", "of a"));
        }
    "#;
    let expected = [
        "{0} is not {expected}: {1}",
        "it is {x} long",
        "two words",
        "write f({{x: 1}}) now",
        "one word",
        "of a",
    ];
    assert_eq!(found(source), expected);
}

#[test]
fn what_nobody_is_told_is_left_out() {
    let source = r#"
        fn f(text: &str) -> bool {
            write!(f, "own text")?;
            x.expect("a bug here");
            assert_eq!(a, b, "no way");
            if text == "the same text" || text.starts_with(&format!("begins {} with", 3)) {}
            match text { "this text" => 1, "or that" | "or this" => 2, _ => told("word") }
        }
        // Not translated: libtorch says it
        const X: [&str; 2] = [
            "some text",
            "some other",
        ];
        const Y: &str = "for people";
        const Z: &str = "and not this"; // Not translated
        fn g() { format!("`{a}` {b}"); // A message
        }
        #[cfg(test)]
        mod tests { const T: &str = "a test text"; }
    "#;
    assert_eq!(found(source), ["word", "for people", "`{a}` {b}"]);
    assert!(messages("fn (").is_err());
}
