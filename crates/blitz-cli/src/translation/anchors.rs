//! Where links to headings lead when the headings are translated.

use super::catalogue::Catalogue;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

const NOTEBOOK: &str = ".ipynb";
const MARKDOWN: &str = ".md";

/// The page and its English heading's address to the translated heading's. A notebook goes by its name
/// without the ending, a page in Markdown by its path from the repository's root.
pub type Anchors = HashMap<(String, String), String>;

/// Where the headings in a notebook's cell lead once they are translated.
pub fn of_cell(notebook: &str, markdown: &str, catalogue: &Catalogue) -> Anchors {
    let headings = markdown.lines().filter(|line| line.starts_with('#'));
    let texts = headings.map(|line| line.trim_start_matches('#').trim());
    of_headings(notebook, texts, catalogue, jupyter)
}

/// Where the headings of a page in Markdown lead once they are translated.
pub fn of_markdown(page: &str, markdown: &str, catalogue: &Catalogue) -> Anchors {
    of_headings(page, headings(markdown).into_iter(), catalogue, slug)
}

fn of_headings<'a>(
    page: &str,
    headings: impl Iterator<Item = &'a str>,
    catalogue: &Catalogue,
    address: fn(&str) -> String,
) -> Anchors {
    let translated = headings.filter_map(|text| {
        Some(((page.to_owned(), address(text)), address(catalogue.translation(text)?)))
    });
    translated.collect()
}

/// A heading as the address that Jupyter gives it.
fn jupyter(heading: &str) -> String {
    heading.trim().replace('`', "").replace(' ', "-")
}

/// A heading as the address that GitHub and MyST give it.
fn slug(heading: &str) -> String {
    let mut text = String::new();
    for event in Parser::new(heading) {
        if let Event::Text(part) | Event::Code(part) = event {
            text.push_str(&part);
        }
    }
    let kept = |character: char| match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        other => other.is_alphanumeric().then_some(other),
    };
    text.trim().to_lowercase().chars().filter_map(kept).collect()
}

/// The contents of the headings.
fn headings(markdown: &str) -> Vec<&str> {
    let (mut headings, mut open) = (Vec::new(), None);
    for (event, range) in Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => open = Some(range.end..range.end),
            Event::End(TagEnd::Heading(_)) => {
                headings.extend(open.take().and_then(|it| markdown.get(it)));
            }
            _ => {
                if let Some(open) = &mut open {
                    *open = open.start.min(range.start)..range.end;
                }
            }
        }
    }
    headings
}

/// `markdown`, which stands on `page`, with links that lead to the translated headings.
pub fn linked(markdown: &str, page: &str, anchors: &Anchors) -> String {
    let mut linked = String::with_capacity(markdown.len());
    let mut parts = markdown.split("](");
    linked.extend(parts.next());
    for part in parts {
        let (target, rest) = part.split_at(target_end(part));
        linked.push_str("](");
        linked.push_str(
            &translated_target(target, page, anchors).unwrap_or_else(|| target.to_owned()),
        );
        linked.push_str(rest);
    }
    linked
}

/// Where a link's target ends: brackets in it are in pairs.
fn target_end(part: &str) -> usize {
    let mut depth = 0;
    for (at, character) in part.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => return at,
            ')' => depth -= 1,
            _ => {}
        }
    }
    part.len()
}

fn translated_target(target: &str, page: &str, anchors: &Anchors) -> Option<String> {
    let (file, heading) = target.split_once('#')?;
    let other = match file.rsplit('/').next() {
        Some("") | None => page.to_owned(),
        Some(name) if name.ends_with(MARKDOWN) => resolved(page, file),
        Some(name) => name.strip_suffix(NOTEBOOK)?.to_owned(),
    };
    let heading = anchors.get(&(other, heading.to_owned()))?;
    Some(format!("{file}#{heading}"))
}

/// The path from the root of what `page` calls `file`.
fn resolved(page: &str, file: &str) -> String {
    let mut path = PathBuf::new();
    for part in Path::new(page).with_file_name(file).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path.to_string_lossy().into_owned()
}

/// The addresses of the headings of a page in Markdown.
#[cfg(test)]
pub fn addresses(markdown: &str) -> Vec<String> {
    headings(markdown).into_iter().map(slug).collect()
}

/// The headings that `page` links to: the page itself, and for each link the other page and the heading.
#[cfg(test)]
pub fn targets(markdown: &str, page: &str) -> Vec<(String, (String, String))> {
    let parts = markdown.split("](").skip(1).map(|part| &part[..target_end(part)]);
    let headings = parts.filter_map(|target| target.split_once('#'));
    let other = |file: &str| if file.is_empty() { page.to_owned() } else { resolved(page, file) };
    headings.map(|(file, heading)| (page.to_owned(), (other(file), heading.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_the_addresses_that_github_gives_them() {
        let markdown =
            "# One\n\n## The `:dep` line, *twice*\n\n```sh\n# no heading\n```\n\nTwo\n===\n";
        assert_eq!(headings(markdown), ["One", "The `:dep` line, *twice*", "Two"]);
        assert_eq!(slug("The `:dep` line, *twice*"), "the-dep-line-twice");
        assert_eq!(slug("✗ `C++ compiler`"), "-c-compiler");
        assert_eq!(slug("内核：`:dep` 行（两次）"), "内核dep-行两次");
        assert_eq!(jupyter("The `:dep` line"), "The-:dep-line");
    }

    #[test]
    fn a_link_leads_to_the_translated_heading_of_its_page() {
        let key = |page: &str, heading: &str| (page.to_owned(), heading.to_owned());
        let anchors = Anchors::from([
            (key("docs/b.md", "size"), "大小".to_owned()),
            (key("docs/site/c.md", "size"), "尺寸".to_owned()),
            (key("01", "A-size"), "张量".to_owned()),
        ]);
        let linked = |markdown: &str| linked(markdown, "docs/site/c.md", &anchors);
        assert_eq!(linked("[a](../b.md#size)"), "[a](../b.md#大小)");
        assert_eq!(linked("[a](#size) [b](c.md#size)"), "[a](#尺寸) [b](c.md#尺寸)");
        assert_eq!(linked("[a](../x/01.ipynb#A-size)"), "[a](../x/01.ipynb#张量)");
        for other in
            ["[a](../b.md)", "[a](b.md#size)", "[a](https://x.org/f(x)#size)", "[a](x.rs#L1)"]
        {
            assert_eq!(linked(other), other);
        }
    }
}
