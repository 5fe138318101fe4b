//! What the kernel adds to the source that evcxr generates. No line moves, so that every line
//! number in a diagnostic, a panic or a backtrace is that of evcxr's own source.

use crate::aids;
use crate::messages::{all_errors_are, diagnostics};
use serde_json::Value;

/// The end of evcxr's statement that shows a cell's last expression.
const SHOW: &str = ").evcxr_display();";
/// Its beginning.
const OPENING: &str = "(";
/// Where evcxr's conversion of errors begins, which `?` calls.
const ERROR_TYPE: &str = "struct EvcxrUserCodeError {}";

/// What [`SHOW`] becomes where tensors are shown as PyTorch prints them: [`aids::PREPARED`] has the method.
const SHOW_TENSOR: &str = ").evcxr_shown().evcxr_display();";
/// How evcxr begins its statement that shows the expression in its debug form.
const SHOW_DEBUG: &str = "evcxr_send_text_plain(&::std::format!(\"{:?}\",&(";
/// What that becomes there: a tensor comes to it whose type rustc learns last, as that of `2.0 * &x`.
const SHOW_TEXT: &str = "evcxr_send_text_plain(&::blitz_prepared::shown(&(";
/// evcxr's conversion of errors by their usual form, with absolute names.
const CONVERSION: &str = "            struct EvcxrUserCodeError {}
            impl<T: ::std::fmt::Display> ::std::convert::From<T> for EvcxrUserCodeError {
                fn from(evcxr_error: T) -> Self {
                    ::std::eprintln!(\"{}\", evcxr_error);
                    ::std::println!(\"{}\", evcxr_internal_runtime::USER_ERROR_OCCURRED);
                    EvcxrUserCodeError {}
                }
            }
";

/// The beginning and the end of evcxr's module of variables.
const STORE: (&str, &str) = (
    "\nmod evcxr_internal_runtime {\n",
    "\n    Box::into_raw(Box::new(VariableStore::new()))\n}\n}\n",
);

/// The source, in which evcxr's lines have absolute names, with what the kernel puts in their place: names
/// of the crate `library`, one of those of [`aids`]. `shows` is whether values are shown the usual way.
pub fn instrument(source: &str, library: &str, shows: bool) -> String {
    let mut instrumented = report_errors(source, library);
    // Without their crate, evcxr has to find out how to show them.
    let may_show = library == aids::PREPARED || !may_have_tensors(source);
    if shows && may_show && source.lines().any(|line| line == SHOW) {
        let mut traits = "EvcxrDebugDisplay as _".to_owned();
        if library == aids::PREPARED {
            instrumented =
                instrumented.replace(&format!("\n{SHOW}\n"), &format!("\n{SHOW_TENSOR}\n"));
            traits.push_str(", EvcxrShow as _");
        }
        instrumented.push_str(&format!("\nuse ::{library}::{{{traits}}};\n"));
    }
    if shows && library == aids::PREPARED {
        instrumented = instrumented.replace(SHOW_DEBUG, SHOW_TEXT);
    }
    instrumented
}

/// `instrumented`, a source with tensors among its values, with its last expression shown so that its type may
/// be learnt late, if it has one. That type's own way of showing itself is passed over.
pub fn shown_late(instrumented: &str) -> Option<String> {
    let mut lines: Vec<&str> = instrumented.split('\n').collect();
    let end = lines.iter().rposition(|line| *line == SHOW_TENSOR)?;
    let begin = lines[..end].iter().rposition(|line| *line == OPENING)?;
    (lines[begin], lines[end]) = ("::blitz_prepared::show_late(&(", "));");
    Some(lines.join("\n"))
}

/// Whether rustc's diagnostics, `lines`, are about types alone that it does not learn in time.
pub fn needs_types(lines: &str) -> bool {
    all_errors_are(lines, |code| matches!(code, "E0282" | "E0283"))
}

/// evcxr's line behind which the store of variables can be used.
const STORE_IS_OPEN: &str = "\nlet evcxr_variable_store = unsafe {&mut *evcxr_variable_store};\n";

/// evcxr's line where a cell has no variables.
const STORE_IS_CLOSED: &str =
    "\nevcxr_variable_store: *mut ::std::primitive::u8) -> *mut ::std::primitive::u8 {\n";

/// The source, which uses the library of the variable store, with these variables dropped before the
/// cell begins.
pub fn forget(source: &str, library: &str, variables: &[String]) -> String {
    if variables.is_empty() {
        return source.to_owned();
    }
    let line = STORE_IS_OPEN.trim_end();
    let forget = format!("forget(&{variables:?});\n");
    if source.contains(STORE_IS_OPEN) {
        return source.replacen(STORE_IS_OPEN, &format!("{line} evcxr_variable_store.{forget}"), 1);
    }
    // A cell without variables of its own has only the address.
    let line = STORE_IS_CLOSED.trim_end();
    let store = format!("(evcxr_variable_store as *mut ::{library}::VariableStore)");
    let open = format!("if let ::std::option::Option::Some(store) = unsafe {{ {store}.as_mut() }}");
    source.replacen(
        STORE_IS_CLOSED,
        &format!("{line} {open} {{ store.{} }}\n", forget.trim_end()),
        1,
    )
}

/// Whether a tensor can be among the source's values. The source has all imports, and names the
/// type of every variable. Other cells are spared the loading of the two crates, which is 80 ms of
/// rustc's time.
pub fn may_have_tensors(source: &str) -> bool {
    let mut words = source.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|word| word == "blitz" || word == "tch")
}

/// Whether rustc's diagnostics, `lines`, are about what stands there in the place of evcxr's own lines.
pub fn is_named_in(lines: &str) -> bool {
    let names_them = |text: &Value| {
        text.as_str().is_some_and(|text| text.contains("evcxr") || text.contains("Evcxr"))
    };
    let labels = |message: &Value| {
        let spans = message["spans"].as_array().into_iter().flatten();
        spans.map(|span| span["label"].clone()).collect::<Vec<_>>()
    };
    diagnostics(lines).any(|message| {
        let children = message["children"].as_array().cloned().unwrap_or_default();
        std::iter::once(&message)
            .chain(&children)
            .any(|it| names_them(&it["message"]) || labels(it).iter().any(names_them))
    })
}

/// The source with the crate `library` in the place of evcxr's module of variables, if that is there.
pub fn with_store_of_library(source: &str, library: &str) -> Option<String> {
    let (before, rest) = source.split_once(STORE.0)?;
    let (module, after) = rest.split_once(STORE.1)?;
    let count = |text: &str| text.matches('\n').count();
    let lines = "\n".repeat(count(STORE.0) + count(module) + count(STORE.1) - 1);
    Some(format!(
        "{before}\nmod evcxr_internal_runtime {{ pub use ::{library}::*; }}{lines}{after}"
    ))
}

/// Lets the conversion of an error report it instead of printing it.
fn report_errors(source: &str, library: &str) -> String {
    if source.contains(CONVERSION) {
        let lines = "\n".repeat(CONVERSION.matches('\n').count());
        let conversion = format!("use ::{library}::EvcxrUserCodeError;{lines}");
        return source.replacen(CONVERSION, &conversion, 1);
    }
    let Some(start) = source.find(ERROR_TYPE) else { return source.to_owned() };
    let (before, conversion) = source.split_at(start);
    let Some(reporting) = reporting(conversion, library) else { return source.to_owned() };
    format!("{before}{reporting}")
}

/// evcxr's conversion with the report in the place of its `eprintln!`, or `None` when it has
/// another form than expected.
fn reporting(conversion: &str, library: &str) -> Option<String> {
    let (head, rest) = conversion.split_once("fn from(evcxr_error: T) -> Self {")?;
    let (gap, rest) = rest.split_once("::std::eprintln!(")?;
    let (format, rest) = rest.split_once(", evcxr_error);")?;
    let known = gap.trim().is_empty() && ["\"{}\"", "\"{:?}\"", "\"{:#?}\""].contains(&format);
    known.then(|| {
        format!(
            "{head}#[track_caller] fn from(evcxr_error: T) -> Self {{{gap}::{library}::report_error(\
             ::std::any::type_name::<T>(), &::std::format!({format}, evcxr_error), \
             ::std::panic::Location::caller());{rest}"
        )
    })
}

#[cfg(test)]
mod tests;
