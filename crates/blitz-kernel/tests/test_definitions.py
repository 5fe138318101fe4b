"""What a notebook defines: run again, changed, set aside, and back."""

# A cell on one line is easier to read than one in pieces.
# ruff: noqa: E501

import pytest
from driver import Kernel

NET = "struct Net { conv: i64, fc: i64 }"
NEW = "impl Net {\n    fn new() -> Net {\n        Net { conv: 6, fc: 1 }\n    }\n}"


@pytest.fixture
def notebook(kernel):
    """A kernel in which nothing is defined."""
    kernel.execute(":clear").ok()
    return kernel


def run(kernel, *cells):
    """Runs cells, the last of which shows a value."""
    for cell in cells:
        last = kernel.execute(cell).ok()
    return last.result and last.result["text/plain"]


def error(kernel, cell):
    request = kernel.execute(cell)
    assert request.status == "error", request.summary()
    return request.traceback


class TestRunAgain:
    def test_a_method_changed_is_the_one_that_is_called(self, notebook):
        assert run(notebook, NET, NEW, "Net::new().conv") == "6"
        assert run(notebook, NEW.replace("6", "12"), "Net::new().conv") == "12"

    def test_functions_of_earlier_cells_call_the_new_version(self, notebook):
        run(
            notebook,
            NET,
            NEW,
            "fn conv() -> i64 { Net::new().conv }",
            "fn twice() -> i64 { 2 * conv() }",
        )
        assert run(notebook, NEW.replace("6", "12"), "(conv(), twice())") == "(12, 24)"
        assert run(notebook, "fn conv() -> i64 { 5 }", "twice()") == "10"

    def test_a_trait_implemented_changed_and_run_again(self, notebook):
        show = 'impl std::fmt::Display for Net {\n    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {\n        write!(f, "one {}", self.fc)\n    }\n}'
        run(notebook, NET, NEW, show)
        assert notebook.execute('println!("{}", Net::new());').ok().stdout == "one 1\n"
        run(notebook, show.replace("one", "two"))
        assert notebook.execute('println!("{}", Net::new());').ok().stdout == "two 1\n"
        run(notebook, show)
        assert notebook.execute('println!("{}", Net::new());').ok().stdout == "one 1\n"

    def test_the_same_trait_by_another_path_is_the_same_implementation(self, notebook):
        body = "fn default() -> Self { Net { conv: %s, fc: 0 } }"
        run(notebook, NET, "impl Default for Net { %s }" % (body % 1), "Net::default().conv")
        run(notebook, "impl std::default::Default for Net { %s }" % (body % 2))
        assert run(notebook, "Net::default().conv") == "2"

    def test_one_method_of_several_can_be_given_again_by_another_cell(self, notebook):
        both = "impl Net { fn one(&self) -> i64 { 1 }  fn two(&self) -> i64 { 2 } }"
        run(notebook, NET, NEW, both, "impl Net { fn two(&self) -> i64 { 22 } }")
        assert run(notebook, "(Net::new().one(), Net::new().two())") == "(1, 22)"

    def test_generic_implementations_are_told_apart(self, notebook):
        run(notebook, "struct Point<T> { x: T }")
        run(notebook, 'impl Point<f32> { fn kind(&self) -> &str { "f32" } }')
        run(notebook, 'impl Point<i32> { fn kind(&self) -> &str { "i32" } }')
        run(notebook, "impl<T: Clone> Point<T> { fn get(&self) -> T { self.x.clone() } }")
        run(notebook, "impl<T: Clone> Point<T> { fn get(&self) -> T { self.x.clone() } }")
        assert run(
            notebook, "(Point { x: 1f32 }.kind(), Point { x: 1i32 }.kind(), Point { x: 'c' }.get())"
        ) == ('("f32", "i32", \'c\')')
        # Another letter for the same parameter is the same implementation.
        run(
            notebook,
            'impl<S: Clone> Point<S> { fn get(&self) -> S { println!("new"); self.x.clone() } }',
        )
        assert notebook.execute("Point { x: 'c' }.get()").ok().stdout == "new\n"

    def test_conversions_of_several_types_live_side_by_side(self, notebook):
        run(notebook, "struct Wrapped(String);")
        run(
            notebook,
            'impl From<i32> for Wrapped { fn from(n: i32) -> Self { Wrapped(format!("int {n}")) } }',
        )
        run(
            notebook,
            'impl From<bool> for Wrapped { fn from(b: bool) -> Self { Wrapped(format!("bool {b}")) } }',
        )
        assert (
            run(notebook, "(Wrapped::from(1).0, Wrapped::from(true).0)") == '("int 1", "bool true")'
        )
        run(
            notebook,
            'impl From<i32> for Wrapped { fn from(n: i32) -> Self { Wrapped(format!("number {n}")) } }',
        )
        assert (
            run(notebook, "(Wrapped::from(1).0, Wrapped::from(true).0)")
            == '("number 1", "bool true")'
        )

    def test_where_the_cell_is_known_all_its_implementations_are_replaced(self, notebook):
        notebook.execute(NET).ok()
        notebook.execute(
            "impl Net { fn old(&self) -> i64 { 1 } }\nimpl Clone for Net { fn clone(&self) -> Net { Net { ..*self } } }",
            "c1",
        ).ok()
        notebook.execute("impl Net { fn renamed(&self) -> i64 { 2 } }", "c1").ok()
        assert run(notebook, "Net { conv: 1, fc: 2 }.renamed()") == "2"
        assert "old" in error(notebook, "Net { conv: 1, fc: 2 }.old()")
        assert "clone" in error(notebook, "Net { conv: 1, fc: 2 }.clone()")

    def test_a_function_that_its_cell_no_longer_has_stays(self, notebook):
        notebook.execute("fn a() -> i32 { 1 }\nfn b() -> i32 { 2 }", "c1").ok()
        notebook.execute("fn a() -> i32 { 3 }", "c1").ok()
        assert run(notebook, "(a(), b())") == "(3, 2)"

    def test_every_kind_of_name_has_a_space_of_its_own(self, notebook):
        run(
            notebook,
            "mod scale { pub fn by(x: i32) -> i32 { 10 * x } }",
            "fn scale(x: i32) -> i32 { 2 * x }",
            "macro_rules! scale { ($x:expr) => { 3 * $x } }",
            "struct Kind { x: u8 }",
            "const Kind: u8 = 4;",
        )
        assert (
            run(notebook, "(scale::by(1), scale(1), scale!(1), Kind, Kind { x: 7 }.x)")
            == "(10, 2, 3, 4, 7)"
        )
        run(
            notebook,
            "fn scale(x: i32) -> i32 { 20 * x }",
            "mod scale { pub fn by(x: i32) -> i32 { 100 * x } }",
        )
        assert run(notebook, "(scale::by(1), scale(1), scale!(1))") == "(100, 20, 3)"

    def test_a_tuple_struct_takes_a_functions_name(self, notebook):
        run(notebook, "fn Pair() -> u8 { 1 }", "struct Pair(u8, u8);")
        assert run(notebook, "Pair(1, 2).1") == "2"

    @pytest.mark.parametrize(
        ("first", "second", "shown"),
        [
            ("enum Mode { A, B }", "enum Mode { A, B, C }", "Mode::C as u8"),
            (
                "trait Area { fn area(&self) -> u8; }\nimpl Area for u8 { fn area(&self) -> u8 { 1 } }",
                "trait Area { fn area(&self) -> u8 { 2 } }\nimpl Area for u8 {}",
                "5u8.area()",
            ),
            ("type Number = i8;", "type Number = i64;", "std::mem::size_of::<Number>() / 4"),
            ("const N: usize = 9;", "const N: usize = 2;", "[0u8; N].len()"),
            ("union Bits { a: u8 }", "union Bits { a: u8, b: u16 }", "std::mem::size_of::<Bits>()"),
            (
                "mod inner { pub fn f() -> u8 { 1 } }",
                "mod inner { pub fn f() -> u8 { 2 } }",
                "inner::f()",
            ),
            (
                "fn generic<T>(_: T) -> u8 { 1 }",
                "fn generic<const N: usize>(_: [u8; N]) -> u8 { N as u8 }",
                "generic([0, 0])",
            ),
        ],
    )
    def test_each_kind_of_item_can_be_changed(self, notebook, first, second, shown):
        run(notebook, first, second)
        assert run(notebook, shown) == "2"


