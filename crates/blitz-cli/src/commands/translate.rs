//! `cargo blitz translate`: the catalogues of the translations, and the notebooks made from them.

use crate::notebook::made::Made;
use crate::project::Project;
use crate::translation::catalogue::Extracted;
use crate::translation::language::{Language, PageReport, Written};
use crate::usage::Usage;
use anyhow::{Result, bail};
use blitz_contract::variables;
use blitz_messages::Choice;
use clap::Args;
use std::fs;

/// Messages of a catalogue that are listed.
const LISTED: usize = 5;
/// Characters of a message that are shown.
const SHOWN: usize = 70;

/// Options of `translate`.
#[derive(Args)]
pub struct TranslateOptions {
    /// Languages, by their folders in po/; all if none is named
    #[arg(value_name = "LANGUAGE")]
    pub languages: Vec<String>,
    /// Write nothing; fail where anything is not translated, breaks a rule, or is not up to date
    #[arg(long)]
    pub check: bool,
}

/// Brings the catalogues up to date with the pages, says what is missing, and writes the translated
/// notebooks and README.
///
/// # Errors
/// An unknown language; something cannot be read or written; with `check`, a page that is not
/// complete.
pub fn translate(project: &Project, options: &TranslateOptions) -> Result<()> {
    let written = if options.check { Written::No } else { Written::Yes };
    let mut incomplete = Vec::new();
    for language in chosen(project, &options.languages)? {
        let reports = language.update(project, written)?;
        for report in &reports {
            show(project, report);
        }
        let open = reports.iter().filter(|it| !it.is_complete()).count();
        if open > 0 {
            incomplete.push(format!("{} of {} pages in {}", open, reports.len(), language.name()));
        }
        let readme = language.readme_path(project);
        if !options.check {
            let notebooks = language.notebooks_dir(project);
            let written = language.write_notebooks(project, &notebooks)?;
            language.write_readme(project)?;
            for (name, _) in written.iter().filter(|(_, made)| matches!(made, Made::Kept { .. })) {
                println!("{}: kept, your work is in it", notebooks.join(name).display());
            }
            let count = written.len();
            println!("{}: {count} notebooks in {}", language.name(), notebooks.display());
        } else if fs::read_to_string(&readme).unwrap_or_default() != language.readme(project)? {
            incomplete.push(format!("{} (run `cargo blitz translate`)", readme.display()));
        }
    }
    if options.check && !incomplete.is_empty() {
        bail!("not translated whole: {}", incomplete.join("; "));
    }
    Ok(())
}

/// Fails where a page is not translated whole into one of the languages.
///
/// # Errors
/// As for [`translate`] with `check`.
pub fn check(project: &Project) -> Result<()> {
    translate(project, &TranslateOptions { languages: Vec::new(), check: true })
}

/// Fails where messages are neither English nor in the language that a person calls `asked`.
///
/// # Errors
/// There is no such language.
pub fn check_known(project: &Project, asked: &str) -> Result<()> {
    let choice = Choice::in_dir(&project.translations_dir());
    if asked == variables::ENGLISH || choice.named(asked).is_some() {
        return Ok(());
    }
    let all = Language::all(project);
    let known: Vec<&str> = all.iter().map(Language::name).chain([variables::ENGLISH]).collect();
    Err(Usage(format!("no language `{asked}`; there are {}", known.join(", "))).into())
}

/// Writes the translated notebooks for somebody who is about to open them; what hinders that is said in
/// one line.
pub fn write_quietly(project: &Project) {
    for language in Language::all(project) {
        let notebooks = language.notebooks_dir(project);
        let dir = if notebooks.exists() { notebooks.clone() } else { project.notebooks_dir() };
        if !blitz_user_dirs::is_writable(&dir) {
            continue;
        }
        match language.write_notebooks(project, &notebooks) {
            Ok(written) => {
                let count = written.iter().filter(|(_, made)| made.is_new()).count();
                if count > 0 {
                    let dir = notebooks.display();
                    eprintln!("Notebooks in {}: {dir} ({count} made)", language.name());
                }
            }
            Err(error) => {
                let name = language.name();
                eprintln!("note: the notebooks in {name} were not made: {error:#}");
            }
        }
    }
}

fn chosen(project: &Project, names: &[String]) -> Result<Vec<Language>> {
    let all = Language::all(project);
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|it| it.name() == *name)) {
        let known = all.iter().map(Language::name).collect::<Vec<_>>().join(", ");
        return Err(Usage(format!(
            "no language `{unknown}`; there are {known}. A new one is a new folder in po/."
        ))
        .into());
    }
    Ok(all
        .into_iter()
        .filter(|it| names.is_empty() || names.iter().any(|name| name == it.name()))
        .collect())
}

fn show(project: &Project, report: &PageReport) {
    let path = report.catalogue.strip_prefix(project.root()).unwrap_or(&report.catalogue);
    let (left, faults) = (&report.left, &report.faults);
    let done = report.messages - left.untranslated.len() - left.fuzzy.len();
    println!("{}: {done} of {} messages translated", path.display(), report.messages);
    list("not translated", &left.untranslated);
    list("changed since", &left.fuzzy);
    for (place, fault) in faults {
        println!("  {place}: {fault}");
    }
}

fn list(what: &str, messages: &[Extracted]) {
    for message in messages.iter().take(LISTED) {
        let text: String = message.text.chars().take(SHOWN).collect();
        println!("  {what}, {}: {text}", message.place);
    }
    if messages.len() > LISTED {
        println!("  {what}: {} more", messages.len() - LISTED);
    }
}
