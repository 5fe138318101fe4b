use super::*;
use crate::absolute::{PUT, TAKE};

/// A session that keeps cells, whose last one rustc has compiled from these files.
fn session(dir: &Path, read: &[&str]) -> Session {
    let mut session = Session::for_tests(dir);
    let kept = dir.join("kept");
    fs::create_dir_all(&kept).expect("a directory is made");
    fs::create_dir_all(dir.join("cell")).expect("a directory is made");
    fs::write(dir.join("Cargo.toml"), "").expect("a manifest is written");
    fs::write(rustc::library(dir), "library").expect("a library is written");
    let rules = read.iter().map(|file| format!("{file}:\n")).collect::<String>();
    write_list(dir, &format!("/x/libctx.so: {}\n\n{rules}", read.join(" ")));
    session.kept_cells = Some(kept);
    session
}

fn write_list(dir: &Path, text: &str) {
    fs::write(rustc::dependencies(&dir.join("cell")), text).expect("a list is written");
}

fn cell<'a>(session: &'a Session, source: &str) -> Compilation<'a> {
    let recording = Recording::for_tests();
    Compilation::of_cell(session, &recording, source, "0").expect("cells are kept")
}

/// An error after which evcxr tries another form.
const MOVED: &str = r#"{"level": "error", "message": "moved", "code": {"code": "E0382"}}"#;

fn ended(is_success: bool) -> Outcome {
    let lines = if is_success { "{}\n" } else { MOVED };
    let diagnosed = Diagnosed { lines: lines.to_owned(), is_success };
    Outcome { diagnosed, report: is_success.then(Report::default) }
}

fn keep(session: &Session, source: &str, is_success: bool) {
    let library = rustc::library(&session.build_dir);
    cell(session, source).keep(&ended(is_success), is_success.then_some(library.as_path()));
}

#[test]
fn what_was_compiled_is_taken_for_the_same_source_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let session = session(dir.path(), &["src/lib.rs"]);
    let library = rustc::library(dir.path());
    assert_eq!(cell(&session, "a").take(), None);
    keep(&session, "a", true);
    fs::write(&library, "another cell's").expect("a library is written");
    assert_eq!(cell(&session, "b").take(), None);
    assert_eq!(cell(&session, "a").take(), Some(ended(true)));
    assert_eq!(fs::read_to_string(&library).expect("a library"), "library");
    // Two sources with one name of a file: the whole of them counts.
    let (file, _) = cell(&session, "a").file(true);
    fs::copy(&file, cell(&session, "c").file(true).0).expect("the file is there");
    assert_eq!(cell(&session, "c").take(), None);
    // What somebody's full disk has left of a library is none, nor is one that is gone.
    fs::write(library_beside(&file), "libr").expect("a library is written");
    assert_eq!(cell(&session, "a").take(), None);
    fs::remove_file(library_beside(&file)).expect("the library is there");
    assert_eq!(cell(&session, "a").take(), None);
}

#[test]
fn nothing_is_taken_while_nothing_is_to_be_compiled() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let session = session(dir.path(), &["src/lib.rs"]);
    keep(&session, "a", true);
    crate::control::Control::new(dir.path()).cancel().expect("the request is written");
    assert_eq!(cell(&session, "a").take(), None);
}

#[test]
fn where_a_build_script_or_a_native_library_may_decide_nothing_is_kept() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let session = session(dir.path(), &["src/lib.rs"]);
    let of = |recording: &Recording, source: &str| {
        Compilation::of_cell(&session, recording, source, "0").is_some()
    };
    let (own, ours) = (dir.path().join("own.rs"), session.layout().root().join("lib.rs"));
    fs::create_dir_all(session.layout().root()).expect("a directory is made");
    for file in [&own, &ours] {
        fs::write(file, "").expect("a source is written");
    }
    assert!(of(&Recording::for_tests(), "a") && of(&Recording::of_sources(&[&ours]), "a"));
    assert!(!of(&Recording::of_sources(&[&ours, &own]), "a"));
    assert!(!of(&Recording::for_tests(), "#[link(name = \"x\")] extern \"C\" {}"));
}

#[test]
fn a_failure_and_a_check_have_no_library() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let session = session(dir.path(), &["src/lib.rs"]);
    keep(&session, "a", false);
    fs::remove_file(rustc::library(dir.path())).expect("the library is there");
    assert_eq!(cell(&session, "a").take(), Some(ended(false)));
    let recording = Recording::for_tests();
    let check = Compilation::of_definitions(&session, &recording, "a", &dir.path().join("cell"));
    let check = check.expect("cells are kept");
    assert_eq!(check.take(), None);
    check.keep(&ended(true), None);
    assert_eq!(check.take(), Some(ended(true)));
    assert!(!rustc::library(dir.path()).exists());
}

