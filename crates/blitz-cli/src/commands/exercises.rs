//! `cargo blitz exercises`: notebooks to work in, made of those with the solutions.

use crate::disk::name;
use crate::exercises::{Words, make};
use crate::notebook::find::find_in;
use crate::notebook::made::{Existing, Made};
use crate::notebook::nbformat::Notebook;
use crate::project::Project;
use crate::usage::Usage;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of `exercises`.
#[derive(Args)]
pub struct ExercisesOptions {
    /// Notebooks of notebooks/exercises: 03, 03_neural_networks, or the path of one of your own; all
    /// if none is named
    #[arg(value_name = "NOTEBOOK")]
    pub notebooks: Vec<String>,
    /// Where they go [default: notebooks/my_exercises]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Begin anew: a notebook that you have worked in is kept beside the new one, as 03_….1.ipynb
    #[arg(long)]
    pub fresh: bool,
}

/// Makes the learner's versions, and says what became of each.
///
/// # Errors
/// An unknown name, a source that is badly marked, or a place that cannot be written.
pub fn exercises(project: &Project, options: &ExercisesOptions) -> Result<()> {
    if options.to.is_none() && is_closed(project) {
        bail!(
            "{} is not yours to write. Name a place of your own: {} exercises --to ~/exercises",
            project.notebooks_dir().display(),
            program()
        );
    }
    let sources = find_in(&project.exercises_dir(), &options.notebooks)?;
    let dir = match &options.to {
        Some(dir) => std::path::absolute(dir)?,
        None => project.my_exercises_dir(),
    };
    check_places(&sources, &dir)?;
    let existing = if options.fresh { Existing::MoveAside } else { Existing::Keep };
    for source in &sources {
        let made = make(source, &dir, existing, &Words::default())
            .with_context(|| format!("the exercises {} could not be made", source.name()))?;
        println!("{}", told(project, &dir.join(file_name(source)), &made));
    }
    Ok(())
}

/// Makes those that are missing, and renews those that nobody has touched, for somebody who is about to
/// open the notebooks; what hinders that is said in one line.
pub fn make_quietly(project: &Project) {
    if !project.exercises_dir().is_dir() || is_closed(project) {
        return;
    }
    let dir = project.my_exercises_dir();
    let made = find_in(&project.exercises_dir(), &[]).and_then(|sources| {
        let made =
            sources.iter().map(|source| make(source, &dir, Existing::Keep, &Words::default()));
        made.collect::<Result<Vec<Made>>>()
    });
    match made {
        Ok(made) => {
            let count = made.iter().filter(|made| made.is_new()).count();
            if count > 0 {
                eprintln!("Exercises to work in: {} ({count} made)", name(project, &dir));
            }
        }
        Err(error) => eprintln!("note: the exercises were not made: {error:#}"),
    }
}

/// Whether the usual place cannot be written, as in a clone that is somebody else's.
fn is_closed(project: &Project) -> bool {
    let mine = project.my_exercises_dir();
    let dir = if mine.exists() { mine } else { project.notebooks_dir() };
    dir.exists() && !blitz_user_dirs::is_writable(&dir)
}

/// Fails where a notebook would take another one's place, or its source's.
fn check_places(sources: &[Notebook], dir: &Path) -> Result<()> {
    for (index, source) in sources.iter().enumerate() {
        let taken = sources[..index].iter().any(|other| file_name(other) == file_name(source));
        if taken || source.path().parent() == Some(dir) {
            return Err(Usage(format!(
                "the learner's version of {} would overwrite another notebook in {}; name it once, or \
                 choose another place with --to DIR",
                source.path().display(),
                dir.display()
            ))
            .into());
        }
    }
    Ok(())
}

fn told(project: &Project, path: &Path, made: &Made) -> String {
    let path = name(project, path);
    let command = "cargo blitz exercises --fresh";
    match made {
        Made::New => format!("{path}: made"),
        Made::Renewed => format!("{path}: made anew, nobody had worked in it"),
        Made::AsItWas => format!("{path}: is there, nobody has worked in it yet"),
        Made::Kept { is_outdated: false } => {
            format!("{path}: kept, your work is in it; `{command}` begins anew beside it")
        }
        Made::Kept { is_outdated: true } => format!(
            "{path}: kept, your work is in it. The exercises have changed since; `{command}` makes the \
             new ones and keeps yours beside them"
        ),
        Made::MovedAside(aside) => {
            format!("{path}: made anew; yours is {}", name(project, aside))
        }
    }
}

fn file_name(notebook: &Notebook) -> PathBuf {
    notebook.path().file_name().unwrap_or_default().into()
}

/// How this program is called where cargo cannot run.
fn program() -> String {
    blitz_contract::program::path()
        .map_or("cargo blitz".to_owned(), |path| path.display().to_string())
}
