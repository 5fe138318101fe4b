//! cargo's JSON messages around rustc's.

use super::Session;
use serde_json::{Value, json};
use std::path::Path;

/// The name of the crate that evcxr builds cells in.
pub const CRATE: &str = "ctx";

/// The line in which cargo passes one of rustc's on, or `None` when rustc's line is no diagnostic.
pub fn compiler_message(session: &Session, line: &str) -> Option<String> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_diagnostic = message["$message_type"] == "diagnostic";
    is_diagnostic.then(|| wrap(session, "compiler-message", "message", message))
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
    fn the_artifact_is_what_evcxr_looks_for() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("libctx.so");
        let line = artifact(&Session::for_tests(dir.path()), &file);
        let line: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(line["reason"], "compiler-artifact");
        assert_eq!(line["filenames"], json!([file]));
    }
}
