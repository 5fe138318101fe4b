//! `docs/troubleshooting.md` has what people see: each check of `cargo blitz doctor`, and each message of
//! the sources that it names.

mod common;

use common::repository;
use std::collections::BTreeSet;
use std::fs;

const PAGE: &str = "docs/troubleshooting.md";
const DOCTOR: &str = "crates/blitz-cli/src/commands/doctor.rs";
/// Here lie the modules that doctor asks.
const SET_UP: &str = "crates/blitz-cli/src/setup";
/// What else tells people what went wrong, with all that it says.
const OTHERS: [&str; 15] = [
    "crates/blitz-cli/src/process/logs.rs",
    "crates/blitz-cli/src/setup/shared.rs",
    "crates/blitz-kernel/src/cells/input.rs",
    "crates/blitz-kernel/src/cells/questions.rs",
    "crates/blitz-kernel/src/failure.rs",
    "crates/blitz-kernel/src/failure/definitions.rs",
    "crates/blitz-kernel/src/failure/outdated.rs",
    "crates/blitz-kernel/src/failure/undefined.rs",
    "crates/blitz-kernel/src/jupyter/control.rs",
    "crates/blitz-kernel/src/notebook.rs",
    "crates/blitz-kernel/src/session/build_dir.rs",
    "crates/blitz-kernel/src/session/dependencies.rs",
    "crates/blitz-kernel/src/session/persistence/refusal.rs",
    "crates/blitz-toolchain/src/toolchain.rs",
    "crates/blitz/src/device.rs",
];
/// Single messages of sources that have many for other occasions, too.
const SINGLE: [(&str, &str); 8] = [
    ("crates/blitz-cli/src/commands/kernelspec.rs", "there is another kernel named"),
    ("crates/blitz-cli/src/commands/lab.rs", "is in use. Choose another with --port"),
    ("crates/blitz-cli/src/main.rs", "neither this program nor the working directory"),
    ("crates/blitz-cli/src/setup/lock.rs", "waiting for another `cargo blitz` that sets up"),
    ("crates/blitz-cli/src/setup/lock.rs", "`cargo blitz` that compiles programs"),
    ("crates/blitz-cli/src/setup/venv.rs", "PyTorch does not work without CUDA's libraries here"),
    ("crates/blitz-kernel/src/engine.rs", "the notebooks' dependencies cannot be loaded"),
    ("crates/blitz/src/error.rs", "Check the network (HTTPS_PROXY is honoured)"),
];
/// What nobody sees in whose way something stands, and why.
const NOT_ON_THE_PAGE: [(&str, &str); 7] = [
    ("a directory has fewer entries than there are numbers", "it cannot happen"),
    ("the dependencies are not compiled yet", "set-up's own"),
    ("this kernel does not know `", "for a client that is none of Jupyter's"),
    ("the toolchain has no JSON form", "it cannot happen"),
    ("cannot write the toolchain to", "set-up's own, below what it says of the disk"),
    ("printed something else than text", "for a rustc that is none"),
    ("the Apple GPU (MPS)", "a name"),
];
/// Fewer words tell nothing: they are parts of a sentence between what varies.
const WORDS: usize = 4;

fn read(path: &str) -> String {
    fs::read_to_string(repository().path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// With single spaces for all white space.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The checks of doctor: their names, and the modules that they ask.
fn checks() -> Vec<(String, Option<String>)> {
    let source = read(DOCTOR);
    let begin = source.find("let checks").expect("doctor has its checks in an array");
    let array = &source[begin..begin + source[begin..].find("];").expect("which ends")];
    let check = |line: &str| {
        let (name, call) = line.trim().strip_prefix("(\"")?.split_once("\", ")?;
        let module = call.split_once("::").map(|(module, _)| module.to_owned());
        Some((name.to_owned(), module))
    };
    array.lines().filter_map(check).collect()
}

/// What the strings of a source say between what varies, without its tests.
fn said(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    strings(source).iter().flat_map(|text| fixed_parts(text)).collect()
}

/// The strings of a source, as the compiler reads them.
fn strings(source: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut characters = source.chars().peekable();
    let mut last = ' ';
    while let Some(character) = characters.next() {
        match character {
            '/' if characters.peek() == Some(&'/') => drop(characters.find(|it| *it == '\n')),
            '"' if last != '\'' => strings.push(string(&mut characters)),
            // Of `'\''`, only the backslash is seen.
            '\\' => drop(characters.next()),
            _ => {}
        }
        last = character;
    }
    strings
}

/// The string whose first quote is behind us.
fn string(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('"', _) => break,
            ('\\', Some('\n')) => while characters.next_if(|it| it.is_whitespace()).is_some() {},
            ('\\', Some('n' | 'r' | 't')) => {
                characters.next();
                text.push(' ');
            }
            ('\\', _) => text.extend(characters.next()),
            _ => text.push(character),
        }
    }
    text
}

