//! Making the site.

use super::book::{self, Book};
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

/// What is made, and where.
struct Making<'a> {
    project: &'a Project,
    source: &'a Source,
    editions: &'a [Edition],
    /// Sphinx works in a folder of this directory for each edition.
    work: &'a Path,
    site: &'a Path,
    book: Book,
    board: Board,
}

/// Makes the pages of all languages in `site`, and returns what Sphinx warns of.
///
/// # Errors
/// A page cannot be read or written, or Sphinx or rustdoc fails, or nothing can be printed.
pub fn build(project: &Project, source: &Source, site: &Path, book: Book) -> Result<Vec<String>> {
    let editions = Edition::all(project)?;
    let work = project.own_path(&format!("site-{}", std::process::id()));
    let board = Board::default();
    let making = Making { project, source, editions: &editions, work: &work, site, book, board };
    let made = making.all();
    // A directory that stays behind does no harm; `cargo blitz clean --all` removes it.
    let _ = fs::remove_dir_all(&work);
    made
}

impl Making<'_> {
    /// Everything; languages at the same time.
    fn all(&self) -> Result<Vec<String>> {
        std::thread::scope(|scope| {
            let api = scope.spawn(|| self.api());
            let pages: Vec<_> =
                self.editions.iter().map(|it| scope.spawn(|| self.edition(it))).collect();
            let mut warnings = Vec::new();
            for page in pages {
                warnings.extend(page.join().map_err(|_| anyhow!("the pages: a panic"))??);
            }
            // One after the other: a browser takes a gigabyte for it.
            if self.book == Book::Printed {
                self.editions.iter().try_for_each(|it| self.print(it))?;
            }
            api.join().map_err(|_| anyhow!("the documentation: a panic"))??;
            Ok(warnings)
        })
    }

    fn api(&self) -> Result<()> {
        let step = self.board.step("documenting the crate blitz");
        let documented = api::document(self.project, &step, &self.site.join("api"));
        step.end(documented, |()| String::new())
    }

    fn edition(&self, edition: &Edition) -> Result<Vec<String>> {
        let step = self.board.step(format!("writing pages in {}", edition.words["language"]));
        let dir = self.work.join(&edition.language);
        // MyST-NB also writes beside the directory that it is given.
        let pages = dir.join("_out/html");
        let written = prepare(self.project, &dir)
            .and_then(|()| edition.write(self.source, self.editions, self.book, &dir))
            .and_then(|()| sphinx::build(self.project, &step, Builder::Html, &dir, &pages))
            .and_then(|warnings| {
                copy(&pages, &self.site.join(&edition.dir))?;
                downloads::write(self.source, edition, self.site)?;
                Ok(warnings)
            });
        step.end(written, |_| String::new())
    }

    /// All pages of an edition as a PDF.
    fn print(&self, edition: &Edition) -> Result<()> {
        let step = self.board.step(format!("printing pages in {}", edition.words["language"]));
        let dir = self.work.join(&edition.language);
        let pages = dir.join("_out/book");
        let pdf = self.site.join(&edition.dir).join(book::FILE);
        let printed = sphinx::build(self.project, &step, Builder::Book, &dir, &pages)
            .and_then(|_| book::print(self.project, &step, &pages.join("index.html"), &pdf));
        step.end(printed, |()| String::new())
    }
}

/// Copies Sphinx's settings, templates and styles to `dir`.
fn prepare(project: &Project, dir: &Path) -> Result<()> {
    copy(&project.path(TEMPLATES), dir)?;
    let logo = dir.join("_static/logo.svg");
    fs::write(&logo, kernelspecs::LOGO).with_context(|| format!("cannot write {}", logo.display()))
}

/// Copies the files of a directory and of those in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let path: PathBuf = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
            fs::copy(&path, &target)
                .with_context(|| format!("cannot copy {} to {}", path.display(), to.display()))?;
        }
    }
    Ok(())
}