class TestTypes:
    def test_a_struct_gains_a_field_while_variables_of_it_live(self, notebook):
        run(notebook, NET, NEW, "let net = Net::new(); let other = 5;")
        changed = notebook.execute("struct Net { conv: i64, fc: i64, pool: i64 }").ok()
        assert "variable `net` is dropped" in changed.stderr and "`Net`" in changed.stderr
        assert "`Net::new` of cell" in changed.stderr and "missing field `pool`" in changed.stderr
        assert run(notebook, "other") == "5"
        assert "net" in error(notebook, "net.conv")

    def test_the_same_text_keeps_variables(self, notebook):
        run(notebook, NET, NEW, "let net = Net::new();")
        again = notebook.execute("// the same\nstruct Net { conv: i64, /* of it */ fc: i64 }").ok()
        assert again.stderr == ""
        assert run(notebook, "net.conv") == "6"

    def test_a_field_of_another_size_drops_the_variable(self, notebook):
        """The compiler gives both types one identity; reading one as the other would be wrong."""
        run(notebook, "struct Small { x: u8 }", "let small = Small { x: 1 };")
        assert "`small` is dropped" in notebook.execute("struct Small { x: u64 }").ok().stderr
        assert "small" in error(notebook, "small.x")

    @pytest.mark.parametrize(
        ("before", "variable", "after"),
        [
            (
                "struct In { x: u8 }\nstruct Out { i: In }",
                "Out { i: In { x: 1 } }",
                "struct In { x: u16 }",
            ),
            (
                "type Id = u8;\n#[derive(Debug)]\nstruct Has { id: Id }",
                "vec![Has { id: 1 }]",
                "type Id = u32;",
            ),
            (
                "trait Speak { fn a(&self) -> u8 { 1 } }\nimpl Speak for u8 {}",
                "Box::new(1u8) as Box<dyn Speak>",
                "trait Speak { fn b(&self) -> u8 { 2 } fn a(&self) -> u8 { 1 } }",
            ),
            (
                "const LEN: usize = 2;\nstruct Row { cells: [u8; LEN] }",
                "Row { cells: [1; LEN] }",
                "const LEN: usize = 3;",
            ),
            ("enum Color { Red, Green }", "Some(Color::Red)", "enum Color { Green, Red }"),
            (
                "macro_rules! make { ($n:ident) => { struct $n { x: u8 } } }\nmake!(Made);",
                "Made { x: 1 }",
                "macro_rules! make { ($n:ident) => { struct $n { x: u32 } } }",
            ),
        ],
    )
    def test_what_a_type_is_made_of_counts(self, notebook, before, variable, after):
        run(notebook, before, f"let value = {variable}; let stays = 1;")
        assert "`value` is dropped" in notebook.execute(after).ok().stderr
        assert run(notebook, "stays") == "1"

    def test_other_types_keep_their_variables(self, notebook):
        run(
            notebook,
            "struct A { x: u8 }\nstruct B { x: u8 }",
            "let a = A { x: 1 }; let b = B { x: 2 };",
        )
        changed = notebook.execute("struct A { x: u16 }\nfn unrelated() {}").ok()
        assert "`a` is dropped" in changed.stderr and "`b`" not in changed.stderr
        assert run(notebook, "b.x") == "2"

    def test_a_dropped_variable_is_really_dropped(self, notebook, tmp_path):
        file = tmp_path / "dropped"
        run(
            notebook,
            "struct Guard(std::path::PathBuf);\nstruct Held { g: Guard, n: u8 }",
            'impl Drop for Guard { fn drop(&mut self) { std::fs::write(&self.0, "x").unwrap(); } }',
            f'let held = Held {{ g: Guard("{file}".into()), n: 1 }};',
        )
        notebook.execute("struct Held { g: Guard, n: u16 }").ok()
        notebook.execute("1").ok()
        assert file.exists()

    def test_what_no_longer_fits_is_named_and_comes_back(self, notebook):
        run(notebook, NET, NEW, "impl Net {\n\n    fn sum(&self) -> i64 { self.conv + self.fc }\n}")
        changed = notebook.execute("struct Net { conv: i64 }").ok()
        assert (
            "`Net::sum` of cell" in changed.stderr
            and "no field `fc`" in changed.stderr
            and "(line 3)" in changed.stderr
        )
        missing = error(notebook, "Net { conv: 1 }.sum()")
        assert (
            "`Net::sum` of cell" in missing
            and "set aside" in missing
            and "no field `fc`" in missing
        )
        back = notebook.execute(NET).ok()
        assert "`Net::sum` of cell" in back.stderr and "fits again" in back.stderr
        assert run(notebook, "Net::new().sum()") == "7"

    def test_what_needs_a_definition_that_is_set_aside_is_set_aside_with_it(self, notebook):
        run(
            notebook,
            NET,
            NEW,
            "fn first(net: &Net) -> i64 { net.fc }",
            "fn second(net: &Net) -> i64 { first(net) + 1 }",
            "fn other() -> i64 { 8 }",
        )
        changed = notebook.execute("struct Net { conv: i64 }").ok().stderr
        assert (
            "`fn first` of cell" in changed
            and "`fn second` of cell" in changed
            and "other" not in changed
        )
        assert run(notebook, "other()") == "8"
        back = notebook.execute(NET).ok().stderr
        assert "`fn first` of cell" in back and "`fn second` of cell" in back
        assert run(notebook, "second(&Net::new())") == "2"

    def test_an_implementation_for_the_new_type_replaces_the_one_set_aside(self, notebook):
        run(
            notebook,
            NET,
            NEW,
            "struct Net { width: u8 }",
            "impl Net { fn new() -> Net { Net { width: 3 } } }",
        )
        assert run(notebook, "Net::new().width") == "3"

    def test_a_trait_gains_a_method(self, notebook):
        run(
            notebook,
            "trait Shape { fn area(&self) -> f64; }",
            "struct Sq(f64);",
            "impl Shape for Sq { fn area(&self) -> f64 { self.0 } }",
        )
        changed = notebook.execute(
            "trait Shape { fn area(&self) -> f64; fn name(&self) -> String; }"
        ).ok()
        assert (
            "`impl Shape for Sq` of cell" in changed.stderr and "missing: `name`" in changed.stderr
        )
        run(
            notebook,
            'impl Shape for Sq { fn area(&self) -> f64 { self.0 } fn name(&self) -> String { "sq".into() } }',
        )
        assert run(notebook, "Sq(2.0).name()") == '"sq"'

    def test_a_functions_new_signature_sets_its_callers_aside(self, notebook):
        run(notebook, "fn base(x: i32) -> i32 { x }", "fn caller() -> i32 { base(1) }")
        assert (
            "`fn caller` of cell"
            in notebook.execute("fn base(x: i32, y: i32) -> i32 { x + y }").ok().stderr
        )
        assert "fits again" in notebook.execute("fn base(x: i32) -> i32 { x + 5 }").ok().stderr
        assert run(notebook, "caller()") == "6"


