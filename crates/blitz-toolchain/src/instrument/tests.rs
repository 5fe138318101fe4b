//! What the additions do in a program.

use super::*;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

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

/// Compiles `source`, with what was compiled into `dir` before at hand.
fn compile(dir: &Path, source: &Path, args: &[&str]) {
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--cap-lints=allow", "--out-dir"]).arg(dir).arg("-L").arg(dir);
    let output = rustc.args(args).arg(source).output().expect("rustc runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let file = dir.join(name);
    std::fs::write(&file, text).expect("a source is written");
    file
}

/// A directory with the crates that cells call, and stand-ins for those that hold tensors.
fn libraries() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let dir_path = dir.path();
    for (name, text) in blitz_cells::SUPPORT {
        write(dir_path, name, text);
    }
    let root = dir_path.join(blitz_cells::SUPPORT[0].0);
    compile(dir_path, &root, &["--crate-type=rlib", "--crate-name", aids::SUPPORT]);
    // Without the types of the crates themselves, of which it has instances.
    write(dir_path, "instances.rs", "");
    let prepared = blitz_cells::PREPARED[0].1;
    for (name, text) in [("tch", TCH), ("blitz", BLITZ), (aids::PREPARED, prepared)] {
        let source = write(dir_path, &format!("{name}.rs"), text);
        let held = aids::SUPPORT;
        let externs = ["--extern", held, "--extern", "tch", "--extern", "blitz"];
        let count = if name == "tch" {
            0
        } else if name == "blitz" {
            4
        } else {
            6
        };
        compile(dir_path, &source, &[&["--crate-type=rlib"][..], &externs[..count]].concat());
    }
    dir
}

/// What a program prints that is instrumented and compiled.
fn printed(dir: &Path, source: &str, library: &str) -> String {
    let file = write(dir, "program.rs", source);
    compile(dir, &file, &["--crate-type=bin", "--extern", library, "--extern", "blitz"]);
    let output = Command::new(dir.join("program")).output().expect("the program runs");
    String::from_utf8(output.stdout).expect("text")
}

fn block(text: &str) -> String {
    format!("EVCXR_BEGIN_CONTENT text/plain\n{text}\nEVCXR_END_CONTENT\n")
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
    let dir = libraries();
    let expected = format!("own\nown\n{}{}side effect\n", block("[1, 2]"), block("\"text\""));
    for library in [aids::SUPPORT, aids::PREPARED] {
        let instrumented = instrument(source, library, true);
        assert!(instrumented.replace(SHOW_TENSOR, SHOW).starts_with(source), "no line moves");
        assert_eq!(printed(dir.path(), &instrumented, library), expected, "{library}");
    }
}

