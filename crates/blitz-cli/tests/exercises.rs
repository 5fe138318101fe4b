//! `cargo blitz exercises` as a learner uses it.

mod common;

use common::{SMALL_EXERCISES, blitz, run};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A project with the small notebook as its exercises.
fn project() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for file in ["crates/blitz/Cargo.toml", "Cargo.lock"] {
        fs::create_dir_all(dir.path().join(file).parent().expect("a directory")).expect("writable");
        fs::write(dir.path().join(file), "").expect("writable");
    }
    let exercises = dir.path().join("notebooks/exercises");
    fs::create_dir_all(&exercises).expect("writable");
    fs::copy(SMALL_EXERCISES, exercises.join("01_small.ipynb")).expect("writable");
    let mine = dir.path().join("notebooks/my_exercises");
    (dir, mine)
}

fn exercises(project: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    run(blitz().arg("--root").arg(project).arg("exercises").args(arguments))
}

fn cells(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a notebook");
    let notebook: Value = serde_json::from_str(&text).expect("JSON");
    notebook["cells"].as_array().expect("cells").clone()
}

fn source(cells: &[Value], id: &str) -> String {
    let cell = cells.iter().find(|cell| cell["id"] == id).expect("the cell");
    cell["source"].as_array().expect("lines").iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_learner_gets_notebooks_and_keeps_the_work() {
    let (dir, mine) = project();
    let (code, told) = exercises(dir.path(), &[]);
    assert_eq!((code, told.as_str()), (Some(0), "notebooks/my_exercises/01_small.ipynb: made\n"));
    let notebook = mine.join("01_small.ipynb");
    let made = cells(&notebook);
    assert!(source(&made, "ex1").contains("    todo!(\"write this\")\n}"));
    assert!(source(&made, "ex2").contains("        total += number;\n        break;\n    }"));
    assert!(source(&made, "ex3").contains("\n    (largest, numbers.len())\n}"));
    assert!(source(&made, "ex2-check-solution").contains("        total += number;\n    }\n"));
    let text = fs::read_to_string(&notebook).expect("a notebook");
    for hidden in ["HIDDEN", "BEGIN SOLUTION", "INSTEAD", "mutations", "rounded down"] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    fs::write(&notebook, text.replace("write this", "half done")).expect("writable");
    let (code, told) = exercises(dir.path(), &["01"]);
    assert!(code == Some(0) && told.contains("kept, your work is in it; "), "{told}");
    let (code, told) = exercises(dir.path(), &["--fresh"]);
    let aside = "made anew; yours is notebooks/my_exercises/01_small.1.ipynb";
    assert!(code == Some(0) && told.contains(aside), "{told}");
    assert!(source(&cells(&mine.join("01_small.1.ipynb")), "ex1").contains("half done"));
    assert!(source(&cells(&notebook), "ex1").contains("write this"));
}

#[test]
fn a_badly_marked_notebook_is_named_with_its_cell_and_line() {
    let (dir, mine) = project();
    let path = dir.path().join("notebooks/exercises/01_small.ipynb");
    let text = fs::read_to_string(&path).expect("a notebook");
    fs::write(&path, text.replacen("    // END SOLUTION\\n", "    // END\\n", 1))
        .expect("writable");
    let (code, told) = exercises(dir.path(), &[]);
    assert_eq!(code, Some(1));
    assert!(
        told.contains("01_small.ipynb, cell ex1, line 2: `// BEGIN SOLUTION` without"),
        "{told}"
    );
    assert!(!mine.exists());
}

#[test]
fn names_and_places_that_cannot_be_meant_are_refused() {
    let (dir, _) = project();
    let (code, told) = exercises(dir.path(), &["07"]);
    assert!(code == Some(2) && told.contains("no notebook named `07`"), "{told}");
    let here = dir.path().join("notebooks/exercises").display().to_string();
    let (code, told) = exercises(dir.path(), &["--to", &here]);
    assert!(code == Some(2) && told.contains("would overwrite another notebook"), "{told}");
    let (code, _) = exercises(dir.path(), &[]);
    assert_eq!(code, Some(0));
    let made = dir.path().join("notebooks/my_exercises/01_small.ipynb").display().to_string();
    let (code, told) = exercises(dir.path(), &[&made, "--to", &here]);
    assert!(code == Some(1) && told.contains("is a learner's notebook"), "{told}");
}