class TestFailedCells:
    @pytest.mark.parametrize(
        "cell",
        [
            "fn f() -> i32 { missing }",
            'fn f() -> i32 { 2 }\nlet x: i32 = "text";',
            "struct Kept { x: u64, y: u64 }\nkept.missing();",
            "impl Kept { fn get(&self) -> u8 { 9 } }\nnothing();",
            "const N: u8 = 300;",
            "use std::nothing::Here;\nfn f() -> i32 { 3 }",
            "macro_rules! m { () => { 5 } }\nstatic S: u8 = missing;",
            "fn f() -> i32 { 2 }\nfn g( {",
            "trait T { fn t(&self); }\nimpl T for Kept {}",
        ],
    )
    def test_a_cell_that_does_not_compile_changes_nothing(self, notebook, cell):
        run(
            notebook,
            "fn f() -> i32 { 1 }",
            "struct Kept { x: u8 }\nimpl Kept { fn get(&self) -> u8 { self.x } }",
            "macro_rules! m { () => { 4 } }",
            "const N: u8 = 3;",
            "let kept = Kept { x: 7 };",
        )
        before = notebook.execute(":definitions").ok().result["text/plain"]
        error(notebook, cell)
        assert notebook.execute(":definitions").ok().result["text/plain"] == before
        assert run(notebook, "(f(), kept.get(), m!(), N)") == "(1, 7, 4, 3)"

    def test_a_dependency_that_is_edited_does_not_let_it_pass(self, tmp_path):
        """How the dependencies were compiled is not known then."""
        (tmp_path / "src").mkdir()
        (tmp_path / "Cargo.toml").write_text('[package]\nname = "mine"\nversion = "0.1.0"\n')
        (tmp_path / "src/lib.rs").write_text("pub fn one() -> i64 { 1 }")
        kernel = Kernel()
        try:
            kernel.execute(f':dep mine = {{ path = "{tmp_path}" }}\nmine::one()').ok()
            (tmp_path / "src/lib.rs").write_text("pub fn one() -> i64 { 100 }")
            assert "missing field `a`" in error(kernel, "struct S { a: i64 }\nfn f() -> S { S {} }")
            kernel.execute("struct S { a: i64 }\nfn f() -> S { S { a: mine::one() } }").ok()
            assert run(kernel, "f().a") == "100"
        finally:
            kernel.stop()

    def test_the_error_stands_at_the_cells_own_line(self, notebook):
        shown = error(
            notebook, 'fn good() {}\n\nfn bad() -> i32 {\n    let x: i32 = "text";\n    x\n}'
        )
        assert (
            "mismatched types" in shown and "cell:4:" in shown and 'let x: i32 = "text";' in shown
        )

    def test_an_error_in_a_method_stands_at_its_column(self, notebook):
        run(notebook, NET)
        shown = error(notebook, "impl Net { fn bad(&self) -> i64 { self.nothing } }")
        assert "no field `nothing`" in shown and "cell:1:40" in shown, shown

    def test_errors_beside_other_alphabets(self, notebook):
        shown = error(notebook, 'fn 宽(x: i64) -> i64 {\n    let 值: i64 = "字";\n    x\n}')
        assert "mismatched types" in shown and 'let 值: i64 = "字";' in shown

    def test_a_runtime_error_keeps_the_definitions(self, notebook):
        assert "panic" in error(notebook, 'fn f() -> i32 { 1 }\npanic!("later");')
        assert run(notebook, "f()") == "1"

    def test_a_panic_in_a_method_names_its_line(self, notebook):
        run(notebook, NET, NEW)
        notebook.execute("\nimpl Net {\n    fn boom(&self) -> u8 { vec![1][5] }\n}").ok()
        shown = error(notebook, "Net::new().boom()")
        assert "index out of bounds" in shown and "line 3" in shown and "fn boom" in shown

    def test_a_crash_keeps_the_definitions(self, notebook):
        run(notebook, NET, NEW, "static S: std::sync::Mutex<u8> = std::sync::Mutex::new(3);")
        error(notebook, "std::process::abort();")
        assert run(notebook, "Net::new().conv + *S.lock().unwrap() as i64") == "9"


