//! Links to the pages, from wherever a learner's notebook lies.

use std::path::{Component, Path, PathBuf};

/// How a link from an exercise notebook to something beside its folder begins.
const UP: &str = "](../";

/// Text in Markdown whose links `../…`, meant from the directory `from`, lead to the same files from
/// the directory `to`. A link that leads to a file from there as it is stays: the pages have been
/// copied along. So does one that leads nowhere. Both are absolute.
pub fn moved(text: &str, from: &Path, to: &Path) -> String {
    let mut parts = text.split(UP);
    let mut moved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let length = part.find([')', '#', ' ', '\n']).unwrap_or(part.len());
        let (target, rest) = part.split_at(length);
        let target = format!("../{target}");
        // `to` may not be there yet.
        let leads = |dir: &Path| resolved(&dir.join(&target)).exists();
        let is_moved = !leads(to) && leads(from);
        let link = if is_moved { relative(&from.join(&target), to) } else { target };
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

    /// A project with the file, and the directory of its exercises.
    fn project(root: &Path, file: &str) -> PathBuf {
        let exercises = root.join("notebooks/exercises");
        for dir in [&exercises, &root.join("docs")] {
            fs::create_dir_all(dir).expect("writable");
        }
        fs::write(root.join(file), "").expect("writable");
        exercises
    }

    #[test]
    fn links_lead_to_the_same_page_from_elsewhere() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let root = dir.path().join("a clone");
        let exercises = project(&root, "notebooks/03.ipynb");
        project(&root, "docs/list.md");
        let text =
            "see [Sizes](../03.ipynb#Sizes), [the list](../../docs/list.md), [x](x.md), [?](../4)";
        let to = |place: &str| moved(text, &exercises, &dir.path().join(place));
        assert_eq!(to("a clone/notebooks/my_exercises"), text);
        assert_eq!(
            to("home/my"),
            "see [Sizes](../../a%20clone/notebooks/03.ipynb#Sizes), \
             [the list](../../a%20clone/docs/list.md), [x](x.md), [?](../4)"
        );
    }

    #[test]
    fn links_to_pages_that_were_copied_along_stay() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let exercises = project(&dir.path().join("clone"), "notebooks/03.ipynb");
        let copy = dir.path().join("copy/my_exercises");
        let link = "[a](../03.ipynb)";
        assert_eq!(moved(link, &exercises, &copy), "[a](../../clone/notebooks/03.ipynb)");
        project(&dir.path().join("copy"), "03.ipynb");
        assert_eq!(moved(link, &exercises, &copy), link);
    }
}
