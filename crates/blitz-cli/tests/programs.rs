//! `cargo blitz programs`: what the programs of small notebooks do, compiled against a stand-in for the
//! crate `blitz`. (`cargo blitz test programs` compiles and runs those of the pages.)

mod common;

use common::{blitz, printed, run, write_notebook};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What a program needs of the crate `blitz`.
const STAND_IN: &str = r#"
pub mod program {
    use std::error::Error;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    #[derive(Default)]
    pub struct ProgramOptions;
    pub fn begin(_: ProgramOptions) -> Result<(), Box<dyn Error>> { Ok(()) }
    pub fn fails(cell: impl FnOnce() -> Result<(), Box<dyn Error>>) {
        match catch_unwind(AssertUnwindSafe(cell)) {
            Ok(ended) => println!("{ended:?}"),
            Err(_) => println!("a panic"),
        }
    }
}
#[macro_export]
macro_rules! show { ($value:expr) => { println!("{:?}", $value) } }
"#;

/// The program of a notebook of these cells, and all that the command said.
fn program(dir: &Path, name: &str, cells: &[&str]) -> (Option<i32>, String, String) {
    let notebook = write_notebook(dir, name, cells);
    written(dir, &notebook)
}

fn written(dir: &Path, notebook: &Path) -> (Option<i32>, String, String) {
    let to = dir.join("programs");
    let (code, text) = run(blitz().arg("programs").arg(notebook).arg("--to").arg(&to));
    let stem = notebook.file_stem().expect("a name").to_string_lossy().replace(' ', "_");
    let source = fs::read_to_string(to.join(format!("{stem}.rs"))).unwrap_or_default();
    (code, text, source)
}

/// What the program prints.
fn printed_by(dir: &Path, source: &str) -> String {
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).expect("writable");
    let rustc = |arguments: &[&str]| {
        let mut rustc = Command::new("rustc");
        let output = rustc.current_dir(dir).args(["--edition", "2024"]).args(arguments).output();
        let output = output.expect("rustc runs");
        assert!(output.status.success(), "{}\n{source}", printed(&output));
    };
    write("blitz.rs", STAND_IN);
    write("main.rs", source);
    rustc(&["--crate-type", "rlib", "blitz.rs"]);
    rustc(&["--extern", "blitz=libblitz.rlib", "main.rs"]);
    let output = Command::new(dir.join("main")).output().expect("the program runs");
    assert!(output.status.success(), "{}", printed(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn cells_follow_each_other_and_their_values_are_printed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let folder = dir.path().join("a folder with spaces");
    fs::create_dir(&folder).expect("writable");
    let cells = [
        ":dep rand = \"1\"\nuse std::fmt::Write;\nlet text = \"two\n lines\";",
        "fn double(x: i32) -> i32 {\n    2 * x\n}\nlet x = double(3);\nx",
        "let mut y = String::new();\nwrite!(y, \"{text}\")?;\ny // shown",
        "let x = if x > 1 { 5 } else { 6 };\nprintln!(\"{x}\")",
    ];
    let (code, text, source) = program(&folder, "my page.ipynb", &cells);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("cargo run --bin my_page"), "{text}");
    assert!(source.contains("// :dep rand = \"1\"\nuse std::fmt::Write;\n\nfn main()"), "{source}");
    assert_eq!(printed_by(&folder, &source), "6\n\"two\\n lines\"\n5\n");
}

#[test]
fn a_name_may_be_defined_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let cells = [
        "use std::fmt::Debug;\n#[derive(Debug)]\nstruct A(i32);\nimpl A { fn get(&self) -> i32 { self.0 } }",
        "fn f() -> i32 { 1 }\nlet a = A(f());\na.get()",
        "use std::fmt::Debug;\n#[derive(Debug)]\nstruct A(i32, i32);\nimpl A { fn get(&self) -> i32 { self.1 } }",
        "fn f() -> i32 { 7 }\nlet b = A(f(), f() + a.0);\nb.get()",
    ];
    let (code, text, source) = program(dir.path(), "again.ipynb", &cells);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(printed_by(dir.path(), &source), "1\n8\n");
}

#[test]
fn what_a_program_cannot_have_twice_is_named_with_its_cell() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (cells, expected) in [
        (
            [
                "struct A;\nimpl Clone for A { fn clone(&self) -> A { A } }",
                "",
                "impl Clone for A { fn clone(&self) -> A { A } }",
            ],
            "implements `Clone` for `A` again",
        ),
        (
            ["fn f() -> i32 { 1 }", "fn g() -> i32 { f() }", "fn f() -> i32 { 2 }"],
            "defines `f` again, which `g` above calls",
        ),
    ] {
        let (code, text, _) = program(dir.path(), "twice.ipynb", &cells);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(expected) && text.contains("twice: cell 3 (third)"), "{text}");
    }
}

#[test]
fn a_cell_that_is_no_rust_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (code, text, source) = program(dir.path(), "torn.ipynb", &["let x = 1;", "let y = (x;"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("torn: cell 2 (second) `let y = (x;`"), "{text}");
    assert!(source.is_empty(), "nothing is written");
}

#[test]
fn an_empty_notebook_is_a_program_that_does_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (code, text, source) = program(dir.path(), "empty.ipynb", &[]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(printed_by(dir.path(), &source), "");
}

#[test]
fn a_cell_that_is_to_fail_does_not_end_the_program() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let error = |name: &str| json!([{"output_type": "error", "ename": name, "evalue": "", "traceback": []}]);
    let cell = |source: &str, tags: &[&str], outputs: serde_json::Value| {
        json!({"cell_type": "code", "id": source, "metadata": {"tags": tags}, "source": source,
               "execution_count": 1, "outputs": outputs})
    };
    let tags = ["raises-exception"];
    let notebook = json!({"metadata": {}, "nbformat": 4, "nbformat_minor": 5, "cells": [
        cell("let x = vec![1];", &[], json!([])),
        cell("x[5];", &tags, error("panic")),
        cell("let y: i32 = \"a\".parse()?;", &tags, error("ParseIntError")),
        cell("let z: i32 = \"a\";", &tags, error("compile error")),
        cell("x", &[], json!([])),
    ]});
    let path = dir.path().join("fails.ipynb");
    fs::write(&path, notebook.to_string()).expect("writable");
    let (code, text, source) = written(dir.path(), &path);
    assert_eq!(code, Some(0), "{text}");
    assert!(source.contains("// let z: i32 = \"a\";"), "{source}");
    assert_eq!(
        printed_by(dir.path(), &source),
        "a panic\nErr(ParseIntError { kind: InvalidDigit })\n[1]\n"
    );
}
