//! What is bound again, and what is said of the rest.

use super::*;
use blitz_toolchain::variable_types::{Borrow, Signature};

fn variable(type_name: &str) -> Variable {
    Variable { name: "x".to_owned(), type_name: type_name.to_owned(), ..Variable::default() }
}

fn closure(kind: &str, arguments: &str, output: &str) -> Variable {
    let [kind, arguments, output] = [kind, arguments, output].map(str::to_owned);
    let signature = Some(Signature { kind, arguments, output });
    Variable { signature, ..variable("{closure@src/lib.rs:1:2: 3:4}") }
}

#[test]
fn what_has_no_name_is_boxed() {
    let statement = |variable: &Variable| {
        let bindings = bindings("let mut x = f();");
        let persistence = Persistence::new(Path::new("/nowhere"));
        rebinding(variable).map(|rebinding| persistence.statement(&bindings[0], rebinding))
    };
    let boxed = |traits: &str| {
        let (boxed, end) = ("::std::boxed::Box<dyn ", "::std::boxed::Box::new(x);");
        Some(format!(" let mut x: {boxed}{traits}> = {end}"))
    };
    assert_eq!(
        statement(&closure("FnMut", "i32, &str", "()")),
        boxed("::std::ops::FnMut(i32, &str)")
    );
    assert_eq!(statement(&closure("FnOnce", "", "Net")), boxed("::std::ops::FnOnce() -> Net"));
    let cases = [
        (
            "impl ::std::ops::Fn(u8) -> u8 + ::std::marker::Send",
            "::std::ops::Fn(u8) -> u8 + ::std::marker::Send",
        ),
        ("impl ::std::clone::Clone + ::std::fmt::Display", "::std::fmt::Display"),
        (
            "impl ::std::iter::Iterator<Item = u8> + ::std::iter::DoubleEndedIterator<Item = u8>",
            "::std::iter::DoubleEndedIterator<Item = u8>",
        ),
        ("impl A<X = Vec<u8>> + use<'a>", "A<X = Vec<u8>>"),
    ];
    for (type_name, traits) in cases {
        assert_eq!(statement(&variable(type_name)), boxed(traits), "{type_name}");
    }
    let future = "impl ::std::future::Future<Output = u8>";
    let pinned = " let mut x: ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = \
                  u8>>> = ::std::boxed::Box::pin(x);";
    assert_eq!(statement(&variable(future)).as_deref(), Some(pinned));
    let adaptor = Variable { item: Some("u8".to_owned()), ..variable("Map<I, {closure@a}>") };
    assert_eq!(statement(&adaptor), boxed("::std::iter::Iterator<Item = u8>"));
    for type_name in ["::std::vec::Vec<{closure@a}>", "impl ::std::clone::Clone", "{async block@a}"]
    {
        assert_eq!(statement(&variable(type_name)), None, "{type_name}");
    }
    assert_eq!(statement(&closure("Fn", "{closure@a}", "()")), None);
}

#[test]
fn a_statement_stands_behind_the_last_that_binds_the_variable() {
    let code = "let x = 1;\nlet x = f(); // why\nlet (y, x2) = g();";
    let report =
        Report { variables: vec![closure("Fn", "", "()"), variable("i32")], borrows: Vec::new() };
    let bindings = bindings(code);
    let rebindings: Vec<(Binding, String)> =
        to_rebind(&report, &bindings, &[], &Error::Message(String::new()))
            .map(|(binding, _)| (binding.clone(), " let x: T = x;".to_owned()))
            .collect();
    let expected = "let x = 1;\nlet x = f(); let x: T = x; // why\nlet (y, x2) = g();";
    assert_eq!(with(code, &rebindings), expected);
}

#[test]
fn shell_commands_run_once() {
    let (commands, rest) = without_shell_commands("!ls\n:dep a\nlet x = 1;\n!x");
    assert_eq!(commands.as_deref(), Some("!ls\n:dep a"));
    assert_eq!(rest, "   \n:dep a\nlet x = 1;\n!x");
    assert_eq!(without_shell_commands("!ls\n"), (None, "!ls\n".to_owned()));
    assert_eq!(without_shell_commands("let x =\n!y;").0, None);
}

#[test]
fn both_ways_out_of_a_borrow_are_named() {
    let cases = [
        ("let first = &list[0];", "let first = list[0].clone();"),
        ("let part = &list[1..];", "let part = list[1..].to_owned();"),
        ("let it = list.iter();", "let it = list.clone().into_iter();"),
        ("let big = list.iter().max();", "let big = list.iter().max().cloned();"),
        ("let letters = list.chars();", "let letters = list.chars().collect::<Vec<_>>();"),
        ("let short = list.trim();", "let short = list.trim().to_owned();"),
        ("let mut all = &mut list;", "let mut all = list.clone();"),
        ("let add = |n: i32| n + list;", "let add = move |n: i32| n + list;"),
    ];
    for (code, instead) in cases {
        let bindings = bindings(code);
        let name = bindings[0].name.clone();
        let borrow =
            Borrow { variable: name.clone(), of: Some("list".into()), code: "E0597".into() };
        let report = Report { borrows: vec![borrow], ..Report::default() };
        let refusal = borrowed(&report, &bindings).expect("a refusal");
        assert!(refusal.message.contains(&format!("`{name}` borrows from `list`")), "{refusal:?}");
        assert_eq!(refusal.helps.len(), 2, "{refusal:?}");
        assert!(refusal.helps[0].contains(&format!("`{instead}`")), "{refusal:?}");
        assert!(refusal.helps[1].contains("in braces"), "{refusal:?}");
    }
}
