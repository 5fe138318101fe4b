//! Absolute names in the lines that evcxr writes around a cell.
//!
//! evcxr writes `Ok`, `println!`, `std::panic::catch_unwind`, a variable `vars_ok`. A cell may give
//! these names a meaning of its own, and then it does not compile. So each of evcxr's lines becomes
//! one that means the same whatever the cells define: `::std::…`, or a reserved name. The lines are
//! fixed texts at known places before and behind the cell's own code, which stays as it is. No line
//! moves.

use crate::static_lifetimes::with_static_lifetimes;
use std::ops::Range;

/// How the function that holds a cell begins.
pub const ENTRY: &str = "pub extern \"C\" fn run_user_code_";
/// How the function begins in which evcxr has rust-analyzer, and `cargo check`, see a cell.
const ANALYSIS: &str = "async fn evcxr_analysis_wrapper(";
/// Where evcxr's conversion of errors begins.
const CONVERSION: &str = "            struct EvcxrUserCodeError {}";
/// How a variable is checked and stored.
const CHECK: &str = "vars_ok &= evcxr_variable_store.check_variable::<";
pub const TAKE: &str = " = evcxr_variable_store.take_variable::<";
/// How a variable is stored; the variable's type follows, then [`NAMED`].
pub const PUT: &str = "evcxr_variable_store.put_variable::<";
const NAMED: &str = ">(stringify!(";

/// Lines of the conversion of errors, in parts.
const IN_CONVERSION: [(&str, &str); 6] = [
    ("impl<T: std::fmt::", "impl<T: ::std::fmt::"),
    ("> From<T> for", "> ::std::convert::From<T> for"),
    ("    eprintln!(", "    ::std::eprintln!("),
    ("    println!(", "    ::std::println!("),
    ("from(error: T)", "from(evcxr_error: T)"),
    (", error);", ", evcxr_error);"),
];

/// Lines before the cell's own code.
const BEFORE: [(&str, &str); 14] = [
    (
        "mut x: *mut std::os::raw::c_void) -> *mut std::os::raw::c_void {x}",
        "mut evcxr_x: *mut ::std::os::raw::c_void) -> *mut ::std::os::raw::c_void {evcxr_x}",
    ),
    ("mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)", ""),
    ("  -> *mut evcxr_internal_runtime::VariableStore {", ""),
    ("if evcxr_variable_store.is_null() {", ""),
    ("  evcxr_variable_store = evcxr_internal_runtime::create_variable_store();", ""),
    ("}", ""),
    ("let evcxr_variable_store = unsafe {&mut *evcxr_variable_store};", ""),
    (
        "evcxr_variable_store: *mut u8) -> *mut u8 {",
        "evcxr_variable_store: *mut ::std::primitive::u8) -> *mut ::std::primitive::u8 {",
    ),
    ("{let mut vars_ok = true;", "{let mut evcxr_vars_ok = true;"),
    (
        "if !vars_ok {return evcxr_variable_store;}}",
        "if !evcxr_vars_ok {return evcxr_variable_store;}}",
    ),
    ("match std::panic::catch_unwind(", "match ::std::panic::catch_unwind("),
    ("  std::panic::AssertUnwindSafe(||{", "  ::std::panic::AssertUnwindSafe(||{"),
    ("if std::panic::catch_unwind(||{", "if ::std::panic::catch_unwind(||{"),
    (
        "let _ = (|| -> std::result::Result<(), EvcxrUserCodeError> {",
        "let _ = (|| -> ::std::result::Result<(), EvcxrUserCodeError> {",
    ),
];

/// The lines by which a cell with `.await` enters the runtime, as `stringify!` breaks them.
const RUNTIME: [(&str, &str); 4] = [
    ("let mut mutex =", "let mut evcxr_mutex ="),
    ("evcxr_variable_store.lazy_arc(\"evcxr_tokio_runtime\", ||", ""),
    (
        "std::sync::Mutex::new(tokio::runtime::Runtime::new().unwrap())); match",
        "::std::sync::Mutex::new(::tokio::runtime::Runtime::new().unwrap())); match",
    ),
    (
        "mutex.lock() { Ok(guard) => guard, Err(poisoned) => poisoned.into_inner(), }",
        "evcxr_mutex.lock() { ::std::result::Result::Ok(evcxr_guard) => evcxr_guard, \
         ::std::result::Result::Err(evcxr_poisoned) => evcxr_poisoned.into_inner(), }",
    ),
];