class TestMacros:
    def test_a_macro_is_known_to_functions_items_and_cells(self, notebook):
        run(
            notebook,
            "macro_rules! twice { ($e:expr) => { 2 * $e } }",
            "fn four() -> i32 { twice!(2) }",
            "const SIX: i32 = twice!(3);",
        )
        assert run(notebook, "(four(), SIX, twice!(4))") == "(4, 6, 8)"

    def test_many_macros_and_functions_in_order(self, notebook):
        """evcxr's map gave them another order in each kernel."""
        cells = []
        for i in range(12):
            cells += [f"macro_rules! m{i} {{ () => {{ {i} }} }}", f"fn f{i}() -> i32 {{ m{i}!() }}"]
        run(notebook, *cells)
        assert run(notebook, " + ".join(f"f{i}() + m{i}!()" for i in range(12))) == str(
            2 * sum(range(12))
        )

    def test_a_changed_macro_changes_what_uses_it(self, notebook):
        run(notebook, "macro_rules! n { () => { 1 } }", "fn f() -> i32 { n!() }")
        run(notebook, "fn between() {}", "macro_rules! n { () => { 5 } }")
        assert run(notebook, "(f(), n!())") == "(5, 5)"

    def test_an_earlier_cell_may_use_a_later_cells_macro_when_it_is_run_again(self, notebook):
        notebook.execute("fn f() -> i32 { 1 }", "c1").ok()
        notebook.execute("macro_rules! later { () => { 7 } }", "c2").ok()
        notebook.execute("fn f() -> i32 { later!() }", "c1").ok()
        assert run(notebook, "f()") == "7"

    def test_macros_that_make_items(self, notebook):
        run(
            notebook,
            "macro_rules! point { ($n:ident, $($f:ident),*) => { #[derive(Debug, Clone)] struct $n { $($f: i32),* } impl $n { fn sum(&self) -> i32 { 0 $(+ self.$f)* } } } }",
            "point!(Flat, x, y);",
            "fn origin() -> Flat { Flat { x: 1, y: 2 } }",
        )
        assert (
            run(notebook, "let p = origin();", "(p.sum(), p.clone())") == "(3, Flat { x: 1, y: 2 })"
        )
        run(notebook, "point! { Solid, x, y, z }")
        assert run(notebook, "Solid { x: 1, y: 1, z: 1 }.sum() + p.sum()") == "6"

    def test_macros_that_make_functions_are_used_in_the_same_cell(self, notebook):
        run(
            notebook,
            "macro_rules! getter { ($n:ident, $v:expr) => { fn $n() -> i32 { $v } } }\ngetter!(five, 5);\nfn ten() -> i32 { 2 * five() }",
        )
        assert run(notebook, "(five(), ten())") == "(5, 10)"
        run(notebook, "getter!(five, 6);")
        assert run(notebook, "(five(), ten())") == "(6, 12)"

    def test_a_cell_run_again_replaces_what_its_macros_have_made(self, notebook):
        run(
            notebook,
            "macro_rules! unit { ($n:ident) => { struct $n; impl $n { fn name(&self) -> &str { stringify!($n) } } } }",
        )
        notebook.execute("unit!(First);", "c1").ok()
        notebook.execute("unit!(First); unit!(Second);", "c1").ok()
        assert run(notebook, "(First.name(), Second.name())") == '("First", "Second")'

    def test_two_macros_of_one_name_in_a_cell_have_rusts_meaning(self, notebook):
        run(
            notebook,
            "macro_rules! v { () => { 1 } }\nfn a() -> i32 { v!() }\nmacro_rules! v { () => { 2 } }\nfn b() -> i32 { v!() }",
        )
        assert run(notebook, "(a(), b())") == "(1, 2)"

    def test_statements_and_expressions_made_by_macros_are_none_of_the_store(self, notebook):
        run(
            notebook,
            'macro_rules! set { ($n:ident, $v:expr) => { let mut total = $v; total += 1; println!("{} {}", stringify!($n), total); } }',
        )
        assert notebook.execute("set!(x, 4);").ok().stdout == "x 5\n"


