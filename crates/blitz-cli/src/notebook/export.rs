//! Notebooks as HTML pages that are complete without the network.

use super::nbformat::{Notebook, notebook_name};
use super::{formulas, headings};
use crate::files::write_atomically;
use crate::process::cancel::Cancel;
use crate::process::command::run_logged;
use crate::process::progress::Step;
use crate::project::Project;
use anyhow::{Context, Result};
use pulldown_cmark::{Event, Options, Parser, Tag};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The page that leads to the others, with places for its style and for the links.
const INDEX: &str = include_str!("../../templates/index.html");
const STYLE: &str = include_str!("../../templates/blitz/static/page.css");

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
    let mut pages = names_of_pages(site)?;
    pages.extend(notebooks.iter().map(Notebook::name));
    let mut sources = Vec::new();
    for mut notebook in notebooks {
        prepare(&mut notebook, &pages);
        let source = prepared.join(format!("{}.ipynb", notebook.name()));
        notebook.write(&source)?;
        sources.push(source.display().to_string());
    }
    let (site, templates) = (site.display().to_string(), templates(project));
    let mut arguments = vec!["--to", "html", "--template", "blitz", "--output-dir", &site];
    // The sign beside each heading would be read out with it.
    arguments.push("--HTMLExporter.anchor_link_text=");
    arguments.push(&templates);
    arguments.extend(sources.iter().map(String::as_str));
    let converted = nbconvert(project, step, &arguments);
    // A directory that stays behind does no harm; `cargo blitz clean --all` removes it.
    let _ = fs::remove_dir_all(&prepared);
    converted
}

/// Makes of a notebook what the template shows. Its links to others of `pages` lead to their pages.
fn prepare(notebook: &mut Notebook, pages: &BTreeSet<String>) {
    notebook.set_language();
    notebook.edit_sources(|source, is_code| match is_code {
        true => source.to_owned(),
        false => linked(&formulas::render(source), pages),
    });
    headings::demote(notebook);
    if let Some(title) = headings::title(notebook) {
        notebook.metadata_mut()["title"] = title.into();
    }
}

/// Markdown whose links to notebooks that are `pages` lead to these. Of other links to files, which are not
/// sent along, the words stay.
fn linked(markdown: &str, pages: &BTreeSet<String>) -> String {
    let mut linked = String::with_capacity(markdown.len());
    let mut end = 0;
    for (event, range) in Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter() {
        let Event::Start(Tag::Link { dest_url: target, .. }) = event else { continue };
        if range.start < end || target.contains(':') || target.starts_with('#') {
            continue;
        }
        let link = &markdown[range.clone()];
        let page = target.split_once(".ipynb").filter(|(name, _)| pages.contains(*name));
        linked.push_str(&markdown[end..range.start]);
        linked.push_str(&match page {
            Some((name, rest)) => link.replace(&*target, &format!("{name}.html{rest}")),
            None => words(link).to_owned(),
        });
        end = range.end;
    }
    linked + &markdown[end..]
}

/// The words of a link in Markdown.
pub fn words(link: &str) -> &str {
    let end = link.rfind("](").unwrap_or(link.len());
    link[..end].trim_start_matches('[')
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
    let names = names_of_pages(site)?;
    let links: String = names.iter().map(|name| link(site, name)).collect();
    let index = INDEX.replace("@STYLE@", STYLE.trim_end()).replace("@LINKS@", &links);
    write_atomically(&site.join("index.html"), index.as_bytes())
}

/// The names of the pages in `site`, without the index.
fn names_of_pages(site: &Path) -> Result<BTreeSet<String>> {
    let files = fs::read_dir(site).with_context(|| format!("cannot read {}", site.display()))?;
    let files = files.flatten().map(|entry| entry.path());
    let pages = files.filter(|path| path.extension().is_some_and(|extension| extension == "html"));
    Ok(pages.map(|path| notebook_name(&path)).filter(|name| name != "index").collect())
}

/// An item of the index: the page by its title, in its language, and by its file's name.
fn link(site: &Path, name: &str) -> String {
    let html = fs::read_to_string(site.join(format!("{name}.html"))).unwrap_or_default();
    let between = |before: &str, after: &str| {
        let (_, rest) = html.split_once(before)?;
        Some(rest.split_once(after)?.0)
    };
    let name = escaped(name);
    let title = between("<title>", "</title>").unwrap_or(&name);
    let lang = between("<html lang=\"", "\"").unwrap_or("en");
    let address = name.replace('%', "%25").replace('#', "%23").replace('?', "%3F");
    let link = format!("<a href=\"{address}.html\" lang=\"{lang}\">{title}</a>");
    let file = if title == name { String::new() } else { format!(" <small>{name}</small>") };
    format!("<li>{link}{file}</li>\n")
}

/// The text as HTML has it, also within quotes.
pub fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_pages_where_there_are_any() {
        let pages = BTreeSet::from(["a1".to_owned()]);
        let text = "[x](a1.ipynb#On) [y `z`](b.ipynb), `[v](b.ipynb)`\n\n| [z](mine/a1.ipynb) |\n|---|\n\n\
                    [w](https://e.org/a1.ipynb) [u](#On)";
        let expected = "[x](a1.html#On) y `z`, `[v](b.ipynb)`\n\n| z |\n|---|\n\n\
                        [w](https://e.org/a1.ipynb) [u](#On)";
        assert_eq!(linked(text, &pages), expected);
    }

    #[test]
    fn the_index_names_pages_by_title_and_language() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let page = |name: &str, html: &str| {
            fs::write(site.path().join(name), html).expect("writable");
        };
        page("a.html", "<html lang=\"zh-CN\"><title>张量 &amp; more</title>");
        page("b & c#1.html", "no title");
        write_index(site.path()).expect("written");
        write_index(site.path()).expect("written again, without itself");
        let index = fs::read_to_string(site.path().join("index.html")).expect("readable");
        let links: Vec<&str> = index.lines().filter(|line| line.starts_with("<li>")).collect();
        let expected = [
            "<li><a href=\"a.html\" lang=\"zh-CN\">张量 &amp; more</a> <small>a</small></li>",
            "<li><a href=\"b &amp; c%231.html\" lang=\"en\">b &amp; c#1</a></li>",
        ];
        assert_eq!(links, expected);
        assert!(index.contains("color-scheme: dark") && !index.contains("@STYLE@"), "no style");
    }
}
