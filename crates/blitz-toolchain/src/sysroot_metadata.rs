//! `cargo metadata` of the standard library: as little of it as its view shows.

use crate::answers::{self, Answer, Question};
use crate::call::{self, Call};
use crate::metadata;
use crate::sysroot::{CRATES, library, real_library};
use std::collections::HashSet;
use std::process::ExitCode;

/// Crates elsewhere that the types of `std` need: `HashMap`'s, and the names under which it knows
/// `core` and `alloc`.
const OTHER_CRATES: [&str; 4] = [
    "hashbrown",
    "rustc-std-workspace-core",
    "rustc-std-workspace-alloc",
    "rustc-std-workspace-std",
];

/// Answers `cargo metadata` for the standard library, which rust-analyzer asks for in its directory.
/// Where the real cargo does not know, for example because `hashbrown` was never fetched,
/// rust-analyzer puts together what lies in the view.
pub fn answer(call: &Call) -> ExitCode {
    // Refused, because it would content itself with this answer if the next one fails.
    if call.args.iter().any(|arg| arg == "--no-deps") {
        return ExitCode::from(101);
    }
    let session = &call.session;
    let (real, view) = (real_library(session), library(session));
    let (real_text, view_text) = (real.to_string_lossy(), view.to_string_lossy());
    let mut parts = vec!["sysroot"];
    parts.extend(call.words());
    let question = Question::new(session, &parts);
    if let Some(answer) = answers::load::<Answer>(session, "metadata", &question) {
        return answer.give();
    }
    let args = call.args.iter().map(|arg| arg.replace(&*view_text, &real_text));
    let output = call::real(session, "cargo").args(args).current_dir(&real).output();
    let mut answer = match output {
        Ok(output) => Answer::from(output),
        Err(error) => return call::cannot_run("cargo", &error),
    };
    if answer.code == 0
        && let Some(pruned) = metadata::keep(&answer.stdout, known_crates)
    {
        answer.stdout = pruned.replace(&*real_text, &view_text);
        answers::save(session, "metadata", &question, &answer);
    }
    answer.give()
}

/// The ids of the crates that are kept.
fn known_crates(metadata: &serde_json::Value) -> Option<HashSet<String>> {
    let is_known = |name: &str| CRATES.contains(&name) || OTHER_CRATES.contains(&name);
    let packages = metadata["packages"].as_array()?.iter();
    let known = packages.filter(|package| package["name"].as_str().is_some_and(is_known));
    Some(known.filter_map(|package| package["id"].as_str().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_standard_library_keeps_what_its_types_need() {
        let packages: Vec<Value> = ["core", "std", "hashbrown", "gimli", "test"]
            .into_iter()
            .map(|name| json!({ "id": format!("{name} 1"), "name": name }))
            .collect();
        let kept = known_crates(&json!({ "packages": packages })).expect("packages");
        let mut kept: Vec<&str> = kept.iter().map(String::as_str).collect();
        kept.sort_unstable();
        assert_eq!(kept, ["core 1", "hashbrown 1", "std 1"]);
    }
}
