//! Answers of the real tools, kept on disk.

use crate::session::Session;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Output};
use std::time::SystemTime;

/// Stands for the build directory in what is kept, because each kernel has its own.
const BUILD_DIR: &str = "@BUILD_DIR@";
/// Stands for the toolchain's directory: another person may have the same version elsewhere.
const SYSROOT: &str = "@SYSROOT@";

/// What a tool printed, and its exit code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Its exit code.
    pub code: u8,
}

impl Answer {
    /// Prints the answer.
    pub fn give(&self) -> ExitCode {
        // Nobody reads any more when this fails.
        let _ = io::stdout().write_all(self.stdout.as_bytes());
        let _ = io::stderr().write_all(self.stderr.as_bytes());
        ExitCode::from(self.code)
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Answer {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
        }
    }
}

/// What an answer depends on: the toolchain, the tool, its arguments, and the files that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question(u64);

impl Question {
    /// The question made up of `parts`, asked with this session's toolchain.
    pub fn new(session: &Session, parts: &[&str]) -> Self {
        let mut hasher = DefaultHasher::new();
        session.toolchain.version.hash(&mut hasher);
        let general: Vec<String> = parts.iter().map(|part| generalize(session, part)).collect();
        general.hash(&mut hasher);
        Question(hasher.finish())
    }

    /// The question that depends on `part` as well.
    pub fn with(&self, part: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (self.0, part).hash(&mut hasher);
        Question(hasher.finish())
    }

    /// The name of the file that is kept for it as `kind`.
    pub fn file_name(&self, kind: &str) -> String {
        format!("{kind}-{:016x}.json", self.0)
    }
}

/// What is kept as `kind` under `question`: this kernel's own first, then set-up's.
pub fn load<T: DeserializeOwned>(session: &Session, kind: &str, question: &Question) -> Option<T> {
    let name = question.file_name(kind);
    let stores: [PathBuf; 2] = [session.own_store(), session.store.clone()];
    stores.iter().find_map(|store| {
        let text = fs::read_to_string(store.join(&name)).ok()?;
        serde_json::from_str(&specialize(session, &text)).ok()
    })
}

/// Keeps `value` for this kernel; in set-up, whose store is the same, for every kernel. Best effort:
/// what is not kept is asked again.
pub fn save<T: Serialize>(session: &Session, kind: &str, question: &Question, value: &T) {
    let store = session.own_store();
    let Ok(text) = serde_json::to_string(value) else { return };
    let text = generalize(session, &text);
    let file = store.join(question.file_name(kind));
    let _ = fs::create_dir_all(&store)
        // Another tool may read at the same time.
        .and_then(|()| whole(&file, |path| fs::write(path, &text)));
}

/// Lets `write` make the file `path` so that nobody sees a part of it.
///
/// # Errors
/// It fails, and nothing is left, or the file cannot get its name.
pub fn whole(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let unfinished = format!("{}-{}.part", std::process::id(), now.as_nanos());
    let unfinished = path.with_extension(unfinished);
    let written = write(&unfinished).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// `text` with the session's build directory and toolchain replaced by placeholders.
pub fn generalize(session: &Session, text: &str) -> String {
    let text = text.replace(&*session.build_dir.to_string_lossy(), BUILD_DIR);
    text.replace(&*session.toolchain.sysroot.to_string_lossy(), SYSROOT)
}

/// The inverse of [`generalize`].
pub fn specialize(session: &Session, text: &str) -> String {
    let text = text.replace(BUILD_DIR, &session.build_dir.to_string_lossy());
    text.replace(SYSROOT, &session.toolchain.sysroot.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn an_answer_is_found_by_another_kernel_with_its_own_directory() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (first, second) = (dir.path().join("first"), dir.path().join("second"));
        let sessions = [&first, &second].map(|build_dir| {
            fs::create_dir(build_dir).expect("a directory is made");
            let mut session = Session::for_tests(build_dir);
            session.store = first.join("answers");
            session
        });
        let question = |session: &Session, argument: &str| {
            let path = session.build_dir.join("Cargo.toml");
            Question::new(session, &["cargo", argument, &path.to_string_lossy()])
        };
        let answer = |build_dir: &Path| Answer {
            stdout: format!("{{\"root\": \"{}\"}}", build_dir.join("Cargo.toml").display()),
            stderr: String::new(),
            code: 0,
        };
        save(&sessions[0], "cargo", &question(&sessions[0], "locate"), &answer(&first));
        let load = |argument: &str, kind: &str| {
            load::<Answer>(&sessions[1], kind, &question(&sessions[1], argument))
        };
        assert_eq!(load("locate", "cargo"), Some(answer(&second)));
        assert_eq!(load("other", "cargo"), None);
        assert_eq!(load("locate", "rustc"), None);
    }

    #[test]
    fn another_toolchain_or_part_is_another_question() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut session = Session::for_tests(dir.path());
        let name = |session: &Session, parts: &[&str]| Question::new(session, parts).file_name("a");
        let before = name(&session, &["ab", "c"]);
        assert_ne!(before, name(&session, &["a", "bc"]));
        assert_ne!(before, Question::new(&session, &["ab", "c"]).with("d").file_name("a"));
        session.toolchain.version.push_str("newer");
        assert_ne!(before, name(&session, &["ab", "c"]));
    }
}