class TestStatics:
    COUNT = "static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);"
    BUMP = "fn bump() -> usize { COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 }"
    READ = "COUNT.load(std::sync::atomic::Ordering::SeqCst)"

    def test_one_place_in_memory_for_all_cells_and_functions(self, notebook):
        run(notebook, self.COUNT, self.BUMP)
        assert run(notebook, "bump(); bump()") == "2"
        assert run(notebook, "bump()") == "3"
        assert run(notebook, self.READ) == "3"

    def test_it_survives_changes_beside_it(self, notebook):
        notebook.execute(f"{self.COUNT}\n{self.BUMP}", "c1").ok()
        run(notebook, "bump()")
        notebook.execute(f"{self.COUNT}\n{self.BUMP.replace('+ 1', '+ 100')}", "c1").ok()
        assert run(notebook, "bump()") == "101"
        assert run(notebook, self.READ) == "2"

    def test_defined_anew_it_begins_anew(self, notebook):
        run(notebook, self.COUNT, self.BUMP, "bump()")
        run(notebook, self.COUNT.replace("new(0)", "new(10)"))
        assert run(notebook, "bump()") == "11"

    def test_within_functions_and_methods(self, notebook):
        run(
            notebook,
            "fn next() -> u32 { static N: std::sync::Mutex<u32> = std::sync::Mutex::new(0); let mut n = N.lock().unwrap(); *n += 1; *n }",
            "struct Tally;",
            "impl Tally { fn hit(&self) -> u32 { static N: std::sync::Mutex<u32> = std::sync::Mutex::new(50); let mut n = N.lock().unwrap(); *n += 1; *n } }",
        )
        assert [run(notebook, "(next(), Tally.hit())") for _ in range(3)] == [
            "(1, 51)",
            "(2, 52)",
            "(3, 53)",
        ]

    def test_two_of_one_text_in_a_function_are_two(self, notebook):
        one = "{ static N: std::sync::Mutex<u32> = std::sync::Mutex::new(0); let mut n = N.lock().unwrap(); *n += %s; *n }"
        run(
            notebook, f"fn pair() -> (u32, u32) {{ let a = {one % 1}; let b = {one % 10}; (a, b) }}"
        )
        assert [run(notebook, "pair()") for _ in range(2)] == ["(1, 10)", "(2, 20)"]

    def test_lazy_ones_are_made_once(self, notebook):
        run(
            notebook,
            "use std::sync::{LazyLock, Mutex, OnceLock};",
            'static LOG: LazyLock<Mutex<Vec<String>>> = LazyLock::new(|| { println!("made"); Mutex::new(vec![]) });\nstatic ONCE: OnceLock<u8> = OnceLock::new();',
            "fn log(text: &str) { LOG.lock().unwrap().push(text.to_owned()); }",
        )
        assert notebook.execute('log("one");').ok().stdout == "made\n"
        assert notebook.execute('log("two");').ok().stdout == ""
        assert (
            run(notebook, "ONCE.set(4).unwrap();", '(ONCE.get(), LOG.lock().unwrap().join(" "))')
            == '(Some(4), "one two")'
        )

    def test_thread_locals(self, notebook):
        run(
            notebook,
            'thread_local! {\n    static DEPTH: std::cell::Cell<u32> = const { std::cell::Cell::new(5) };\n    static NAMES: std::cell::RefCell<Vec<String>> = std::cell::RefCell::new(Vec::new());\n}\nfn deeper() -> u32 { DEPTH.set(DEPTH.get() + 1); NAMES.with_borrow_mut(|n| n.push("x".into())); DEPTH.get() }',
        )
        assert run(notebook, "deeper(); deeper()") == "7"
        assert run(notebook, "(deeper(), NAMES.with_borrow(|n| n.len()))") == "(8, 3)"
        assert run(notebook, "std::thread::spawn(|| DEPTH.get()).join().unwrap()") == "5"

    def test_a_cache_in_a_function(self, notebook):
        run(
            notebook,
            "fn memo(n: u64) -> u64 {\n    thread_local! { static SEEN: std::cell::RefCell<Vec<u64>> = Default::default(); }\n    SEEN.with_borrow_mut(|s| { s.push(n); s.len() as u64 })\n}",
        )
        assert [run(notebook, "memo(3)") for _ in range(3)] == ["1", "2", "3"]

    def test_mutable_texts_tables_and_functions(self, notebook):
        run(
            notebook,
            'static mut RAW: i32 = 1;\nstatic GREETING: &str = "hi";\nstatic TABLE: [(&str, fn(&str) -> usize); 1] = [("len", |s| s.len())];',
            "unsafe { RAW += 5; }",
        )
        assert (
            run(notebook, '(unsafe { RAW }, GREETING, TABLE[0].0, (TABLE[0].1)("abc"))')
            == '(6, "hi", "len", 3)'
        )

    def test_those_that_macros_make(self, notebook):
        run(
            notebook,
            "macro_rules! counter { ($v:vis $n:ident) => { $v static $n: std::sync::Mutex<u32> = std::sync::Mutex::new(0); } }",
            "counter!(pub CLICKS);\nfn click() -> u32 { let mut n = CLICKS.lock().unwrap(); *n += 1; *n }",
        )
        assert [run(notebook, "click()") for _ in range(2)] == ["1", "2"]
        run(notebook, "counter!(OTHERS);", "*OTHERS.lock().unwrap() += 7;")
        assert run(notebook, "(*OTHERS.lock().unwrap(), click())") == "(7, 3)"

    def test_a_type_defined_anew_gives_its_statics_a_new_place(self, notebook):
        run(
            notebook,
            "struct P { x: u8 }\nstatic ONCE: std::sync::OnceLock<P> = std::sync::OnceLock::new();",
            "let _ = ONCE.set(P { x: 1 });",
        )
        assert run(notebook, "ONCE.get().is_some()") == "true"
        run(notebook, "struct P { x: u64 }")
        assert run(notebook, "ONCE.get().is_some()") == "false"

    def test_one_whose_type_cannot_be_declared_still_works(self, notebook):
        run(notebook, 'static COW: std::borrow::Cow<str> = std::borrow::Cow::Borrowed("cow");')
        assert run(notebook, "COW.len()") == "3"


