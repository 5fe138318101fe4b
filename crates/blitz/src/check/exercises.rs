//! The exercises of one notebook: their titles, hints, checks and how far one is.

use std::path::{Path, PathBuf};

use super::cases::{Cases, NotSolved};
use super::progress::{Progress, State};
use crate::display::{self, Bundle, Html, Markdown, escape};
use crate::error::{Error, Result};
use crate::language::{say, told};

/// Where what is solved is noted, from the notebook's folder.
const DIR: &str = ".progress";

/// The exercises of a notebook, declared at its top. What is solved is noted in the folder
/// `.progress` beside the notebook.
#[derive(Clone, Debug)]
pub struct Exercises {
    name: String,
    dir: PathBuf,
    all: Vec<Exercise>,
}

#[derive(Clone, Debug)]
struct Exercise {
    id: String,
    title: String,
    hints: Vec<String>,
}

impl Exercises {
    /// No exercises yet. What is solved is noted under `name`, the notebook's name without `.ipynb`.
    pub fn new(name: &str) -> Exercises {
        Exercises { name: name.to_owned(), dir: PathBuf::from(DIR), all: Vec::new() }
    }

    /// Notes what is solved in `dir` instead.
    pub fn keep_in(mut self, dir: impl AsRef<Path>) -> Exercises {
        self.dir = dir.as_ref().to_owned();
        self
    }

    /// Adds an exercise: the `id` by which it is checked, its title, and its hints, the lightest first.
    pub fn exercise(mut self, id: &str, title: &str, hints: &[&str]) -> Exercises {
        let hints = hints.iter().map(|hint| (*hint).to_owned()).collect();
        self.all.push(Exercise { id: id.to_owned(), title: title.to_owned(), hints });
        self
    }

    /// Checks the exercise `id`; [`check!`](crate::check!) calls it. Prints a line where it is
    /// solved, and notes whether it is.
    ///
    /// # Errors
    /// There is no such exercise; an answer is not as expected, panics or is not written yet.
    pub fn check(
        &self,
        id: &str,
        cases: impl FnOnce(&mut Cases) -> std::result::Result<(), NotSolved>,
    ) -> Result<()> {
        let exercise = self.find(id)?;
        self.end(exercise, cases(&mut Cases::new()))
    }

    /// Notes the outcome of a check, and says it.
    fn end(&self, exercise: &Exercise, outcome: std::result::Result<(), NotSolved>) -> Result<()> {
        let id = &exercise.id;
        if let Err(error) = self.progress_file().note(id, outcome.is_ok()) {
            eprintln!("{}", told(&format!("What is solved is not remembered: {error}")));
        }
        let Err(NotSolved(reason)) = outcome else {
            println!("✓ {id}: {}", exercise.title);
            return Ok(());
        };
        let hints = match exercise.hints.len() {
            0 => String::new(),
            1 => "\nA hint: exercises.hint(1)".to_owned(),
            hints => format!("\nHints: exercises.hint(1) to exercises.hint({hints})"),
        };
        let exercise = format!("{id} ({})", exercise.title);
        Err(Error::Exercise { exercise, reason: reason + &hints })
    }

    /// Shows hint `step`, counted from 1, to the exercise that was checked last, or, where that is
    /// solved, to the first that is not; or says that there is none.
    pub fn hint(&self, step: usize) {
        match self.current() {
            Some(exercise) => self.hint_for(&exercise.id, step),
            None => say("Every exercise is solved."),
        }
    }

    /// Shows hint `step`, counted from 1, to the exercise `id`; or says that there is none.
    pub fn hint_for(&self, id: &str, step: usize) {
        match self.hint_text(id, step) {
            Ok(hint) => display::show(Markdown(told(&hint))),
            Err(error) => say(&error.to_string()),
        }
    }

    /// Shows a bar and a table of what is solved.
    pub fn progress(&self) {
        display::show(self.overview());
    }

