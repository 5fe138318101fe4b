"""The exercise notebooks: a learner can solve what they get, and each check tells right from wrong.

For each exercise, in one kernel and in the notebook's order: the learner's cell, untouched; the
mistakes that the teacher's notebook names (`blitz.mutations`); the solution. All but the last must
fail their check.
"""

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from driver import NOTEBOOKS, ROOT, WITH_KEPT_CELLS, Kernel

SOURCES = NOTEBOOKS / "exercises"
NAMES = sorted(path.stem for path in SOURCES.glob("*.ipynb"))
# Three exercises, one of each kind.
SMALL = ROOT / "crates/blitz-cli/tests/class/exercises/01_small.ipynb"
PAGES = ["01", "02", "03", "04", "05", "06"]

LITERAL = re.compile(r'r(#*)"(.*?)"\1|"((?:\\.|[^"\\])*)"', re.DOTALL)
CHECKED = re.compile(r'check!\(\s*exercises\s*,\s*"([^"]+)"')
NOT_WRITTEN = "not written yet"


def text(cell):
    return "".join(cell["source"])


def mark(cell, name):
    return cell["metadata"].get("nbgrader", {}).get(name)


def ours(cell):
    return cell["metadata"].get("blitz", {})


@cache
def read(path):
    return json.loads(Path(path).read_text())["cells"]


def code_cells(path):
    return [cell for cell in read(path) if cell["cell_type"] == "code"]


def pairs(path):
    """The solution cells of a notebook, each with its check."""
    cells = code_cells(path)
    is_solution = [mark(cell, "solution") and not mark(cell, "grade") for cell in cells]
    return [pair for pair, solves in zip(zip(cells, cells[1:]), is_solution) if solves]  # noqa: B905


def declared(path):
    """The exercises that a notebook declares: id to hints."""
    source = "\n".join(text(cell) for cell in code_cells(path))
    found = {}
    for call in source.split(".exercise(")[1:]:
        words = [raw or plain for _, raw, plain in LITERAL.findall(call)]
        assert words[0] not in found, f"exercise {words[0]} is declared twice"
        found[words[0]] = words[2:]
    return found


def command():
    """`cargo blitz`: the one that runs these tests, else that of the sources."""
    program = os.environ.get("BLITZ_PROGRAM")
    return [program] if program else ["cargo", "blitz"]


def learners(path, folder):
    """The cells of the learner's notebook, by id."""
    made = [*command(), "exercises", str(path), "--to", str(folder)]
    subprocess.run(made, cwd=ROOT, check=True)
    return {cell["id"]: cell for cell in read(folder / path.name)}


def test_each_page_has_its_exercises():
    if not NAMES:
        pytest.skip("there are no exercises in this clone")
    assert [name.split("_")[0] for name in NAMES] == PAGES


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_made_by_the_rules(name):
    path = SOURCES / f"{name}.ipynb"
    cells = read(path)
    ids = [cell["id"] for cell in cells]
    assert len(set(ids)) == len(ids), "ids are unique"
    graded = [mark(cell, "grade_id") for cell in cells if "nbgrader" in cell["metadata"]]
    assert len(set(graded)) == len(graded) and all(graded), "so are nbgrader's"
    assert not any(cell["outputs"] for cell in code_cells(path)), "no outputs are stored"
    made = pairs(path)
    assert 8 <= len(made) <= 12, "8 to 12 exercises"
    checked = []
    for solution, check in made:
        where = solution["id"]
        assert mark(check, "grade") and mark(check, "locked"), f"{where}: its check follows it"
        assert mark(check, "points") > 0, f"{where}: it has points"
        assert ours(solution).get("mutations"), f"{where}: a mistake is named"
        checked += CHECKED.findall(text(check))
    assert len([cell for cell in cells if mark(cell, "grade")]) == len(made), "no other checks"
    hints = declared(path)
    assert checked == list(hints), "what is declared is checked, in this order"
    for exercise, steps in hints.items():
        assert len(steps) >= 2 and all(steps), f"exercise {exercise} has hints in steps"


class Session:
    """A notebook in a kernel, and what was not as it should be."""

    def __init__(self, kernel):
        self.kernel = kernel
        self.problems = []

    def run(self, cell, code):
        """Runs a cell as `code`; returns the error's text, or None."""
        request = self.kernel.execute(code, cell["id"], stop_on_error=False)
        if request.status == "ok":
            return None
        return f"{request.error['evalue']}\n{request.traceback}"

    def expect_ok(self, cell, code, what):
        error = self.run(cell, code)
        if error is not None:
            self.problems.append(f"{cell['id']}: {what} fails:\n{error}")

    def expect_error(self, cell, code, wanted, what):
        error = self.run(cell, code)
        if error is None:
            self.problems.append(f"{cell['id']}: {what} passes")
        elif wanted not in error:
            self.problems.append(f"{cell['id']}: {what} does not say {wanted!r}:\n{error}")

    def learners_version(self, solution, check, made):
        untouched, wanted = text(made[solution["id"]]), ours(solution).get("learner_fails")
        compile_error = ours(solution).get("compile_error")
        if compile_error:
            self.expect_error(solution, untouched, compile_error, "the learner's cell")
        else:
            self.expect_ok(solution, untouched, "the learner's cell")
        wanted = wanted or ("" if compile_error else NOT_WRITTEN)
        self.expect_error(check, text(made[check["id"]]), wanted, "untouched")

    def mistakes(self, solution, check):
        for old, new in ours(solution).get("mutations", []):
            what = f"the mistake {old!r} → {new!r}"
            if old not in text(solution):
                self.problems.append(f"{solution['id']}: {old!r} is not in the solution")
                continue
            self.expect_ok(solution, text(solution).replace(old, new, 1), what)
            self.expect_error(check, text(check), "", what)

    def solution(self, solution, check):
        self.expect_ok(solution, text(solution), "the solution")
        request = self.kernel.execute(text(check), check["id"], stop_on_error=False)
        if request.status != "ok" or request.stderr or request.result:
            # nbgrader takes any of these for a failure or for points.
            self.problems.append(f"{check['id']}: the solution's check: {request.summary()}")


@pytest.mark.parametrize("path", [SMALL, *(SOURCES / f"{name}.ipynb" for name in NAMES)], ids=str)
def test_checks_tell_right_from_wrong(path, tmp_path):
    made = learners(path, tmp_path / "mine")
    checks = {solution["id"]: (solution, check) for solution, check in pairs(path)}
    kernel = Kernel(env=WITH_KEPT_CELLS | {"BLITZ_DATA": "builtin"}, cwd=tmp_path)
    try:
        session = Session(kernel)
        for cell in code_cells(path):
            if cell["id"] in checks:
                solution, check = checks[cell["id"]]
                session.learners_version(solution, check, made)
                session.mistakes(solution, check)
                session.solution(solution, check)
            elif not mark(cell, "grade"):
                assert text(made[cell["id"]]) == text(cell)
                session.expect_ok(cell, text(cell), "this given cell")
    finally:
        kernel.stop()
    assert not session.problems, "\n\n".join(session.problems)
