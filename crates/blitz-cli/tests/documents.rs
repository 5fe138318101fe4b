//! The documents in Markdown: their links lead somewhere.

mod common;

use common::repository;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All Markdown in the root, in `docs` and below it.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![repository().path("docs")];
    let entries = |dir: &Path| {
        let entries = fs::read_dir(dir).expect("readable");
        entries.map(|entry| entry.expect("readable").path()).collect::<Vec<_>>()
    };
    found.extend(entries(repository().root()));
    while let Some(dir) = dirs.pop() {
        let (below, files): (Vec<_>, Vec<_>) =
            entries(&dir).into_iter().partition(|it| it.is_dir());
        dirs.extend(below);
        found.extend(files);
    }
    found.retain(|path| path.extension().is_some_and(|it| it == "md"));
    found
}

/// The text outside of blocks of code.
fn prose(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("readable");
    let parts = text.split("```").step_by(2);
    parts.collect::<Vec<_>>().join("\n")
}

/// A heading as the address that GitHub and MyST give it.
fn slug(heading: &str) -> String {
    let kept = |character: &char| character.is_alphanumeric() || "-_ ".contains(*character);
    let text: String = heading.trim().to_lowercase().chars().filter(kept).collect();
    text.replace(' ', "-")
}

fn headings(path: &Path) -> Vec<String> {
    let prose = prose(path);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| slug(line.trim_start_matches('#'))).collect()
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in documents() {
        let prose = prose(&document);
        for target in prose.split("](").skip(1).filter_map(|it| it.split(')').next()) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let leads_to = match file {
                "" => document.clone(),
                file => document.with_file_name(file),
            };
            let is_there = leads_to.exists();
            let is_of_kind =
                |kind: &str| is_there && leads_to.extension().is_some_and(|it| it == kind);
            // A picture is what a cell of a notebook shows.
            let has_cell = || {
                let notebook = fs::read_to_string(&leads_to).unwrap_or_default();
                notebook.contains(&format!("\"id\": \"{heading}\""))
            };
            let has_heading = heading.is_empty()
                || is_of_kind("md") && headings(&leads_to).iter().any(|it| it == heading)
                || is_of_kind("ipynb") && has_cell();
            if !is_there || !has_heading {
                wrong.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 40, "{count} links");
}

#[test]
fn no_document_has_two_headings_of_one_address() {
    for document in documents().iter().filter(|it| !it.ends_with("CHANGELOG.md")) {
        let headings = headings(document);
        let different: BTreeSet<&String> = headings.iter().collect();
        assert_eq!(headings.len(), different.len(), "{}: {headings:?}", document.display());
    }
}