/// Stand-ins for the two crates, which programs here are compiled without.
const TCH: &str = "
macro_rules! types { ($($name:ident),*) => { $(#[derive(Debug)] pub struct $name;)* } }
types!(Tensor);
";
const BLITZ: &str = "
pub mod tensor {
    pub mod repr {
        pub struct Repr;
        impl Repr { pub fn evcxr_display(&self) { println!(\"as PyTorch prints it\"); } }
        impl std::fmt::Display for Repr {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { f.write_str(\"[2., 4.]\") }
        }
        pub fn repr(_: &tch::Tensor) -> Repr { Repr }
    }
}
pub mod prelude {
    pub use tch::Tensor;
    pub trait EvcxrDisplay { fn evcxr_display(&self); }
    impl EvcxrDisplay for Tensor { fn evcxr_display(&self) { println!(\"as the prelude does\"); } }
    pub struct Own;
    impl Own { pub fn evcxr_display(&self) { println!(\"own\"); } }
}
";

#[test]
fn a_tensor_of_which_rustc_learns_the_type_last_is_shown_like_others() {
    let source = "use blitz::prelude::*;
fn evcxr_send_text_plain(text: &str) { println!(\"{text}\") }
struct Twice;
impl std::ops::Mul<Twice> for f64 { type Output = Tensor; fn mul(self, _: Twice) -> Tensor { Tensor } }
fn main() {
evcxr_send_text_plain(&::std::format!(\"{:?}\",&(
2.0 * Twice
)));
evcxr_send_text_plain(&::std::format!(\"{:?}\",&(
[Tensor]
)));
}
";
    let dir = libraries();
    let shown = "use blitz::prelude::*;
struct Twice;
impl std::ops::Mul<Twice> for f64 { type Output = Tensor; fn mul(self, _: Twice) -> Tensor { Tensor } }
fn main() {
let y = 2.0 * Twice;
(
y
).evcxr_display();
}
";
    let late = shown_late(&instrument(shown, aids::PREPARED, true)).expect("it shows something");
    assert_eq!(late.lines().nth(6), Some("y"), "no line moves");
    assert_eq!(printed(dir.path(), &late, aids::PREPARED), block("[2., 4.]"));
    assert_eq!(shown_late(source), None);
    let instrumented = instrument(source, aids::PREPARED, true);
    assert_eq!(instrumented.lines().count(), source.lines().count(), "no line moves");
    assert_eq!(printed(dir.path(), &instrumented, aids::PREPARED), "[2., 4.]\n[Tensor]\n");
    assert_eq!(instrument(source, aids::SUPPORT, true), source);
}

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
    let dir = libraries();
    for import in ["prelude::*", "prelude::{Own, Tensor}"] {
        let source = format!("use blitz::{import};\n{values}");
        let instrumented = instrument(&source, aids::PREPARED, true);
        let tensors = "as PyTorch prints it\n".repeat(3);
        let expected = format!("{tensors}own\n{}{}", block("[Some(Tensor)]"), block("3"));
        assert_eq!(printed(dir.path(), &instrumented, aids::PREPARED), expected, "{import}");
    }
}

#[test]
fn only_cells_that_name_the_crates_may_have_tensors() {
    for code in ["match 1 { _ => {} }", "let blitzen = 1;", "let _tch = 1;"] {
        assert!(!may_have_tensors(code), "{code}");
    }
    for code in ["let x: tch::Tensor = y;", "use blitz::prelude::*;"] {
        assert!(may_have_tensors(code), "{code}");
        // Without the crate that shows them, that is left to evcxr.
        let cell = format!("fn f() {{\n{code}\n(\n1\n{SHOW}\n}}\n");
        assert_eq!(instrument(&cell, aids::SUPPORT, true), cell);
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
    let dir = libraries();
    let expected = format!(
        "\u{1e}blitz-error {} core::num::error::ParseIntError 29\n\
         invalid digit found in string\nEVCXR_ERROR_OCCURRED\n",
        line + 1
    );
    let instrumented = instrument(&source, aids::SUPPORT, true);
    assert!(!instrumented.contains("fn from("), "its own conversion: {instrumented}");
    assert_eq!(printed(dir.path(), &instrumented, aids::SUPPORT), expected);
    let debug =
        source.replace("Display", "Debug").replace("eprintln!(\"{}\"", "eprintln!(\"{:?}\"");
    let instrumented = instrument(&debug, aids::SUPPORT, true);
    let printed = printed(dir.path(), &instrumented, aids::SUPPORT);
    assert!(printed.contains("36\nParseIntError { kind: InvalidDigit }\n"), "{printed}");
}

#[test]
fn the_library_takes_the_place_of_the_module_and_no_line_moves() {
    let source = format!("#![allow(dead_code)]\n{MODULE}fn last() {{}}\n");
    let instrumented = with_store_of_library(&source, "the_library").expect("the module");
    assert_eq!(instrumented.lines().count(), source.lines().count());
    assert_eq!(instrumented.lines().last(), source.lines().last());
    assert!(instrumented.contains("pub use ::the_library::*;"), "{instrumented}");
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
        assert_eq!(instrument(source, aids::SUPPORT, true), source);
    }
    // evcxr shows in its own way after `:fmt`.
    let shown = "fn f() {\n(\n1\n).evcxr_display();\n}\n";
    assert_eq!(instrument(shown, aids::SUPPORT, false), shown);
}