class TestImports:
    def test_again_and_from_elsewhere(self, notebook):
        run(notebook, "use std::collections::HashMap;", "use std::collections::HashMap;")
        run(
            notebook,
            "use std::fmt::{self, Debug};",
            "use std::fmt::{self, Debug, Display};",
            "use std::fmt;",
        )
        assert run(notebook, "HashMap::<u8, u8>::new().len()") == "0"
        run(notebook, "use std::fmt::Result;", "use std::io::Result;")
        assert run(notebook, "fn r() -> Result<u8> { Ok(1) }", "r().unwrap()") == "1"

    def test_a_definition_takes_the_name_of_an_import_and_back(self, notebook):
        run(notebook, "use std::collections::HashMap;", "struct HashMap(u8);")
        assert run(notebook, "HashMap(3).0") == "3"
        run(notebook, "use std::collections::HashMap;")
        assert run(notebook, "HashMap::<u8, u8>::new().len()") == "0"

    def test_globs_that_overlap(self, notebook):
        run(
            notebook,
            "mod a { pub fn f() -> u8 { 1 } pub fn g() -> u8 { 1 } }",
            "mod b { pub fn f() -> u8 { 2 } pub fn h() -> u8 { 2 } }",
        )
        run(notebook, "use a::*;", "use b::*;", "use b::*;")
        assert run(notebook, "(g(), h())") == "(1, 2)"
        run(notebook, "use b::f;")
        assert run(notebook, "f()") == "2"

    def test_anonymous_nested_and_renamed(self, notebook):
        run(
            notebook,
            "use std::fmt::Write as _;",
            "use std::io::Write as _;",
            "use std::fmt::Write as _;",
        )
        run(notebook, "use std::collections::{BTreeMap as Tree, hash_map::{self, Entry}};")
        assert (
            run(notebook, 'let mut s = String::new(); write!(s, "{}", 3).unwrap();', "s") == '"3"'
        )
        assert (
            run(notebook, "(Tree::<u8, u8>::new().len(), hash_map::HashMap::<u8, u8>::new().len())")
            == "(0, 0)"
        )

    def test_variants_of_a_notebooks_enum(self, notebook):
        run(
            notebook,
            "enum Color { Red, Green }",
            "use Color::*;",
            "fn is_red(c: &Color) -> bool { matches!(c, Red) }",
        )
        assert run(notebook, "(is_red(&Red), is_red(&Green))") == "(true, false)"
        run(notebook, "enum Color { Red, Blue }")
        assert run(notebook, "is_red(&Blue)") == "false"

    def test_paths_from_the_root(self, notebook):
        run(
            notebook,
            "mod outer { pub mod inner { pub fn up() -> u8 { super::base() + crate::root() } } fn base() -> u8 { 1 } }\nfn root() -> u8 { 10 }",
        )
        assert run(notebook, "crate::outer::inner::up() + self::root()") == "21"


