//! cargo's JSON messages around rustc's.

use crate::session::Session;
use serde_json::{Value, json};
use std::path::Path;

/// The name of the crate that evcxr builds cells in.
pub const CRATE: &str = "ctx";

/// rustc's diagnostics, one of `lines` each.
pub fn diagnostics(lines: &str) -> impl Iterator<Item = Value> {
    lines.lines().filter_map(|line| serde_json::from_str(line).ok())
}

/// The errors among them, without the one that counts the others.
pub fn errors(lines: &str) -> impl Iterator<Item = Value> {
    diagnostics(lines).filter(|message| {
        let text = message["message"].as_str().unwrap_or_default();
        message["level"] == "error" && !text.starts_with("aborting due to ")
    })
}

/// Whether there are errors, and of each the code is one that `fits`.
pub fn all_errors_are(lines: &str, fits: impl Fn(&str) -> bool) -> bool {
    let mut errors = errors(lines).peekable();
    errors.peek().is_some() && errors.all(|it| it["code"]["code"].as_str().is_some_and(&fits))
}

/// How evcxr keeps a variable for the cells to come.
const KEEPS_VARIABLE: &str = "evcxr_variable_store.put_variable";

/// The line in which cargo passes one of rustc's on, or `None` when rustc's line is no diagnostic.
pub fn compiler_message(session: &Session, line: &str) -> Option<String> {
    let mut message: Value = serde_json::from_str(line).ok()?;
    if is_about_keeping_a_moved_variable(&message) {
        without_other_places(&mut message);
    }
    without_places_of_imports(&mut message);
    let is_diagnostic = message["$message_type"] == "diagnostic";
    is_diagnostic.then(|| wrap(session, "compiler-message", "message", message))
}

/// Whether a cell has moved a variable that evcxr wanted to keep. evcxr learns so that there is
/// nothing to keep; people do not see this error.
fn is_about_keeping_a_moved_variable(message: &Value) -> bool {
    let is_in_evcxrs_line = |span: &Value| {
        let mut lines = span["text"].as_array().into_iter().flatten();
        span["is_primary"] == true
            && lines
                .any(|line| line["text"].as_str().is_some_and(|text| text.contains(KEEPS_VARIABLE)))
    };
    message["code"]["code"] == "E0382"
        && message["spans"].as_array().is_some_and(|spans| spans.iter().any(is_in_evcxrs_line))
}

/// Leaves only the error's own place. Where the variable was moved by the cell's last expression,
/// evcxr would take the error for one of showing that, and show Debug instead of a picture.
fn without_other_places(message: &mut Value) {
    if let Some(spans) = message["spans"].as_array_mut() {
        spans.retain(|span| span["is_primary"] == true);
    }
    message["children"] = json!([]);
}

/// Takes the place from advice to import something: before the first import, which may be the person's. Of an
/// error in a cell's last expression, evcxr would show that advice alone.
fn without_places_of_imports(message: &mut Value) {
    let is_import = |span: &Value| {
        let text = span["suggested_replacement"].as_str().unwrap_or_default();
        span["byte_start"] == span["byte_end"] && text.trim_start().starts_with("use ")
    };
    for child in message["children"].as_array_mut().into_iter().flatten() {
        if let Some(spans) = child["spans"].as_array_mut() {
            spans.retain(|span| !is_import(span));
        }
    }
}

/// The line by which cargo says what it has built.
pub fn artifact(session: &Session, file: &Path) -> String {
    wrap(session, "compiler-artifact", "filenames", json!([file]))
}

/// The line with which cargo's messages end.
pub fn finished(is_success: bool) -> String {
    json!({ "reason": "build-finished", "success": is_success }).to_string()
}

/// The error of a compilation that was cancelled.
pub fn cancelled(session: &Session) -> String {
    failed(session, "compilation cancelled")
}

