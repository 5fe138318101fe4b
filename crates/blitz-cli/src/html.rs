//! `cargo blitz html`: pages that are complete without the network.

use crate::cli::HtmlOptions;
use crate::fingerprint::write_atomically;
use crate::notebook::Notebook;
use crate::progress::Step;
use crate::project::{Project, notebook_name};
use crate::{execute, math, run, setup};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Exports the notebooks with the outputs that are stored in them.
///
/// # Errors
/// An unknown name, a file that is no notebook, or a place that cannot be written.
pub fn html(project: &Project, options: &HtmlOptions) -> Result<()> {
    let notebooks = project.find_notebooks(&options.notebooks)?;
    for notebook in &notebooks {
        Notebook::read(notebook)?;
    }
    let site = run::site(project, options.site.as_deref(), &notebooks)?;
    setup::ensure(project)?;
    export(project, &notebooks, &site)?;
    eprintln!("{} pages written. Open {}", notebooks.len(), site.join("index.html").display());
    Ok(())
}

/// Exports `notebooks` as pages to `site`, and writes an index of the pages there.
///
/// # Errors
/// nbconvert fails or a file cannot be written.
pub fn export(project: &Project, notebooks: &[PathBuf], site: &Path) -> Result<()> {
    let step = Step::start("writing HTML pages");
    let exported = convert(project, notebooks, site, &step).and_then(|()| write_index(site));
    match exported {
        Ok(()) => {
            step.done(&format!("{} pages", notebooks.len()));
            Ok(())
        }
        Err(error) => {
            step.failed();
            Err(error.context("the HTML pages could not be written"))
        }
    }
}

fn convert(project: &Project, notebooks: &[PathBuf], site: &Path, step: &Step) -> Result<()> {
    let prepared = project.own_path(&format!("html-{}", std::process::id()));
    fs::create_dir_all(&prepared)
        .with_context(|| format!("cannot create {}", prepared.display()))?;
    let mut sources = Vec::new();
    for path in notebooks {
        let mut notebook = Notebook::read(path)?;
        notebook.set_language();
        notebook.edit_markdown(math::render);
        let source = prepared.join(format!("{}.ipynb", notebook_name(path)));
        notebook.write(&source)?;
        sources.push(source.display().to_string());
    }
    let (site, templates) = (site.display().to_string(), templates(project));
    let mut arguments =
        vec!["nbconvert", "--to", "html", "--template", "blitz", "--output-dir", &site];
    arguments.push(&templates);
    arguments.extend(sources.iter().map(String::as_str));
    let converted = execute::run_module(project, step, "nbconvert", &arguments);
    // A directory that stays behind does no harm; `cargo blitz clean --all` removes it.
    let _ = fs::remove_dir_all(&prepared);
    converted
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
