use super::python;

/// What is said of a cell, and what helps.
fn said(code: &str) -> (String, String, String) {
    let fault = python(code).unwrap_or_else(|| panic!("nothing is said of {code}"));
    (code[fault.range].to_owned(), fault.message, fault.helps.join("\n"))
}

#[track_caller]
fn told(code: &str, of: &str, message: &str, help: &str) {
    let (found, text, helps) = said(code);
    assert_eq!(found, of, "{code}");
    assert!(text.contains(message) && helps.contains(help), "{code}: {text} ({helps})");
}

#[test]
fn words_of_python_are_told_with_rusts() {
    for (code, word, help) in [
        ("def f(x):\n    return x", "def", "`fn f(x: &Tensor) -> Tensor { … }`"),
        ("let a = 1;\nclass Net(nn.Module):\n    pass", "class", "`struct Net { … }`"),
        ("import torch", "import", "`use blitz::prelude::*;`"),
        ("from torch import nn", "from", "`use blitz::prelude::*;`"),
        ("with torch.no_grad():\n    x = 1", "with", "`tch::no_grad(|| { … })`"),
        ("del x", "del", "`drop(x);`"),
        ("raise ValueError(\"no\")", "raise", "`return Err(\"…\".into());`"),
        ("assert x.dim() == 2", "assert", "`assert!(…);`"),
        ("if a {\n} elif b {\n}", "elif", "`else if … { … }`"),
        ("except ValueError as e:\n    x", "except", "`match f() {"),
        ("except:\n    x", "except", "`match f() {"),
        ("let f = lambda x: x + 1;", "lambda", "`|x| x + 1`"),
        ("not true", "not", "`!`"),
        ("if not ready { f() }", "not", "`!`"),
        ("true and false", "and", "`&&`"),
        ("f(a) or b", "or", "`||`"),
        ("let t = type(x);", "type", "`std::any::type_name_of_val(&x)`"),
        ("x is None", "is", "`x.is_none()`"),
    ] {
        told(code, word, "is Python's", help);
    }
}

#[test]
fn forms_of_python_are_told_with_rusts() {
    told("# a comment\nx", "#", "`//` does", "`// a comment`");
    told("x; # why", "#", "`//` does", "`// why`");
    let block = "between `{` and `}`";
    told("for i in 0..3:\n    f(i)", ":", block, "write `for i in 0..3 {`");
    told("if x.dim() > 1:\n    f()", ":", block, "write `if x.dim() > 1 {`");
    told("while true:\n    f()\nelse:\n    g()", ":", block, "write `while true {`");
    told("try:\n    f()", ":", block, "write `try {`");
    told("f\"{x}\"", "f\"{x}\"", "`f` before a text", "`format!(\"{x}\")`");
    told("println!(f\"{x}\")", "f\"{x}\"", "`f` before a text", "the text alone");
    let list = "a list is not made by `for`";
    told("[i * 2 for i in 0..3]", "for", list, "`(0..3).map(|i| i * 2).collect::<Vec<_>>()`");
    told("sum(f(i) for i in a)", "for", list, ".map(|i| f(i))");
    told("let y = 1 if a > 2 else 3;", "if", "before both", "`if a > 2 { … } else { … }`");
    told("x @ y", "@", "`@` does not", "`x.matmul(&y)`");
    told("let d = {\"a\": 1};", "{", "not a dictionary", "HashMap::from([");
}

#[test]
fn an_index_of_python_is_told_as_rusts() {
    let message = "a tensor is not indexed by `[]`";
    for (code, index, help) in [
        ("x[:, 0]", "[:, 0]", "`.i((.., 0))`"),
        ("x[1:3]", "[1:3]", "`.i(1..3)`"),
        ("x[1:, :2]", "[1:, :2]", "`.i((1.., ..2))`"),
        ("x[1, 2]", "[1, 2]", "`.i((1, 2))`"),
        ("f(x)[0, g(1, 2)]", "[0, g(1, 2)]", "`.i((0, g(1, 2)))`"),
        ("x[::2]", "[::2]", "`.slice(dim, start, end, step)`"),
        ("x[:-1]", "[:-1]", "`.slice(dim, start, end, step)`"),
        ("x[.., 0]", "[.., 0]", "`.i((.., 0))`"),
    ] {
        told(code, index, message, help);
    }
}

#[test]
fn what_is_rust_or_only_unfinished_is_left_to_rustc() {
    for code in [
        "let and = 1; let is = and; f(is)",
        "let def = 1;\ndef",
        "struct S { a:\n  u8 }\nlet x:\n    i64 = 1;",
        "match n { a if a > 1 => 2, x @ 1..=5 => 3, _ => 4 }",
        "m!(def f(x): lambda x[:, 0] not y and z # a)",
        "#[derive(Debug)] struct S;\n#![allow(unused)]",
        "let x = [1, 2]; x[0]; f(x)[1]; [[1, 2], [3, 4]]",
        "let let = ;",
        "let x = 5",
        "f(1 2)",
        "let a = b c;",
        "if a { 1 } else { 2 }",
        "let y = x[0] + ;",
        "let r = r#\"f\"#; let b = b\"x\"; let c = c\"x\" ;",
        "x.and(y).or(z) ) (",
        "type A = u8; x.r#type(1); let b = ",
        "",
    ] {
        assert_eq!(python(code), None, "{code}");
    }
}
