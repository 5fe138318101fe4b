"""A newer version of something failed: the cells below say that they use the older one."""

import json
import os
import subprocess

import pytest
from driver import NOTEBOOKS, ROOT, Kernel, without_colours


@pytest.fixture
def notebook(kernel):
    """A kernel in which nothing is defined."""
    kernel.execute(":clear").ok()
    return kernel


def count(request):
    return request.reply["execution_count"]


def fails(kernel, code, cell=None):
    request = kernel.execute(code, cell)
    assert request.status == "error", request.summary()
    return count(request)


def told(request):
    return without_colours(request.stderr)


def note(name, older, newer, how="did not compile"):
    return (
        f"note: `{name}` here is that of cell [{older}]: the newer one, in cell [{newer}], {how}.\n"
    )


def test_a_function_is_told_until_its_newest_version_compiles(notebook):
    older = count(notebook.execute("fn size() -> i64 { 3 }").ok())
    assert told(notebook.execute("assert_eq!(size(), size());").ok()) == ""
    newer = fails(notebook, "fn size() -> i64 { 4.0 }")
    used = notebook.execute("assert_eq!(size(), size());").ok()
    assert told(used) == note("size", older, newer), "once, however often it is used"
    assert told(notebook.execute("vec![1].iter().size_hint()").ok()) == ""
    newer = fails(notebook, "fn size() -> i64 { 4 ")
    assert told(notebook.execute("size()").ok()) == note("size", older, newer)
    notebook.execute("fn size() -> i64 { 4 }").ok()
    assert told(notebook.execute("size()").ok()) == ""


def test_the_older_version_run_again_is_the_newest(notebook):
    notebook.execute("fn size() -> i64 { 3 }").ok()
    fails(notebook, "fn size() -> i64 { 4.0 }")
    notebook.execute("fn size() -> i64 { 3 }").ok()
    assert told(notebook.execute("size()").ok()) == ""


def test_a_cell_that_panics_with_it_says_so_too(notebook):
    older = count(notebook.execute("fn size() -> i64 { 3 }").ok())
    newer = fails(notebook, "fn size() -> i64 { 4.0 }")
    check = notebook.execute("assert_eq!(size(), 4);")
    assert check.error["ename"] == "panic" and told(check) == note("size", older, newer)


def test_types_methods_and_macros(notebook):
    older = count(
        notebook.execute(
            "struct Net { a: i64 }\n"
            "impl Net { fn get(&self) -> i64 { self.a } fn twice(&self) -> i64 { 2 * self.a } }\n"
            "macro_rules! one { () => { 1 } }"
        ).ok()
    )
    method = fails(notebook, "impl Net { fn get(&self) -> i64 { self.b } }")
    macro = fails(notebook, "macro_rules! one { () => { 1 + } }\none!()")
    assert told(notebook.execute("Net { a: 1 }.twice()").ok()) == ""
    used = told(notebook.execute("Net { a: one!() }.get()").ok())
    assert used == note("Net::get", older, method) + note("one!", older, macro)
    struct = fails(notebook, "struct Net { a: Missing }")
    assert note("Net", older, struct) in told(notebook.execute("Net { a: 1 }.twice()").ok())


def test_a_variable_whose_newer_cell_does_not_compile(notebook):
    older = count(notebook.execute("let x = 7; let y = 1;").ok())
    newer = fails(notebook, 'let x: i64 = "text";')
    used = notebook.execute('println!("{x}");').ok()
    assert used.stdout == "7\n" and told(used) == note("x", older, newer)
    assert told(notebook.execute("y").ok()) == ""
    notebook.execute("let x = 8;").ok()
    assert told(notebook.execute("x").ok()) == ""


@pytest.mark.parametrize("value", ['"x".parse::<i64>()?', 'panic!("no")'])
def test_where_the_newer_cell_ran_there_is_no_older_variable(notebook, value):
    notebook.execute("let x = 7;").ok()
    newer = fails(notebook, f"let x: i64 = {value};")
    used = notebook.execute("x")
    assert f"`x` stands in cell [{newer}], which ended with an error" in used.traceback
    assert told(used) == ""


def test_after_a_cell_that_came_to_its_end_nothing_is_told(notebook):
    notebook.execute("fn f() -> i64 { 1 }", "a").ok()
    fails(notebook, "fn f() -> i64 { 2.0 }", cell="b")
    notebook.execute("fn g() -> i64 { f() }", "b").ok()
    assert told(notebook.execute("g()").ok()) == "", "the cell has another text now"


def test_a_learner_is_told_that_the_check_tests_the_older_answer(tmp_path):
    learners = (
        [os.environ.get("BLITZ_PROGRAM")] if "BLITZ_PROGRAM" in os.environ else ["cargo", "blitz"]
    )
    subprocess.run([*learners, "exercises", "01", "--to", str(tmp_path)], cwd=ROOT, check=True)
    path = next(tmp_path.glob("01_*.ipynb"))
    made = {it["id"]: "".join(it["source"]) for it in json.loads(path.read_text())["cells"]}
    source = next((NOTEBOOKS / "exercises").glob("01_*.ipynb"))
    kernel = Kernel(env=os.environ | {"BLITZ_DATA": "builtin"}, cwd=tmp_path)
    try:
        kernel.execute(made["setup"], "setup").ok()
        solution = made["ex2"].replace(
            'todo!("ones with the shape of x")', "x.to_kind(kind).ones_like()"
        )
        assert solution != made["ex2"], f"{source} has another exercise 2"
        older = count(kernel.execute(solution, "ex2").ok())
        assert told(kernel.execute(made["ex2-check"], "ex2-check").ok()) == ""
        newer = fails(kernel, solution.replace(".ones_like()", ".ones_like"), cell="ex2")
        check = kernel.execute(made["ex2-check"], "ex2-check").ok()
        assert told(check) == note("ones_like_of_kind", older, newer)
        kernel.execute(solution, "ex2").ok()
        assert told(kernel.execute(made["ex2-check"], "ex2-check").ok()) == ""
    finally:
        kernel.stop()