class TestSyntax:
    @pytest.mark.parametrize(
        ("cells", "shown"),
        [
            (
                [
                    "/// Documented.\n#[derive(Debug, Clone, PartialEq, Default)]\n#[allow(dead_code)]\nstruct D { /** x */ x: i32 }"
                ],
                "D::default() == D { x: 0 }",
            ),
            (
                [
                    "#[cfg(test)]\nmod tests { use super::*; #[test] fn t() { missing(); } }",
                    "fn f() -> bool { true }",
                ],
                "f()",
            ),
            (
                [
                    "#[inline(always)]\n#[must_use]\nconst fn sq(x: u32) -> u32 { x * x }",
                    "const NINE: u32 = sq(3);",
                ],
                "NINE == 9",
            ),
            (
                [
                    "struct Buf<T, const N: usize>([T; N]);",
                    "impl<T: Copy, const N: usize> Buf<T, N> where T: std::fmt::Debug { const LEN: usize = N; fn first(&self) -> T { self.0[0] } }",
                ],
                "Buf([4, 5]).first() == 4 && Buf::<u8, 3>::LEN == 3",
            ),
            (
                [
                    "trait Named { const NAME: &'static str; type Out; fn out(&self) -> Self::Out; }",
                    'impl Named for u8 { const NAME: &\'static str = "u8"; type Out = u16; fn out(&self) -> u16 { 7 } }',
                ],
                'u8::NAME == "u8" && 1u8.out() == 7',
            ),
            (
                [
                    "fn all(it: Vec<u8>) -> impl Iterator<Item = u8> + use<> { it.into_iter().map(|x| x + 1) }"
                ],
                "all(vec![1]).sum::<u8>() == 2",
            ),
            (
                [
                    "fn tree(x: Option<u8>, y: Option<u8>) -> u8 { if let Some(a) = x && let Some(b) = y { a + b } else { 0 } }"
                ],
                "tree(Some(1), Some(2)) == 3",
            ),
            (['unsafe extern "C" { safe fn abs(x: i32) -> i32; }'], "abs(-4) == 4"),
            (
                [
                    "#[repr(u8)]\n#[derive(Clone, Copy)]\nenum Level { Low = 1, High = 9 }",
                    "impl Level { const ALL: [Level; 2] = [Level::Low, Level::High]; }",
                ],
                "Level::ALL[1] as u8 == 9",
            ),
            (
                [
                    "impl<T> Twice for T where T: Clone + std::ops::Add<Output = T> { fn twice(&self) -> T { self.clone() + self.clone() } }\ntrait Twice { fn twice(&self) -> Self; }"
                ],
                "4.twice() == 8",
            ),
            (
                [
                    "struct Count(u8);\nimpl Iterator for Count { type Item = u8; fn next(&mut self) -> Option<u8> { self.0 += 1; (self.0 < 4).then_some(self.0) } }"
                ],
                "Count(0).sum::<u8>() == 6",
            ),
            (
                [
                    "fn helper() -> u8 { struct Inner(u8); impl Inner { fn get(&self) -> u8 { self.0 } } Inner(6).get() }"
                ],
                "helper() == 6",
            ),
            (
                ["mod private { struct Hidden(u8); pub fn show() -> u8 { Hidden(2).0 } }"],
                "private::show() == 2",
            ),
        ],
    )
    def test_it_works_and_works_again(self, notebook, cells, shown):
        for _ in range(2):
            assert run(notebook, *cells, shown) == "true"