    /// The exercise that was checked last; where that is solved, the first that is not.
    fn current(&self) -> Option<&Exercise> {
        let State { solved, current } = self.progress_file().read();
        let is_open = |id: &str| !solved.iter().any(|it| it == id);
        let current = current.filter(|id| is_open(id));
        let first = || self.all.iter().find(|it| is_open(&it.id));
        current.and_then(|id| self.find(&id).ok()).or_else(first)
    }

    fn hint_text(&self, id: &str, step: usize) -> Result<String> {
        let Exercise { title, hints, .. } = self.find(id)?;
        let count = hints.len();
        if let Some(hint) = step.checked_sub(1).and_then(|index| hints.get(index)) {
            let other = "*Of another exercise:* `exercises.hint_for(\"1\", 1)`";
            return Ok(format!("**Exercise {id}, hint {step} of {count}.** {hint}\n\n{other}"));
        }
        let has = match count {
            0 => "no hints".to_owned(),
            1 => "one hint, hint(1)".to_owned(),
            _ => format!("{count} hints, hint(1) to hint({count})"),
        };
        Err(format!("exercise {id} ({title}) has {has}").into())
    }

    fn find(&self, id: &str) -> Result<&Exercise> {
        self.all.iter().find(|it| it.id == id).ok_or_else(|| {
            let known: Vec<&str> = self.all.iter().map(|it| it.id.as_str()).collect();
            Error::option("id", format!("one of {}", known.join(", ")), id)
        })
    }

    fn progress_file(&self) -> Progress {
        Progress::new(&self.dir, &self.name)
    }

