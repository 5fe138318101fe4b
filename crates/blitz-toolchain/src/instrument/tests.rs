//! What the additions do in a program.

use super::*;
use std::path::Path;
use std::process::Command;

/// evcxr's conversion of errors, with absolute names.
const CONVERSION: &str = r#"
            struct EvcxrUserCodeError {}
            impl<T: ::std::fmt::Display> ::std::convert::From<T> for EvcxrUserCodeError {
                fn from(evcxr_error: T) -> Self {
                    ::std::eprintln!("{}", evcxr_error);
                    ::std::println!("{}", evcxr_internal_runtime::USER_ERROR_OCCURRED);
                    EvcxrUserCodeError {}
                }
            }
        "#;
/// The frame of evcxr's module of variables.
const MODULE: &str = "mod evcxr_internal_runtime {
pub const USER_ERROR_OCCURRED: &str = \"EVCXR_ERROR_OCCURRED\";
pub struct VariableStore {}
impl VariableStore { fn new() -> Self { VariableStore {} } }
pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::new(VariableStore::new()))
}
}
";

/// What a program prints that is instrumented and compiled.
fn printed(dir: &Path, source: &str) -> String {
    let (file, program) = (dir.join("lib.rs"), dir.join("program"));
    std::fs::write(&file, source).expect("the source is written");
    let mut rustc = Command::new("rustc");
    let rustc = rustc.args(["--edition=2024", "--cap-lints=allow", "-o"]).arg(&program).arg(file);
    let output = rustc.output().expect("rustc runs");
    assert!(output.status.success(), "{}\n{source}", String::from_utf8_lossy(&output.stderr));
    let output = Command::new(program).output().expect("the program runs");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn values_show_themselves_or_their_debug_form_and_unit_nothing() {
    let source = "struct Own;
impl Own { fn evcxr_display(&self) { println!(\"own\"); } }
fn main() {
(
Own
).evcxr_display();
(
&Own
).evcxr_display();
(
vec![1, 2]
).evcxr_display();
(
\"text\"
).evcxr_display();
(
println!(\"side effect\")
).evcxr_display();
}
";
    let instrumented = instrument(source, true);
    assert!(instrumented.starts_with(source), "no line moves");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let block = |text: &str| format!("EVCXR_BEGIN_CONTENT text/plain\n{text}\nEVCXR_END_CONTENT\n");
    let expected = format!("own\nown\n{}{}side effect\n", block("[1, 2]"), block("\"text\""));
    assert_eq!(printed(dir.path(), &instrumented), expected);
}

/// A stand-in for the two crates, which programs here are compiled without.
const CRATES: &str = "
mod blitz {
    pub mod tch { #[derive(Debug)] pub struct Tensor; }
    pub mod tensor {
        pub mod repr {
            pub struct Repr;
            impl Repr { pub fn evcxr_display(&self) { println!(\"as PyTorch prints it\"); } }
            pub fn repr(_: &super::super::tch::Tensor) -> Repr { Repr }
        }
    }
    pub mod prelude {
        pub use super::tch::Tensor;
        pub trait EvcxrDisplay { fn evcxr_display(&self); }
        impl EvcxrDisplay for Tensor { fn evcxr_display(&self) { println!(\"as the prelude does\"); } }
        pub struct Own;
        impl Own { pub fn evcxr_display(&self) { println!(\"own\"); } }
    }
}
";

#[test]
fn tensors_are_shown_as_pytorch_prints_them_with_the_prelude_and_without() {
    let values = "fn main() {
let mut x = Tensor;
(
x
).evcxr_display();
(
&x
).evcxr_display();
(
&mut x
).evcxr_display();
(
Own
).evcxr_display();
(
[Some(x)]
).evcxr_display();
(
\"a b\".split(' ').count() + 1
).evcxr_display();
(
()
).evcxr_display();
}
";
    let dir = tempfile::tempdir().expect("a temporary directory");
    for import in ["prelude::*", "prelude::{Own, Tensor}"] {
        let source = format!("{CRATES}use blitz::{import};\n{values}");
        let instrumented = instrument(&source, true);
        let unmoved = instrumented.replace(SHOW_TENSOR, SHOW);
        assert!(unmoved.starts_with(&source), "no line moves");
        let local = instrumented.replace("::blitz::", "blitz::");
        let block =
            |text: &str| format!("EVCXR_BEGIN_CONTENT text/plain\n{text}\nEVCXR_END_CONTENT\n");
        let tensors = "as PyTorch prints it\n".repeat(3);
        let expected = format!("{tensors}own\n{}{}", block("[Some(Tensor)]"), block("3"));
        assert_eq!(printed(dir.path(), &local), expected, "{import}");
    }
}

#[test]
fn only_cells_that_name_the_crates_load_them() {
    let source = |code: &str| format!("fn f() {{\n{code}\n(\n1\n).evcxr_display();\n}}\n");
    for code in ["match 1 { _ => {} }", "let blitzen = 1;", "let _tch = 1;"] {
        assert!(!instrument(&source(code), true).contains("::blitz::"), "{code}");
    }
    for code in ["let x: tch::Tensor = y;", "use blitz::prelude::*;"] {
        assert!(instrument(&source(code), true).contains("::blitz::"), "{code}");
    }
}

#[test]
fn an_error_is_reported_with_the_line_that_it_left() {
    let main = "fn main() {
let _ = (|| -> std::result::Result<(), EvcxrUserCodeError> {
let n: i32 = \"7\".parse::<i32>()?;

\"seven\".parse::<i32>()?;
Ok(())})();
}";
    let source = format!("{CONVERSION}{MODULE}{main}");
    let line = source.lines().position(|line| line.starts_with("\"seven\"")).expect("the line");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let expected = format!(
        "\u{1e}blitz-error {} core::num::error::ParseIntError 29\n\
         invalid digit found in string\nEVCXR_ERROR_OCCURRED\n",
        line + 1
    );
    assert_eq!(printed(dir.path(), &instrument(&source, true)), expected);
    let debug =
        source.replace("Display", "Debug").replace("eprintln!(\"{}\"", "eprintln!(\"{:?}\"");
    let printed = printed(dir.path(), &instrument(&debug, true));
    assert!(printed.contains("36\nParseIntError { kind: InvalidDigit }\n"), "{printed}");
}

#[test]
fn the_library_takes_the_place_of_the_module_and_no_line_moves() {
    let source = format!("#![allow(dead_code)]\n{MODULE}fn last() {{}}\n");
    let instrumented = with_store_of_library(&source).expect("the module");
    assert_eq!(instrumented.lines().count(), source.lines().count());
    assert_eq!(instrumented.lines().last(), source.lines().last());
    assert!(instrumented.contains("pub use ::blitz_variable_store::*;"), "{instrumented}");
    assert!(!instrumented.contains("Box::into_raw"), "{instrumented}");
}

#[test]
fn what_is_not_evcxrs_stays_as_it_is() {
    let sources = [
        "fn main() {}\n",
        "struct EvcxrUserCodeError {}\nimpl From<i32> for EvcxrUserCodeError {}\n",
        "mod evcxr_internal_runtime {\n}\n",
    ];
    for source in sources {
        assert_eq!(instrument(source, true), source);
    }
    // evcxr shows in its own way after `:fmt`.
    let shown = "fn f() {\n(\n1\n).evcxr_display();\n}\n";
    assert_eq!(instrument(shown, false), shown);
}