class TestList:
    def test_definitions_are_listed_with_their_cells(self, notebook):
        first = notebook.execute(f"{NET}\n{NEW}").ok().reply["execution_count"]
        second = (
            notebook.execute("fn sum(net: &Net) -> i64 { net.conv + net.fc }")
            .ok()
            .reply["execution_count"]
        )
        listed = notebook.execute(":definitions").ok().result["text/plain"]
        assert f"struct Net  cell [{first}], line 1" in listed
        assert f"Net::new    cell [{first}], line 3" in listed
        assert f"fn sum      cell [{second}], line 1" in listed
        notebook.execute("struct Net { conv: i64 }").ok()
        listed = notebook.execute(":definitions").ok().result
        assert (
            "set aside: no field `fc`" in listed["text/plain"] and "<table>" in listed["text/html"]
        )

    def test_other_commands_go_on_working(self, notebook):
        run(notebook, NET, NEW, "let net = Net::new();")
        assert "net: Net" in notebook.execute(":vars").ok().result["text/plain"]
        assert notebook.execute(":type net").ok().result["text/plain"] == "net: Net"
        assert ":definitions" in notebook.execute(":help").ok().result["text/plain"]
        notebook.execute(":clear").ok()
        assert "Nothing is defined" in notebook.execute(":definitions").ok().result["text/plain"]
        assert "Net" in error(notebook, "Net::new()")
