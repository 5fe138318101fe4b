"""Executes a notebook with nbclient, cell by cell, and tells `cargo blitz run` how it goes.

Usage: execute.py SOURCE TARGET FOLDER TIMEOUT

Reads the notebook SOURCE, executes it with the kernel `rust` in FOLDER and writes it with its
outputs to TARGET, also when a cell fails: then the cells after it have no execution count. Prints
one JSON object a line. Whether a cell failed for the reader is for the caller to judge; this
script stops at what it can see.
"""

import json
import os
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

FAILURE = "application/vnd.blitz.failure+json"


# Events go to what was standard output. The kernel inherits standard output, so from here on that
# is the log: a kernel that outlives this process must not keep the caller waiting.
EVENTS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def say(**event):
    print(json.dumps(event), file=EVENTS, flush=True)


def has_failed(cell):
    expected = "raises-exception" in cell.metadata.get("tags", [])
    return not expected and any(FAILURE in output.get("data", {}) for output in cell.outputs)


def main(source, target, folder, timeout):
    notebook = nbformat.read(source, as_version=4)
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code_cells:
        cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name="rust",
        timeout=float(timeout),
        startup_timeout=300,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": folder}},
    )
    index = 0
    try:
        with client.setup_kernel():
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                say(event="cell", index=index)
                client.execute_cell(cell, index)
                if has_failed(cell):
                    break
    except CellExecutionError:
        pass  # The cell's outputs say it.
    except CellTimeoutError:
        say(event="stopped", index=index, reason=f"did not end within {timeout} s")
    except DeadKernelError:
        say(event="stopped", index=index, reason="the kernel died")
    except RuntimeError as error:
        what = "the kernel did not start" if index == 0 else "the kernel failed"
        say(event="stopped", index=index, reason=f"{what}: {error}")
    finally:
        nbformat.write(notebook, target)


main(*sys.argv[1:])
