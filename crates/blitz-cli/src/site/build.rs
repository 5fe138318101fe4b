//! Making the site.

use super::edition::Edition;
use super::source::Source;
use super::sphinx::{self, Builder};
use super::{api, downloads};
use crate::process::progress::Board;
use crate::project::Project;
use crate::setup::kernelspecs;
use anyhow::{Context, Result, anyhow};
use std::fs;
use std::path::{Path, PathBuf};

/// Sphinx's settings, templates and styles.
const TEMPLATES: &str = "crates/blitz-cli/templates/site";

/// Makes the pages of all languages in `site`, and returns what Sphinx warns of.
///
/// # Errors
/// A page cannot be read or written, or Sphinx or rustdoc fails.
pub fn build(project: &Project, source: &Source, site: &Path) -> Result<Vec<String>> {
    let editions = Edition::all(project)?;
    let sources = project.own_path(&format!("site-{}", std::process::id()));
    let made = make(project, source, &editions, &sources, site);
    // A directory that stays behind does no harm; `cargo blitz clean --all` removes it.
    let _ = fs::remove_dir_all(&sources);
    made
}

fn make(
    project: &Project,
    source: &Source,
    editions: &[Edition],
    sources: &Path,
    site: &Path,
) -> Result<Vec<String>> {
    let board = Board::default();
    std::thread::scope(|scope| {
        let api = scope.spawn(|| {
            let step = board.step("documenting the crate blitz");
            let documented = api::document(project, &step, &site.join("api"));
            step.end(documented, |()| String::new())
        });
        let pages: Vec<_> = editions
            .iter()
            .map(|edition| {
                let board = &board;
                scope.spawn(move || -> Result<Vec<String>> {
                    let step =
                        board.step(format!("writing pages in {}", edition.words["language"]));
                    let dir = sources.join(&edition.language);
                    let target = site.join(&edition.dir);
                    let written = prepare(project, &dir)
                        .and_then(|()| edition.write(source, editions, &dir))
                        .and_then(|()| downloads::write(source, edition, site))
                        .and_then(|()| sphinx::build(project, &step, Builder::Html, &dir, &target));
                    step.end(written, |_| String::new())
                })
            })
            .collect();
        let mut warnings = Vec::new();
        for page in pages {
            warnings.extend(page.join().map_err(|_| anyhow!("the pages: a panic"))??);
        }
        api.join().map_err(|_| anyhow!("the documentation: a panic"))??;
        Ok(warnings)
    })
}

/// Copies Sphinx's settings, templates and styles to `dir`.
fn prepare(project: &Project, dir: &Path) -> Result<()> {
    copy(&project.path(TEMPLATES), dir)?;
    let logo = dir.join("_static/logo.svg");
    fs::write(&logo, kernelspecs::LOGO).with_context(|| format!("cannot write {}", logo.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let path: PathBuf = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}
