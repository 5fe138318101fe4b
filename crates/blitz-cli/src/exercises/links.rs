//! Links to the pages, from wherever a learner's notebook lies.

use std::path::{Component, Path, PathBuf};

/// How a link from an exercise notebook to something beside its folder begins.
const UP: &str = "](../";

/// Text in Markdown whose links `../…`, meant from the directory `from`, lead to the same files from
/// the directory `to`. A link that leads to a file from there as it is stays: the pages have been
/// copied along. Both are absolute.
pub fn moved(text: &str, from: &Path, to: &Path) -> String {
    let mut parts = text.split(UP);
    let mut moved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let length = part.find([')', '#', ' ', '\n']).unwrap_or(part.len());
        let (target, rest) = part.split_at(length);
        let target = format!("../{target}");
        let goes = from.parent() != to.parent() && !to.join(&target).exists();
        let link = if goes { relative(&from.join(&target), to) } else { target };
        moved += &format!("]({link}{rest}");
    }
    moved
}

/// The way from the directory `from` to `path`, as it is written in a link.
fn relative(path: &Path, from: &Path) -> String {
    let (path, from) = (resolved(path), resolved(from));
    let common = path.iter().zip(&from).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..".to_owned(), from.iter().count() - common);
    let down = path.iter().skip(common).map(|name| name.to_string_lossy().replace(' ', "%20"));
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The path without `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                resolved.pop();
            }
            other => resolved.push(other),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn links_lead_to_the_same_page_from_elsewhere() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let exercises = dir.path().join("blitz/notebooks/exercises");
        let text =
            "see [Sizes](../03_nets.ipynb#Sizes) and [the list](../../docs/a b.md), [x](x.md)";
        let beside = exercises.with_file_name("my_exercises");
        assert_eq!(moved(text, &exercises, &beside), text);
        assert_eq!(
            moved(text, &exercises, &dir.path().join("home/my")),
            "see [Sizes](../../blitz/notebooks/03_nets.ipynb#Sizes) and [the list](../../blitz/docs/a b.md), \
             [x](x.md)"
        );
    }

    #[test]
    fn links_to_pages_that_were_copied_along_stay() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let copy = dir.path().join("copy/my_exercises");
        fs::create_dir_all(&copy).expect("writable");
        fs::write(copy.with_file_name("03.ipynb"), "").expect("writable");
        let from = dir.path().join("notebooks/exercises");
        assert_eq!(moved("[a](../03.ipynb)", &from, &copy), "[a](../03.ipynb)");
        assert_eq!(moved("[a](../04.ipynb)", &from, &copy), "[a](../../notebooks/04.ipynb)");
    }
}
