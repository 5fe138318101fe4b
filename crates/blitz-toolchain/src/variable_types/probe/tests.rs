//! What rustc answers.

use super::*;
use std::process::Command;

/// rustc's diagnostics of a source.
fn rustc(source: &str) -> Option<String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("lib.rs");
    std::fs::write(&file, source).expect("the source is written");
    let mut rustc = Command::new("rustc");
    rustc.args(super::super::PRINTING).env("RUSTC_BOOTSTRAP", "1").arg(&file);
    rustc.args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--error-format=json"]);
    let output = rustc.arg("--out-dir").arg(dir.path()).output().expect("rustc runs");
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn variables(code: &str, names: &[&str]) -> Vec<Variable> {
    let looked_at: String =
        names.iter().map(|name| format!("evcxr_variable_store({name});\n")).collect();
    let source = format!(
        "fn evcxr_variable_store<T: 'static>(_: T) {{}}\n\
         fn evens() -> impl Iterator<Item = u64> {{ (0..).step_by(2) }}\n\
         fn cell() {{\n{code}\n{looked_at}}}\n"
    );
    types(&source, &["std".to_owned()], None, &rustc)
}

#[test]
fn types_have_the_paths_that_lead_to_them() {
    let code = "let r = std::thread::spawn(|| 1).join();\nlet f = cell;\n\
                let b: &(dyn Fn(u8) + Sync) = &|_| ();";
    let types: Vec<(String, bool)> = variables(code, &["r", "f", "b"])
        .into_iter()
        .map(|it| (it.type_name.clone(), it.is_nameable()))
        .collect();
    let expected = [
        "::std::result::Result<i32, ::std::boxed::Box<dyn ::std::any::Any + ::std::marker::Send>>",
        "fn()",
        "&(dyn ::std::ops::Fn(u8) + ::std::marker::Sync)",
    ];
    assert_eq!(types, expected.map(|text| (text.to_owned(), true)));
}

#[test]
fn closures_have_a_signature_and_iterators_an_item() {
    let code = "let mut total = 0;\nlet text = String::new();\nlet plus = |n: i32, s: &str| n + 1;\n\
                let mut add = move |n: u8| total += n;\nlet give = move || text;\n\
                let odd = evens().map(|n| n + 1);\nlet even = evens();";
    let found = variables(code, &["plus", "add", "give", "odd", "even"]);
    let signatures: Vec<_> = found
        .iter()
        .filter_map(|it| it.signature.as_ref())
        .map(|it| [it.kind.as_str(), it.arguments.as_str(), it.output.as_str()])
        .collect();
    let expected = [
        ["Fn", "i32, &str", "i32"],
        ["FnMut", "u8", "()"],
        ["FnOnce", "", "::std::string::String"],
    ];
    assert_eq!(signatures, expected);
    let items: Vec<_> = found.iter().map(|it| it.item.as_deref()).collect();
    assert_eq!(items, [None, None, None, Some("u64"), Some("u64")]);
    assert_eq!(found[4].type_name, "impl ::std::iter::Iterator<Item = u64>");
    assert!(found.iter().all(|it| !it.is_nameable()));
}

#[test]
fn rustc_tells_types_while_it_compiles() {
    let values = [
        ("a", "vec![Some(1u8)]", "::std::vec::Vec<::std::option::Option<u8>>"),
        ("r#type", "1", "i32"),
        ("b", "(0.5, \"text\")", "(f64, &str)"),
        ("c", "std::borrow::Cow::Borrowed(\"text\")", "::std::borrow::Cow<'static, str>"),
        ("d", "&1 as &(dyn Send + Sync)", "&(dyn ::std::marker::Send + ::std::marker::Sync)"),
    ];
    let mut source =
        "struct Store; impl Store { fn put_variable<T: 'static>(&self, _: &str, _: T) {} \
        }\nfn cell(evcxr_variable_store: &Store) {\n"
            .to_owned();
    for (name, value, _) in values {
        source.push_str(&format!("let {name} = {value};{}\n", inferred::statement(name, false)));
    }
    for (name, ..) in values {
        source.push_str(&format!("{PUT}EvcxrInferred>(stringify!({name}), {name});\n"));
    }
    let source = format!("{source}}}\n");
    let told = rustc(&inferred::telling(&source));
    let asked = |_: &str| panic!("rustc is asked for what it has told");
    let found = types(&source, &["std".to_owned()], told, &asked);
    let found: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.type_name.as_str())).collect();
    assert_eq!(found, values.map(|(name, _, type_name)| (name, type_name)));
    // A part of it is no answer: the others are asked for.
    assert_eq!(types(&source, &["std".to_owned()], Some(String::new()), &rustc).len(), 5);
}
