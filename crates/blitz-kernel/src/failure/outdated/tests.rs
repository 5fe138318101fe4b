use super::*;
use crate::notebook::cell::Cell;
use crate::notebook::definition::Origin;

/// A notebook whose cells are run one after the other.
#[derive(Default)]
struct Cells {
    store: Store,
    outdated: Outdated,
    variables: Vec<String>,
    cell: usize,
}

impl Cells {
    fn runs(&mut self, code: &str) -> Vec<String> {
        self.runs_as(code, None)
    }

    /// Runs the cell that the client calls `id`. Returns what is noted.
    fn runs_as(&mut self, code: &str, id: Option<&str>) -> Vec<String> {
        self.cell += 1;
        let notes = self.notes(code);
        let origin = Origin { cell: self.cell, ..Origin::default() };
        let cell = Cell::parse(code, &origin, |_| false).expect("the cell is Rust");
        self.store = self.store.with_cell(cell.definitions, id);
        let defined = Defined::by(code);
        self.variables.extend(defined.variables.iter().cloned());
        self.outdated.succeeded(&defined, self.cell, id);
        notes
    }

    fn fails(&mut self, code: &str) -> Vec<String> {
        self.fails_as(code, None, "compile error")
    }

    fn fails_as(&mut self, code: &str, id: Option<&str>, ename: &str) -> Vec<String> {
        self.cell += 1;
        let notes = self.notes(code);
        let newer = Newer::new(self.cell, id, ename);
        self.outdated.failed(&Defined::by(code), &newer, &self.store);
        notes
    }

    fn notes(&self, code: &str) -> Vec<String> {
        let variables = self.variables.iter().map(String::as_str).collect();
        let in_use = InUse { store: &self.store, variables };
        let notes = self.outdated.notes(code, &Defined::by(code), &in_use);
        notes.iter().map(|it| it.replace(NOTE, "note").trim_end().to_owned()).collect()
    }
}

#[test]
fn an_older_function_is_told_until_the_newer_one_compiles() {
    let mut notebook = Cells::default();
    notebook.runs("fn size() -> u8 { 1 }");
    assert_eq!(notebook.runs("size(); size()"), [""; 0]);
    notebook.fails("fn size() -> u8 { x }");
    let told =
        ["note: `size` here is that of cell [1]: the newer one, in cell [3], did not compile."];
    assert_eq!(notebook.runs("size(); size()"), told);
    assert_eq!(notebook.runs("println!(\"{}\", size())"), told);
    for other in ["tensor.size()", "Shape { size: 1 }", "// size", "\"size\"", "let size = 1; size"]
    {
        assert_eq!(notebook.notes(other), [""; 0], "{other}");
    }
    notebook.runs("fn size() -> u8 { 2 }");
    assert_eq!(notebook.runs("size()"), [""; 0]);
}

#[test]
fn a_variable_is_no_part_of_a_path() {
    let mut notebook = Cells::default();
    notebook.runs("let new = 1;");
    notebook.fails("let new = x;");
    for path in ["Net::new(&root)", "println!(\"{}\", Net::new(1))", "size.new()"] {
        assert_eq!(notebook.notes(path), [""; 0], "{path}");
    }
    for use_of_it in ["new + 1", "f(new)", "S { size: new }", "println!(\"{new}\")"] {
        assert_eq!(notebook.notes(use_of_it).len(), 1, "{use_of_it}");
    }
}

#[test]
fn the_older_one_run_again_is_the_newest() {
    let mut notebook = Cells::default();
    notebook.runs("fn f() {}");
    notebook.fails("fn f( {}");
    notebook.runs("fn f() {}");
    assert_eq!(notebook.runs("f()"), [""; 0]);
}

#[test]
fn what_is_used_by_what_is_used_counts() {
    let mut notebook = Cells::default();
    notebook.runs("fn inner() {}\nfn outer() { inner() }\nfn other() {}");
    notebook.fails("fn inner() { x }");
    assert_eq!(notebook.runs("outer()").len(), 1);
    assert_eq!(notebook.runs("other()"), [""; 0]);
}

#[test]
fn types_methods_traits_macros_and_imports() {
    let mut notebook = Cells::default();
    let cells = [
        "struct Net { a: u8 }",
        "impl Net { fn new() -> Net { Net { a: 1 } } fn get(&self) -> u8 { self.a } }",
        "impl Clone for Net { fn clone(&self) -> Net { Net { a: 2 } } }",
        "macro_rules! twice { ($e:expr) => { 2 * $e } }",
        "use std::collections::HashMap;",
    ];
    for cell in cells {
        notebook.runs(cell);
    }
    notebook.fails("impl Net { fn new() -> Net { Net { a: 1 } } fn get(&self) -> u8 { self.b } }");
    assert_eq!(notebook.notes("Net::new();"), [""; 0], "`new` is the same");
    let get =
        "note: `Net::get` here is that of cell [2]: the newer one, in cell [6], did not compile.";
    assert_eq!(notebook.notes("Net::new().get()"), [get]);
    notebook.fails("impl Clone for Net { fn clone(&self) -> Net { Net { b: 2 } } }");
    assert!(
        notebook.notes("Net::new();")[0].contains("`impl Clone for Net` here is that of cell [3]")
    );
    notebook.fails("macro_rules! twice { ($e:expr) => { 2 * } }\ntwice!(1)");
    assert!(notebook.notes("twice!(2)")[0].contains("`twice!` here is that of cell [4]"));
    notebook.fails("use std::HashMap;");
    assert!(notebook.notes("HashMap::new()")[0].contains("`HashMap` here is that of cell [5]"));
    notebook.fails("struct Net { a u8 }");
    assert!(notebook.notes("let net: Net;").iter().any(|it| it.contains("`Net` here is that of")));
}

#[test]
fn variables_too_however_their_cell_failed() {
    let mut notebook = Cells::default();
    notebook.runs("let (x, y) = (1, 2);");
    notebook.fails_as("let x = g()?;", None, "Error");
    let told =
        ["note: `x` here is that of cell [1]: the newer one, in cell [2], ended with an error."];
    assert_eq!(notebook.runs("println!(\"{x:?}\");"), told);
    assert_eq!(notebook.runs("y"), [""; 0]);
    notebook.runs("let x = 5;");
    assert_eq!(notebook.runs("x"), [""; 0]);
    notebook.fails("let z = 1 +;");
    assert_eq!(notebook.notes("z"), [""; 0], "there is no older one");
}

#[test]
fn what_came_before_its_cell_failed_is_the_newest() {
    let mut notebook = Cells::default();
    notebook.runs("fn f() -> u8 { 1 }");
    notebook.runs("fn f() -> u8 { 2 }");
    notebook.fails_as("fn f() -> u8 { 2 }\npanic!()", None, "panic");
    assert_eq!(notebook.runs("f()"), [""; 0]);
}

#[test]
fn a_cell_run_again_without_it_has_no_newer_version() {
    let mut notebook = Cells::default();
    notebook.runs_as("fn f() {}", Some("a"));
    notebook.fails_as("fn f() { x }", Some("b"), "compile error");
    assert_eq!(notebook.notes("f()").len(), 1);
    notebook.runs_as("fn g() {}", Some("b"));
    assert_eq!(notebook.notes("f()"), [""; 0]);
}
