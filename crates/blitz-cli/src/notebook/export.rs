//! Notebooks as HTML pages that are complete without the network.

use super::formulas;
use super::nbformat::{Notebook, notebook_name};
use crate::files::write_atomically;
use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::Step;
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Exports `notebooks` as pages to `site`, and writes an index of the pages there.
///
/// # Errors
/// nbconvert fails or a file cannot be written.
pub fn export(project: &Project, notebooks: Vec<Notebook>, site: &Path) -> Result<()> {
    let count = notebooks.len();
    let step = Step::start("writing HTML pages");
    let exported = convert(project, notebooks, site, &step).and_then(|()| write_index(site));
    step.end(exported, |()| format!("{count} pages")).context("the HTML pages could not be written")
}

fn convert(project: &Project, notebooks: Vec<Notebook>, site: &Path, step: &Step) -> Result<()> {
    let prepared = project.own_path(&format!("html-{}", std::process::id()));
    fs::create_dir_all(&prepared)
        .with_context(|| format!("cannot create {}", prepared.display()))?;
    let mut sources = Vec::new();
    for mut notebook in notebooks {
        notebook.set_language();
        notebook.edit_sources(|source, is_code| match is_code {
            true => source.to_owned(),
            false => formulas::render(source),
        });
        let source = prepared.join(format!("{}.ipynb", notebook.name()));
        notebook.write(&source)?;
        sources.push(source.display().to_string());
    }
    let (site, templates) = (site.display().to_string(), templates(project));
    let mut arguments = vec!["--to", "html", "--template", "blitz", "--output-dir", &site];
    arguments.push(&templates);
    arguments.extend(sources.iter().map(String::as_str));
    let converted = nbconvert(project, step, &arguments);
    // A directory that stays behind does no harm; `cargo blitz clean --all` removes it.
    let _ = fs::remove_dir_all(&prepared);
    converted
}

fn nbconvert(project: &Project, step: &Step, arguments: &[&str]) -> Result<()> {
    let mut command = project.python_command();
    command.args(["-m", "nbconvert"]).args(arguments).current_dir(project.root());
    run_logged(step, command, &project.own_log("nbconvert"), &Cancel::default())
}

fn templates(project: &Project) -> String {
    let dir = project.path("crates/blitz-cli/templates");
    format!("--TemplateExporter.extra_template_basedirs={}", dir.display())
}

/// Writes `index.html` with a link to every page in `site`.
fn write_index(site: &Path) -> Result<()> {
    let pages = fs::read_dir(site)?.flatten().map(|entry| entry.path());
    let mut names: Vec<String> = pages
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .map(|path| notebook_name(&path))
        .filter(|name| name != "index")
        .collect();
    names.sort();
    let links: String =
        names.iter().map(|name| format!("<li><a href=\"{name}.html\">{name}</a></li>\n")).collect();
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Rust Blitz</title></head>\n\
         <body style=\"font-family: sans-serif; max-width: 40em; margin: 3em auto; line-height: 1.6\">\n\
         <h1>Rust Blitz</h1>\n<p>PyTorch's 60-minute blitz in Rust.</p>\n<ol>\n{links}</ol>\n</body>\n</html>\n"
    );
    write_atomically(&site.join("index.html"), page.as_bytes())
}
