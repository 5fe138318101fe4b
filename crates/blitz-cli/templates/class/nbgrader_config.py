"""nbgrader for exercises in Rust. `cargo blitz class new` wrote it; it is yours to change.

nbgrader's own rules hold, with these additions: what a solution holds behind `// INSTEAD` takes its
place in the assignment, a submission whose cell runs for ever or ends its process is graded on, and
what an answer prints to its standard error costs no points.
"""

import copy
import re
from queue import Empty

from jupyter_client.utils import ensure_async
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat.v4 import new_output
from nbgrader import preprocessors, utils

# Seconds that a cell may take. The exercises take 10 on a slow machine, and the first cell of a
# notebook is compiled with all that it imports.
SECONDS_PER_CELL = 120
# Seconds for the kernel to react to an interrupt. The first stops whatever watches for it, such as
# a training; the second ends the cell's process, with its variables.
REACTION = 5

BEGIN, END, INSTEAD = "// BEGIN SOLUTION", "// END SOLUTION", "// INSTEAD"
STUB = 'todo!("write this")'


class ClearSolutions(preprocessors.ClearSolutions):
    """Puts what stands behind `// INSTEAD` in the solution's place, where there is such a line."""

    def _replace_solution_region(self, cell, language):
        # Complains of regions that do not fit together, and knows the plain ones.
        plain = copy.deepcopy(cell)
        replaced = super()._replace_solution_region(plain, language)
        if cell.cell_type != "code" or INSTEAD not in cell.source:
            cell.source = plain.source
            return replaced
        lines, region = [], None
        for line in cell.source.split("\n"):
            if BEGIN in line:
                region = [line]
            elif END in line and region:
                lines += instead(region)
                region = None
            elif END not in line:
                (lines if region is None else region).append(line)
        cell.source = "\n".join(lines)
        return replaced

    def preprocess_cell(self, cell, resources, cell_index):
        # What our own tests of the exercises know: it gives solutions away.
        cell.metadata.pop("blitz", None)
        return super().preprocess_cell(cell, resources, cell_index)


def instead(region):
    """The lines in a solution's place; `region` begins with the line of its marker."""
    places = [i for i, line in enumerate(region) if INSTEAD in line]
    if not places:
        return [re.match(r"\s*", region[0])[0] + STUB]
    commented = [line for line in region[places[0] + 1 :] if line.strip()]
    return [re.sub(r"^(\s*)// ?", r"\1", line) for line in commented]


class Execute(preprocessors.Execute):
    """Executes a submission to its end, whatever its cells do."""

    async def _async_handle_timeout(self, timeout, cell=None):
        self.log.warning("A cell took more than %s s and is interrupted", timeout)
        self.took_too_long = True
        for _ in range(2):
            await ensure_async(self.km.interrupt_kernel())
            try:
                return await ensure_async(self.kc.shell_channel.get_msg(timeout=REACTION))
            except Empty:
                continue
        return await super()._async_handle_timeout(timeout, cell)

    def preprocess_cell(self, cell, resources, index):
        self.took_too_long = False
        executed = super().preprocess_cell(cell, resources, index)
        if cell.cell_type != "code":
            return executed
        lost = any("variables are gone" in told(error) for error in errors(cell))
        if self.took_too_long:
            why = f"This cell took more than {self.timeout} seconds and was ended."
            error = new_output("error", ename="too long", evalue=why, traceback=[why])
            cell.outputs.insert(0, error)
        for output in cell.outputs:
            # nbgrader would take any word on standard error for a failure.
            if output.output_type == "stream" and output.name == "stderr":
                output.name = "stdout"
        if lost:
            self.restore(index)
        return executed

    def restore(self, index):
        """Runs the cells above `index` again that are no checks and did not fail: their variables
        are gone with the process of the cells."""
        self.log.warning("The process of the cells ended in cell %s; grading goes on", index + 1)
        for i, cell in enumerate(self.nb.cells[:index]):
            if cell.cell_type == "code" and not utils.is_grade(cell) and not errors(cell):
                self.execute_cell(copy.deepcopy(cell), i, store_history=False)


def errors(cell):
    return [output for output in cell.outputs if output.output_type == "error"]


def told(error):
    return "\n".join([error.evalue, *error.traceback])


c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "@COURSE@"
# What is solved is noted there, while checks run.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".progress"]

c.ClearSolutions.code_stub = {"rust": STUB}
c.ClearSolutions.begin_solution_delimeter = BEGIN
c.ClearSolutions.end_solution_delimeter = END
c.ClearHiddenTests.begin_test_delimeter = "// BEGIN HIDDEN TESTS"
c.ClearHiddenTests.end_test_delimeter = "// END HIDDEN TESTS"

c.GenerateAssignment.preprocessors = [
    preprocessors.IncludeHeaderFooter,
    preprocessors.LockCells,
    ClearSolutions,
    preprocessors.ClearOutput,
    preprocessors.CheckCellMetadata,
    preprocessors.ComputeChecksums,
    preprocessors.SaveCells,
    preprocessors.ClearHiddenTests,
    preprocessors.ClearMarkScheme,
    preprocessors.ComputeChecksums,
    preprocessors.CheckCellMetadata,
]

c.Autograde.autograde_preprocessors = [
    Execute,
    preprocessors.IgnorePattern,
    ClearMetadataPreprocessor,
    preprocessors.LimitOutput,
    preprocessors.SaveAutoGrades,
    preprocessors.AssignLatePenalties,
    preprocessors.CheckCellMetadata,
]
c.Execute.timeout = SECONDS_PER_CELL
c.Execute.startup_timeout = 300
c.Execute.interrupt_on_timeout = True
# A submission that prints without end must not fail the others.
c.Execute.raise_on_iopub_timeout = False

# How the files in an archive are named that `zip_collect` takes apart, without their ending:
# `anything_STUDENT_attempt_2026-01-30-15-00-00_01_tensors`. Other platforms have other names.
c.FileNameCollectorPlugin.named_regexp = (
    r".*_(?P<student_id>[^_]+)_attempt_(?P<timestamp>[0-9-]+)_(?P<file_id>\w+)"
)
