//! A Markdown page of the repository as a page of the site: links and pictures lead there.

use super::output::{self, Picture};
use super::source::Source;
use anyhow::{Context, Result};
use pulldown_cmark::{Event, Options, Parser, Tag};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Where the pictures go that notebooks have made.
const PICTURES: &str = "_static/made";

/// Pictures by their paths on the site.
pub type Pictures = BTreeMap<String, Picture>;

/// The text for the site of a page that lies at `path` in the repository: a link to a page that the site
/// has leads there, another link within the repository is its text alone, and a picture
/// `NOTEBOOK.ipynb#CELL` is the one that the cell shows, which is added to `pictures`.
///
/// # Errors
/// A cell shows no picture.
pub fn on_site(
    text: &str,
    path: &Path,
    source: &Source,
    pictures: &mut Pictures,
) -> Result<String> {
    let dir = path.parent().unwrap_or(Path::new(""));
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let (target, is_picture) = match &event {
            Event::Start(Tag::Link { dest_url, .. }) => (dest_url, false),
            Event::Start(Tag::Image { dest_url, .. }) => (dest_url, true),
            _ => continue,
        };
        if range.start < end || target.contains("://") || target.starts_with(['#', '<']) {
            continue;
        }
        let element = &text[range.clone()];
        let replaced = match is_picture {
            true => element.replace(&**target, &made(target, source, pictures)?),
            false => match place(&dir.join(&**target), source) {
                Some(place) => element.replace(&format!("({target})"), &format!("({place})")),
                None => words(element).to_owned(),
            },
        };
        result.push_str(&text[end..range.start]);
        result.push_str(&replaced);
        end = range.end;
    }
    Ok(result + &text[end..])
}

/// The path on the site of the picture that a cell of a notebook shows.
fn made(target: &str, source: &Source, pictures: &mut Pictures) -> Result<String> {
    let parts = target.split_once(".ipynb#");
    let (name, id) = parts.with_context(|| format!("the picture {target} is no cell's"))?;
    let notebook = source.chapters.iter().find(|it| it.name() == name);
    let notebook = notebook.with_context(|| format!("no notebook `{name}` for a picture"))?;
    let picture = output::picture(notebook, id)?;
    let path = format!("{PICTURES}/{id}.{}", picture.extension);
    pictures.insert(path.clone(), picture);
    Ok(path)
}

/// The place on the site of a file of the repository, with the heading that the link leads to.
fn place(path: &Path, source: &Source) -> Option<String> {
    let text = resolved(path).to_string_lossy().into_owned();
    let (file, heading) = match text.split_once('#') {
        Some((file, heading)) => (file, format!("#{heading}")),
        None => (text.as_str(), String::new()),
    };
    let page = match file.strip_prefix("notebooks/") {
        Some(notebook) => notebook.replace("my_exercises/", "exercises/"),
        None => {
            let document = source.documents.iter().find(|it| it.path == Path::new(file))?;
            format!("{}.md", document.place)
        }
    };
    Some(format!("{page}{heading}"))
}

fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            other => resolved.push(other),
        }
    }
    resolved
}

/// The words of a link.
fn words(link: &str) -> &str {
    let end = link.rfind("](").unwrap_or(link.len());
    link[..end].trim_start_matches('[')
}