/// What of a text to be formatted is always there, where it says something.
fn fixed_parts(text: &str) -> Vec<String> {
    let (mut parts, mut rest) = (vec![String::new()], text);
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        let last = parts.last_mut().expect("there is always one");
        last.push_str(before);
        if from.starts_with("{{") || from.starts_with("}}") {
            last.push_str(&from[..1]);
            rest = &from[2..];
        } else {
            parts.push(String::new());
            rest = from.split_once('}').map_or("", |(_, rest)| rest);
        }
    }
    parts.last_mut().expect("there is always one").push_str(rest);
    let has_words = |part: &String| {
        part.split(' ').filter(|it| it.contains(char::is_alphabetic)).count() >= WORDS
    };
    parts.iter().map(|part| in_one_line(part)).filter(has_words).collect()
}

#[test]
fn each_check_of_doctor_has_its_heading() {
    let page = read(PAGE);
    let section = page.split("\n## ").find(|it| it.starts_with("What doctor says"));
    let section = section.expect("the section on doctor");
    let headings = section.lines().filter_map(|line| line.strip_prefix("### "));
    let names = headings.map(|heading| heading.split(':').next().unwrap_or(heading));
    let checks: Vec<String> = checks().into_iter().map(|(name, _)| name).collect();
    assert!(checks.len() >= 13, "{checks:?}");
    assert_eq!(names.collect::<Vec<_>>(), checks, "in doctor's order");
}

#[test]
fn each_message_stands_on_the_page() {
    let page = in_one_line(&read(PAGE));
    let asked: BTreeSet<String> = checks().into_iter().filter_map(|(_, module)| module).collect();
    let modules = asked.iter().map(|module| format!("{SET_UP}/{module}.rs"));
    let whole = modules.chain([DOCTOR.to_owned()]).chain(OTHERS.map(str::to_owned));
    let mut excused: BTreeSet<&str> = NOT_ON_THE_PAGE.iter().map(|(text, _)| *text).collect();
    let mut missing = Vec::new();
    for path in whole {
        let said = said(&read(&path));
        assert!(!said.is_empty(), "{path} says nothing: is it the right file?");
        for part in said {
            let is_excused = NOT_ON_THE_PAGE.iter().any(|(text, _)| *text == part);
            excused.remove(part.as_str());
            if !is_excused && !page.contains(&part) {
                missing.push(format!("{path}: {part}"));
            }
        }
    }
    assert!(missing.is_empty(), "not in {PAGE}:\n{}", missing.join("\n"));
    assert!(excused.is_empty(), "nothing says this any more: {excused:?}");
    for (path, text) in SINGLE {
        let said = said(&read(path));
        let message = said.iter().find(|it| it.contains(text));
        let message = message.unwrap_or_else(|| panic!("{path} does not say \"{text}\" any more"));
        assert!(page.contains(message.as_str()), "not in {PAGE}, of {path}: {message}");
    }
}

#[test]
fn strings_are_read_as_the_compiler_does() {
    let source = "// \"no\"\nlet a = ['\"', '\\'']; f(\"one {x:?} two \\\n    three\\n{{four}} \\\"five\\\"\");\n\
                  #[cfg(test)]\nf(\"no\")";
    assert_eq!(strings(source)[0], "one {x:?} two three {{four}} \"five\"");
    assert_eq!(said(source), ["two three {four} \"five\""]);
}
