"""A small course as its teacher runs it: nbgrader hands out, grades and answers five students."""

import csv
import json
import zipfile
from html import unescape
from pathlib import Path

import pytest
from teacher import blitz, cells, text

SMALL = Path(__file__).with_name("exercises") / "01_small.ipynb"
NAME = SMALL.stem
STUDENTS = ["right", "wrong", "untouched", "loops", "exits"]
# The seconds for the one cell that never ends; the others may take what they need here.
SECONDS = 30
PATIENCE = f"""
c.Execute.timeout_func = lambda cell: {SECONDS} if "total(&[" in cell.source else 600
c.Execute.timeout = {SECONDS}
"""


def answers(student):
    """What a student writes, by cell."""
    solutions = {i: cell for i, cell in cells(SMALL).items() if "blitz" in cell["metadata"]}
    written = {i: text(cell) for i, cell in solutions.items()}
    if student == "untouched":
        return {}
    if student == "wrong":
        mistakes = {i: cell["metadata"]["blitz"]["mutations"][0] for i, cell in solutions.items()}
        written = {i: code.replace(*mistakes[i]) for i, code in written.items()}
    for name, end in [("loops", "std::hint::spin_loop();"), ("exits", "std::process::exit(0);")]:
        if student == name:
            written["ex2"] = (
                f"fn total(_: &[i64]) -> i64 {{\n    loop {{\n        {end}\n    }}\n}}"
            )
    return written


def submission(course, student):
    notebook = json.loads((course / "release" / NAME / f"{NAME}.ipynb").read_text())
    written = answers(student)
    for cell in notebook["cells"]:
        if cell["id"] in written:
            cell["source"] = written[cell["id"]]
    return json.dumps(notebook)


def submit(course, student):
    folder = course / "submitted" / student / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").write_text(submission(course, student))


def submit_in_an_archive(course, student):
    """As a learning platform hands it to the teacher."""
    folder = course / "downloaded" / NAME / "archive"
    folder.mkdir(parents=True)
    name = f"platform_{student}_attempt_2026-01-30-15-00-00_{NAME}.ipynb"
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr(name, submission(course, student))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The course, graded."""
    course = tmp_path_factory.mktemp("class") / "course"
    blitz("class", "new", course, "--exercises", SMALL)
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + PATIENCE)
    nbgrader = lambda *arguments: blitz("class", "nbgrader", course, "--", *arguments)  # noqa: E731
    nbgrader("generate_assignment", NAME)
    first, *others = STUDENTS
    submit_in_an_archive(course, first)
    nbgrader("zip_collect", NAME)
    for student in others:
        submit(course, student)
    nbgrader("autograde", NAME)
    nbgrader("generate_feedback", NAME)
    nbgrader("export")
    return course


def test_the_assignment_is_cell_for_cell_what_a_learner_gets(course, tmp_path):
    blitz("exercises", SMALL, "--to", tmp_path)
    learners = cells(tmp_path / SMALL.name)
    shown = {i: cell for i, cell in learners.items() if not i.endswith("-solution")}
    assert len(learners) == len(shown) + 3, "whoever learns alone has the solutions, too"
    released = cells(course / "release" / NAME / SMALL.name)
    assert list(released) == list(shown)
    for i, cell in released.items():
        assert text(cell) == text(shown[i]), i
        for lock in ["deletable", "editable"]:
            assert cell["metadata"].get(lock) == shown[i]["metadata"].get(lock), i
        assert "blitz" not in cell["metadata"]


def test_a_loop_or_an_exit_costs_the_points_of_its_exercise_alone(course):
    with (course / "grades.csv").open() as file:
        grades = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert grades == {"right": 6, "wrong": 0, "untouched": 0, "loops": 4, "exits": 4}


@pytest.mark.parametrize(
    "student, words",
    [
        ("right", "✓ 1: The size after a layer"),
        ("wrong", "is the padding counted on both sides?"),
        ("untouched", "not written yet: write this"),
        ("loops", f"This cell took more than {SECONDS} seconds and was ended."),
        ("exits", "the cell ended its process with exit code 0"),
    ],
)
def test_the_feedback_says_why(course, student, words):
    page = course / "feedback" / student / NAME / f"{NAME}.html"
    assert words in unescape(page.read_text())


def test_what_is_there_stays(course):
    told = blitz("class", "new", course, "--exercises", SMALL)
    assert told.count("stays as it is") == 2
    assert PATIENCE in (course / "nbgrader_config.py").read_text()