    fn overview(&self) -> Bundle {
        let solved = self.progress_file().read().solved;
        let is_solved = |it: &&Exercise| solved.contains(&it.id);
        let (done, count) = (self.all.iter().filter(is_solved).count(), self.all.len());
        let rows: String = self
            .all
            .iter()
            .map(|it| {
                let mark = told(if is_solved(&it) { "✓ solved" } else { "to do" });
                let (id, title) = (escape(&it.id), escape(&it.title));
                format!("<tr><th scope=\"row\">{id}</th><td>{title}</td><td>{mark}</td></tr>")
            })
            .collect();
        let summed = told(&format!("{done} of {count} exercises solved"));
        let [number, title, state] = [told("Exercise"), told("Title"), told("State")];
        let html = format!(
            "<p><progress max=\"{count}\" value=\"{done}\" aria-label=\"{summed}\"></progress> \
             {summed}</p><table><thead><tr><th>{number}</th><th>{title}</th><th>{state}</th></tr>\
             </thead><tbody>{rows}</tbody></table>"
        );
        let open = self.all.iter().filter(|it| !is_solved(it));
        let open: Vec<String> = open.map(|it| format!("{} ({})", it.id, it.title)).collect();
        let alt = match open.is_empty() {
            true => format!("{summed}."),
            false => told(&format!("{summed}. To do: {}.", open.join(", "))),
        };
        Html(html).with_alt(alt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;
    use crate::display::Show;

    fn two(dir: &Path) -> Exercises {
        Exercises::new("x").keep_in(dir).exercise("1", "Halves", &["Divide.", "By two."]).exercise(
            "2",
            "Sums <of>",
            &[],
        )
    }

    fn check_half(exercises: &Exercises, half: impl Fn(i64) -> i64) -> Result<()> {
        check!(exercises, "1", {
            half(4) => 2, "what is left of it?";
            half(9) => 4;
        });
        Ok(())
    }

    #[test]
    fn an_answer_is_right_wrong_unwritten_or_panics() {
        let dir = tempfile::tempdir().unwrap();
        let exercises = two(dir.path());
        check_half(&exercises, |x| x / 2).unwrap();
        let told = |half: fn(i64) -> i64| check_half(&exercises, half).unwrap_err().to_string();
        assert_eq!(
            told(|x| x - 1),
            "exercise 1 (Halves): `half(4)` gave 3, expected 2\n→ what is left of it?\n\
             Hints: exercises.hint(1) to exercises.hint(2)"
        );
        let unwritten = told(|_| todo!("half of x"));
        assert!(unwritten.starts_with("exercise 1 (Halves): not written yet: half of x\nHints"));
        assert!(told(|_| todo!()).starts_with("exercise 1 (Halves): not written yet\nHints"));
        let unwrapped = told(|x| {
            let odd: Result<i64> = if x > 0 { Err("no half".into()) } else { Ok(x) };
            odd.unwrap()
        });
        assert!(unwrapped.contains("`half(4)` panicked: no half\n"), "{unwrapped}");
        let odd = told(|x| if x == 9 { panic!("odd") } else { 2 });
        assert!(odd.starts_with("exercise 1 (Halves): `half(9)` panicked: odd\nHints"), "{odd}");
    }

    #[test]
    fn errors_leave_an_answer_and_what_is_expected() {
        let dir = tempfile::tempdir().unwrap();
        let exercises = two(dir.path());
        let told = |got: fn() -> Result<i64>, expected: fn() -> Result<i64>| {
            let checked: Result<()> = (|| {
                check!(exercises, "1", { got()? + 1 => expected()?; });
                Ok(())
            })();
            checked.err().map(|error| error.to_string())
        };
        assert_eq!(told(|| Ok(1), || Ok(2)), None);
        let first = |told: Option<String>| told.unwrap().lines().next().unwrap().to_owned();
        let got = first(told(|| Err("no file".into()), || Ok(2)));
        assert_eq!(got, "exercise 1 (Halves): `got()? + 1` gave an error: no file");
        let expected = first(told(|| Ok(1), || Err("no file".into())));
        assert_eq!(expected, "exercise 1 (Halves): `got()? + 1` cannot be checked: no file");
        // As a launched process tells it.
        let rank = || {
            let message = "panicked: not yet implemented: the sum".to_owned();
            Err(Error::Rank { rank: 0, world_size: 2, message })
        };
        assert_eq!(first(told(rank, || Ok(2))), "exercise 1 (Halves): not written yet: the sum");
    }

    #[test]
    fn hints_are_those_of_the_exercise() {
        let dir = tempfile::tempdir().unwrap();
        let exercises = two(dir.path());
        let told =
            |id, step| exercises.hint_text(id, step).unwrap_or_else(|error| error.to_string());
        assert_eq!(
            told("1", 1),
            "**Exercise 1, hint 1 of 2.** Divide.\n\n*Of another exercise:* `exercises.hint_for(\"1\", 1)`"
        );
        assert_eq!(told("1", 3), "exercise 1 (Halves) has 2 hints, hint(1) to hint(2)");
        assert_eq!(told("1", 0), told("1", 3));
        assert_eq!(told("2", 1), "exercise 2 (Sums <of>) has no hints");
        assert_eq!(told("7", 1), "option id must be one of 1, 2, got 7");
    }

    #[test]
    fn a_hint_is_for_what_was_checked_last_or_is_not_solved() {
        let dir = tempfile::tempdir().unwrap();
        let exercises = two(dir.path());
        let current = || exercises.current().map(|it| it.id.clone());
        assert_eq!(current().as_deref(), Some("1"));
        check_half(&exercises, |x| x / 2).unwrap();
        assert_eq!(current().as_deref(), Some("2"));
        assert!(check_half(&exercises, |x| x).is_err());
        assert_eq!(current().as_deref(), Some("1"));
    }

    #[test]
    fn the_overview_knows_what_an_earlier_kernel_solved() {
        let dir = tempfile::tempdir().unwrap();
        check_half(&two(dir.path()), |x| x / 2).unwrap();
        let shown = two(dir.path()).overview().bundle();
        assert_eq!(shown.alt(), Some("1 of 2 exercises solved. To do: 2 (Sums <of>)."));
        let html = shown.form("text/html").unwrap().as_str().unwrap().to_owned();
        assert!(html.contains("value=\"1\"") && html.contains("Sums &lt;of&gt;"), "{html}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_does_not_fail_an_exercise() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a file");
        std::fs::write(&file, "").unwrap();
        check_half(&two(&file), |x| x / 2).unwrap();
    }
}
