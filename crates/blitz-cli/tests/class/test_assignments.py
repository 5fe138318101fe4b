"""Every notebook of exercises, as nbgrader hands it out."""

import pytest
from teacher import ROOT, blitz, cells, text

EXERCISES = ROOT / "notebooks/exercises"


def test_nbgrader_takes_every_exercise_notebook(tmp_path):
    names = sorted(path.stem for path in EXERCISES.glob("*.ipynb"))
    if not names:
        pytest.skip("there are no exercises in this clone")
    blitz("class", "new", tmp_path / "all")
    for name in names:
        blitz("class", "nbgrader", tmp_path / "all", "--", "generate_assignment", name)
        blitz("exercises", name, "--to", tmp_path / "mine")
        mine = cells(tmp_path / "mine" / f"{name}.ipynb")
        released = cells(tmp_path / "all/release" / name / f"{name}.ipynb")
        shown = {i: text(cell) for i, cell in mine.items() if not i.endswith("-solution")}
        links = {i for i, source in shown.items() if "](" in source}
        kept = {i: source for i, source in shown.items() if i not in links}
        assert kept == {i: text(cell) for i, cell in released.items() if i not in links}