#[test]
fn of_failures_those_are_kept_after_which_evcxr_tries_another_form() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let session = session(dir.path(), &["src/lib.rs"]);
    let linker = r#"{"level": "error", "message": "linking with `cc` failed", "code": null}"#;
    let feature = MOVED.replace("E0382", "E0554");
    for lines in ["", linker, &feature, &format!("{MOVED}\n{linker}")] {
        let diagnosed = Diagnosed { lines: lines.to_owned(), is_success: false };
        cell(&session, "a").keep(&Outcome { diagnosed, report: None }, None);
        assert_eq!(cell(&session, "a").take(), None, "{lines}");
    }
}

#[test]
fn another_level_or_another_file_that_was_read_is_another_thing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let session = session(dir.path(), &["src/lib.rs"]);
    let loops = "pub extern \"C\" fn run_user_code_3() { loop {} }";
    keep(&session, loops, true);
    assert!(cell(&session, loops).take().is_some());
    fs::write(dir.path().join("Cargo.toml"), "[profile]\nopt-level = 3\n").expect("written");
    assert_eq!(cell(&session, loops).take(), None);
    for list in [
        "/x/libctx.so: src/lib.rs words.txt\n\nsrc/lib.rs:\nwords.txt:\n",
        "/x/libctx.so: src/lib.rs\n\nsrc/lib.rs:\n\n# env-dep:HOME=/root\n",
        "",
    ] {
        write_list(dir.path(), list);
        keep(&session, "reads", true);
        assert_eq!(cell(&session, "reads").take(), None, "{list}");
    }
}

#[test]
fn what_was_not_used_for_long_goes_first() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = |number: usize| dir.path().join(format!("made-{number}.json"));
    for number in 0..=MOST {
        fs::write(library_beside(&file(number)), "").expect("a file is written");
        fs::write(file(number), "").expect("a file is written");
        let used = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(number as u64);
        let opened = File::options().append(true).open(file(number));
        opened.and_then(|it| it.set_modified(used)).expect("the time is set");
    }
    let (part, orphan) = (dir.path().join("made-x.1-2.part"), library_beside(&file(MOST + 1)));
    for (path, age) in [(&part, 2 * ABANDONED), (&orphan, ABANDONED / 2)] {
        let opened = File::create(path);
        opened.and_then(|it| it.set_modified(SystemTime::now() - age)).expect("the time is set");
    }
    remove_unused(dir.path());
    assert!(!part.exists() && orphan.exists(), "a kernel may be writing it");
    fs::remove_file(orphan).expect("it is there");
    let left = fs::read_dir(dir.path()).expect("a directory").count();
    assert_eq!(left, 2 * (MOST + 1 - AT_ONCE));
    assert!(!file(0).exists() && file(MOST).exists());
}

#[test]
fn the_order_of_variables_does_not_count_unless_there_are_errors() {
    let line = |does: &str, name: &str| format!("{does}i64>(::std::stringify!({name}), {name});\n");
    let checked = "evcxr_vars_ok &= evcxr_variable_store.check_variable::<";
    let source = |names: &[&str]| {
        let lines = |does: &str| names.iter().map(|name| line(does, name)).collect::<String>();
        let taken = names.iter().map(|name| line(&format!("let {name}{TAKE}"), name));
        let taken: String = taken.collect();
        format!("{}}}\n{taken}f(a, b);\ng(b, a);\n{}store", lines(checked), lines(PUT))
    };
    let (one, other) = (source(&["a", "b"]), source(&["b", "a"]));
    assert_eq!(in_one_order(&one), in_one_order(&other));
    assert_ne!(in_one_order(&one), in_one_order(&source(&["a", "c"])));
    // The cell's own lines stay where they are, and where the line of another variable was is no matter.
    assert!(in_one_order(&other).contains("\nf(a, b);\ng(b, a);\n"));
    let blank = |at: usize| {
        let mut lines: Vec<&str> = one.lines().collect();
        lines.insert(at, "");
        lines.join("\n")
    };
    assert_eq!(in_one_order(&blank(0)), in_one_order(&blank(2)));
    assert_ne!(in_one_order(&blank(0)), in_one_order(&blank(3)));
    let dir = tempfile::tempdir().expect("a temporary directory");
    let session = session(dir.path(), &["src/lib.rs"]);
    keep(&session, &one, false);
    assert_eq!(cell(&session, &other).take(), None);
    keep(&session, &one, true);
    assert_eq!(cell(&session, &other).take(), Some(ended(true)));
}