/// The lines behind the cell's own code that catch its panics, with variables and without.
const CATCH: [&[(&str, &str)]; 2] = [
    &[
        ("})) { ", ""),
        ("  Ok(_) => {}", "  ::std::result::Result::Ok(_) => {}"),
        ("  Err(_) => {", "  ::std::result::Result::Err(_) => {"),
        NOTIFICATION,
        ("}}", ""),
    ],
    &[("}).is_err() {", ""), NOTIFICATION, ("}", "")],
];
const NOTIFICATION: (&str, &str) = (
    "    println!(\"EVCXR_PANIC_NOTIFICATION\");",
    "    ::std::println!(\"EVCXR_PANIC_NOTIFICATION\");",
);
/// The end of a cell with `?`, of one with `.await` and `?`, and of one with `.await`.
const RESULT: [&[(&str, &str)]; 3] = [
    &[("Ok(())})();", "::std::result::Result::Ok(())})();")],
    &[
        (
            "Ok::<(), EvcxrUserCodeError>(())",
            "::std::result::Result::Ok::<(), EvcxrUserCodeError>(())",
        ),
        ("});", ""),
    ],
    &[("});", "")],
];

/// evcxr's own way to show a value, as `stringify!` breaks its lines.
pub const SEND: &str = r##"fn evcxr_send_text_plain(text: &str)
{
    use std::io::Write; use std::io::{self}; fn try_send_text(text: &str) ->
    io::Result<()>
    {
        let stdout = io::stdout(); let mut output = stdout.lock();
        output.write_all(b"EVCXR_BEGIN_CONTENT text/plain\n")?;
        output.write_all(text.as_bytes())?;
        output.write_all(b"\nEVCXR_END_CONTENT\n")?; Ok(())
    } if let Err(error) = try_send_text(text)
    {
        eprintln!("Failed to send content to parent: {:?}", error);
        std::process::exit(1);
    }
}
"##;
/// The same with absolute names, in as many lines.
const ABSOLUTE_SEND: &str = r##"fn evcxr_send_text_plain(evcxr_text: &::std::primitive::str)
{
    fn evcxr_try_send_text(evcxr_text: &::std::primitive::str) ->
    ::std::io::Result<()>
    {
        let mut evcxr_output = ::std::io::stdout().lock();
        ::std::io::Write::write_all(&mut evcxr_output, b"EVCXR_BEGIN_CONTENT text/plain\n")?;
        ::std::io::Write::write_all(&mut evcxr_output, evcxr_text.as_bytes())?;
        ::std::io::Write::write_all(&mut evcxr_output, b"\nEVCXR_END_CONTENT\n")
    } if let ::std::result::Result::Err(evcxr_error) = evcxr_try_send_text(evcxr_text)
    {
        ::std::eprintln!("Failed to send content to parent: {:?}", evcxr_error);
        ::std::process::exit(1);
    }
}
"##;
/// How it is called.
const SENT: (&str, &str) =
    ("evcxr_send_text_plain(&format!(", "evcxr_send_text_plain(&::std::format!(");

/// `source`, written by evcxr, with absolute names in evcxr's own lines.
pub fn absolute(source: &str) -> String {
    let source = source.replacen(SEND, ABSOLUTE_SEND, 1);
    let mut lines: Vec<String> = source.split('\n').map(str::to_owned).collect();
    let last = |start: &str| lines.iter().rposition(|line| line.starts_with(start));
    if let Some(entry) = last(ENTRY) {
        in_conversion(&mut lines[..entry]);
        let (_, function) = lines.split_at_mut(entry + 1);
        let start = before(function);
        let cell = &mut function[start..];
        let end = behind(cell);
        for line in &mut cell[..end] {
            if line.contains(SENT.0) {
                *line = line.replace(SENT.0, SENT.1);
            }
        }
    } else if let Some(entry) = last(ANALYSIS) {
        in_conversion(&mut lines[..entry]);
        let result = ") -> Result<(), EvcxrUserCodeError> {";
        let (_, function) = lines.split_at_mut(entry + 1);
        if let Some(line) = function.iter_mut().find(|line| *line == result) {
            *line = ") -> ::std::result::Result<(), EvcxrUserCodeError> {".to_owned();
        }
        let arguments = function.iter_mut().take_while(|line| !line.starts_with(") -> "));
        for argument in arguments {
            *argument = with_static_lifetimes(argument);
        }
        if let Some(line) = function.iter_mut().rfind(|line| *line == "Ok(())") {
            *line = "::std::result::Result::Ok(())".to_owned();
        }
    }
    lines.join("\n")
}

