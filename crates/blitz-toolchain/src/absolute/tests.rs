//! Sources as evcxr writes them, and what becomes of them.

use super::*;

/// A cell with everything that evcxr writes around one, whose own code stands between `open` and
/// `close`.
fn source(open: &str, close: &str) -> String {
    format!(
        r#"#![allow(unused_imports, unused_mut, dead_code)]
fn own() -> Option<i32> {{
    println!("own");
    Ok(())
}}

            struct EvcxrUserCodeError {{}}
            impl<T: std::fmt::Display> From<T> for EvcxrUserCodeError {{
                fn from(error: T) -> Self {{
                    eprintln!("{{}}", error);
                    println!("{{}}", evcxr_internal_runtime::USER_ERROR_OCCURRED);
                    EvcxrUserCodeError {{}}
                }}
            }}
        
mod evcxr_internal_runtime {{
}}
#[unsafe(no_mangle)]
pub extern "C" fn run_user_code_3(
mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)
  -> *mut evcxr_internal_runtime::VariableStore {{
if evcxr_variable_store.is_null() {{
  evcxr_variable_store = evcxr_internal_runtime::create_variable_store();
}}
let evcxr_variable_store = unsafe {{&mut *evcxr_variable_store}};
{{let mut vars_ok = true;
vars_ok &= evcxr_variable_store.check_variable::<Vec<i32>>(stringify!(v));
vars_ok &= evcxr_variable_store.check_variable::<Vec<
    i32,
>>(stringify!(w));
if !vars_ok {{return evcxr_variable_store;}}}}
let mut v = evcxr_variable_store.take_variable::<Vec<i32>>(stringify!(v));
let w = evcxr_variable_store.take_variable::<Vec<
    i32,
>>(stringify!(w));
match std::panic::catch_unwind(
  std::panic::AssertUnwindSafe(||{{
{open}
{USER}
evcxr_variable_store.put_variable::<Vec<
    i32,
>>(stringify!(x), x);
{close}
}})) {{ 
  Ok(_) => {{}}
  Err(_) => {{
    println!("EVCXR_PANIC_NOTIFICATION");
}}}}
evcxr_variable_store.put_variable::<Vec<i32>>(stringify!(v), v);
evcxr_variable_store
}}
"#
    )
}

/// A person's code that looks like evcxr's.
const USER: &str = "let x = stringify!(a);
match std::panic::catch_unwind(|| println!(\"b\")) {
  Ok(_) => {}
  Err(_) => {
    println!(\"EVCXR_PANIC_NOTIFICATION\");
}}
run(|| {
Ok(())
});";

/// Whether a line has a name that is neither absolute nor reserved.
fn has_open_name(line: &str) -> bool {
    let names =
        ["std::", "Ok(", "Ok:", "Err(", "println!", "stringify!", "vars_ok", "mutex", "From<"];
    let is_open = |before: &str| {
        !["::", "evcxr_", "::e", "internal_"].iter().any(|end| before.ends_with(end))
    };
    names.iter().any(|name| line.match_indices(name).any(|(at, _)| is_open(&line[..at])))
}

#[test]
fn evcxrs_names_become_absolute_and_the_persons_code_stays() {
    let runtime = RUNTIME.map(|(from, _)| from).join("\n") + "\n.block_on(async {";
    let ends = [
        ("let _ = (|| -> std::result::Result<(), EvcxrUserCodeError> {", "Ok(())})();"),
        (&runtime, "Ok::<(), EvcxrUserCodeError>(())\n});"),
        (&runtime, "});"),
    ];
    for (open, close) in ends {
        let source = source(open, close);
        let rewritten = absolute(&source);
        assert_eq!(rewritten.lines().count(), source.lines().count());
        assert!(rewritten.contains(USER), "{rewritten}");
        let evcxrs = rewritten.replace(USER, "");
        let own = evcxrs.find("            struct Evcxr").expect("the conversion");
        assert!(source.starts_with(&rewritten[..own]), "items stay");
        for line in evcxrs[own..].lines() {
            assert!(!has_open_name(line), "{line}");
        }
    }
}

#[test]
fn a_cell_without_variables_and_one_that_is_only_looked_at() {
    let plain = "#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_0(\n\
        evcxr_variable_store: *mut u8) -> *mut u8 {\nif std::panic::catch_unwind(||{\nOk(())\n\
        }).is_err() {\n    println!(\"EVCXR_PANIC_NOTIFICATION\");\n}\nevcxr_variable_store\n}\n";
    let expected = plain
        .replace("*mut u8", "*mut ::std::primitive::u8")
        .replace("if std::", "if ::std::")
        .replace("println!", "::std::println!");
    assert_eq!(absolute(plain), expected);
    let looked_at = "async fn evcxr_analysis_wrapper(\nx: &str,\n\
        ) -> Result<(), EvcxrUserCodeError> {\nOk(())\n;\nevcxr_variable_store(x);\nOk(())\n}\n";
    let expected = "x: &'static str,\n) -> ::std::result::Result<(), EvcxrUserCodeError> {\nOk(())\n;\n\
        evcxr_variable_store(x);\n::std::result::Result::Ok(())\n}\n";
    assert!(absolute(looked_at).ends_with(expected));
    assert_eq!(absolute("fn main() {}"), "fn main() {}");
}

#[test]
fn what_evcxr_shows_itself_is_sent_with_absolute_names() {
    let call = "evcxr_send_text_plain(&format!(\"{:?}\",&(\nx\n)));\n";
    let source = source(&format!("{SEND}{call}"), "");
    let rewritten = absolute(&source);
    assert_eq!(rewritten.lines().count(), source.lines().count());
    assert!(rewritten.contains(ABSOLUTE_SEND), "{rewritten}");
    assert!(rewritten.contains("evcxr_send_text_plain(&::std::format!("), "{rewritten}");
}