/// An error that is not rustc's, in the form of one that is.
pub fn failed(session: &Session, message: &str) -> String {
    let diagnostic = json!({
        "$message_type": "diagnostic",
        "message": message,
        "code": null,
        "level": "error",
        "spans": [],
        "children": [],
        "rendered": format!("error: {message}\n"),
    });
    wrap(session, "compiler-message", "message", diagnostic)
}

fn wrap(session: &Session, reason: &str, key: &str, value: Value) -> String {
    let dir = &session.build_dir;
    let mut line = json!({
        "reason": reason,
        "package_id": format!("path+file://{}#{CRATE}@1.0.0", dir.display()),
        "manifest_path": dir.join("Cargo.toml"),
        "target": {
            "kind": ["cdylib"],
            "crate_types": ["cdylib"],
            "name": CRATE,
            "src_path": dir.join("src/lib.rs"),
            "edition": "2024",
            "doc": true,
            "doctest": false,
            "test": true,
        },
    });
    line[key] = value;
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostics_are_wrapped_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let session = Session::for_tests(dir.path());
        let line = r#"{"$message_type":"diagnostic","message":"mismatched types","level":"error"}"#;
        let wrapped = compiler_message(&session, line).expect("a diagnostic");
        let wrapped: Value = serde_json::from_str(&wrapped).expect("JSON");
        assert_eq!(wrapped["reason"], "compiler-message");
        assert_eq!(wrapped["message"]["message"], "mismatched types");
        assert_eq!(wrapped["target"]["name"], CRATE);
        assert_eq!(compiler_message(&session, r#"{"$message_type":"artifact"}"#), None);
        assert_eq!(compiler_message(&session, "ld: warning"), None);
    }

    #[test]
    fn a_moved_variable_is_no_error_of_showing_a_value() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let session = Session::for_tests(dir.path());
        let line = |text: &str| {
            let spans = json!([
                { "is_primary": false, "text": [{ "text": "(show(names)).evcxr_display();" }] },
                { "is_primary": true, "text": [{ "text": text }] },
            ]);
            let children = json!([{ "message": "consider cloning" }]);
            let code = json!({ "code": "E0382" });
            json!({ "$message_type": "diagnostic", "code": code, "spans": spans, "children": children })
        };
        let passed_on = |text: &str| -> Value {
            let message =
                compiler_message(&session, &line(text).to_string()).expect("a diagnostic");
            serde_json::from_str(&message).expect("JSON")
        };
        let kept = passed_on("evcxr_variable_store.put_variable::<_>(stringify!(names), names);");
        assert_eq!(kept["message"]["spans"].as_array().expect("spans").len(), 1);
        assert_eq!(kept["message"]["children"], json!([]));
        let own = passed_on("println!(\"{names:?}\");");
        assert_eq!(own["message"]["spans"].as_array().expect("spans").len(), 2);
        assert_eq!(own["message"]["children"].as_array().expect("children").len(), 1);
    }

    #[test]
    fn advice_to_import_has_no_place_and_other_advice_has() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let session = Session::for_tests(dir.path());
        let advice = |text: &str, end: u64| {
            let span = json!({ "suggested_replacement": text, "byte_start": 3, "byte_end": end });
            json!({ "level": "help", "message": "x", "spans": [span] })
        };
        let children = [advice("use std::cmp::max;\n", 3), advice("use a", 8), advice("let ", 3)];
        let line = json!({ "$message_type": "diagnostic", "message": "x", "children": children });
        let passed_on = compiler_message(&session, &line.to_string()).expect("a diagnostic");
        let passed_on: Value = serde_json::from_str(&passed_on).expect("JSON");
        let places = |child: &Value| child["spans"].as_array().map_or(0, Vec::len);
        let children = passed_on["message"]["children"].as_array().expect("children");
        assert_eq!(children.iter().map(places).collect::<Vec<_>>(), [0, 1, 1]);
    }

    #[test]
    fn the_artifact_is_what_evcxr_looks_for() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("libctx.so");
        let line = artifact(&Session::for_tests(dir.path()), &file);
        let line: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(line["reason"], "compiler-artifact");
        assert_eq!(line["filenames"], json!([file]));
    }
}