/// The lines, from 0, that the cell itself has in `source`, written by evcxr.
pub fn lines_of_cell(source: &str) -> Option<Range<usize>> {
    let mut lines: Vec<String> = source.split('\n').map(str::to_owned).collect();
    let entry = lines.iter().rposition(|line| line.starts_with(ENTRY))?;
    let function = &mut lines[entry + 1..];
    let start = before(function);
    let end = start + behind(&mut function[start..]);
    Some(entry + 1 + start..entry + 1 + end)
}

/// What stands for `line` in `table`, if that has it.
fn known(table: &[(&'static str, &'static str)], line: &str) -> Option<&'static str> {
    let (from, to) = table.iter().find(|(from, _)| *from == line)?;
    Some(if to.is_empty() { from } else { to })
}

fn in_conversion(lines: &mut [String]) {
    let Some(start) = lines.iter().rposition(|line| line == CONVERSION) else { return };
    for line in lines[start..].iter_mut().take(9) {
        for (from, to) in IN_CONVERSION {
            *line = line.replacen(from, to, 1);
        }
    }
}

/// Rewrites the lines before the cell's own code, and returns how many they are.
fn before(lines: &mut [String]) -> usize {
    let mut at = 0;
    while at < lines.len() {
        if is_runtime(&lines[at..]) {
            for (line, (_, to)) in lines[at..].iter_mut().zip(RUNTIME) {
                if !to.is_empty() {
                    *line = to.to_owned();
                }
            }
            // Behind it stands `.block_on(async {`.
            at += RUNTIME.len() + 1;
            continue;
        }
        let line = &lines[at];
        if let Some(to) = known(&BEFORE, line) {
            lines[at] = to.to_owned();
        } else if line.starts_with(CHECK) || line.starts_with("let ") && line.contains(TAKE) {
            lines[at] = line.replacen("vars_ok &=", "evcxr_vars_ok &=", 1);
            // A type that the person has written may have several lines.
            while !lines[at].ends_with("));") && at + 1 < lines.len() {
                at += 1;
            }
            with_absolute_stringify(&mut lines[at]);
        } else {
            return at;
        }
        at += 1;
    }
    at
}

fn is_runtime(lines: &[String]) -> bool {
    lines.len() > RUNTIME.len() && lines.iter().zip(RUNTIME).all(|(line, (from, _))| line == from)
}

/// Rewrites the lines behind the cell's own code, and returns where they begin.
fn behind(lines: &mut [String]) -> usize {
    let mut end = lines.len();
    for line in ["", "}", "evcxr_variable_store"] {
        end -= usize::from(end > 0 && lines[end - 1] == line);
    }
    end = puts(&mut lines[..end]);
    end = first_of(&CATCH, &mut lines[..end]);
    end = first_of(&RESULT, &mut lines[..end]);
    puts(&mut lines[..end])
}

/// Rewrites what ends `lines`, if that is one of `blocks`, and returns where it begins.
fn first_of(blocks: &[&[(&'static str, &'static str)]], lines: &mut [String]) -> usize {
    let end = lines.len();
    let is_end = |block: &&&[(&str, &str)]| {
        let last = &lines[end.saturating_sub(block.len())..];
        last.len() == block.len() && last.iter().zip(block.iter()).all(|(line, it)| line == it.0)
    };
    let Some(block) = blocks.iter().find(is_end) else { return end };
    let start = end - block.len();
    for line in &mut lines[start..] {
        if let Some(to) = known(block, line) {
            *line = to.to_owned();
        }
    }
    start
}

/// Rewrites the statements that store variables at the end of `lines`, and returns where they begin.
fn puts(lines: &mut [String]) -> usize {
    let mut end = lines.len();
    while let Some(first) = put(&lines[..end]) {
        with_absolute_stringify(&mut lines[end - 1]);
        end = first;
    }
    end
}

/// Where the statement begins that ends `lines`, if it stores a variable.
fn put(lines: &[String]) -> Option<usize> {
    lines.last().filter(|line| line.contains(NAMED) && line.ends_with(");"))?;
    lines.iter().rposition(|line| line.starts_with(PUT))
}

fn with_absolute_stringify(line: &mut String) {
    if let Some(at) = line.rfind("(stringify!(") {
        line.insert_str(at + 1, "::std::");
    }
}

#[cfg(test)]
mod tests;
