"""Executes a notebook with nbclient, cell by cell, and tells `cargo blitz run` how it goes.

Usage: execute.py FOLDER TIMEOUT KERNEL

Reads a notebook from standard input and executes it with KERNEL in FOLDER. Prints one JSON object a
line, the last of them with the notebook and its outputs, also when a cell fails: then the cells
after it have no execution count. Whether a cell failed for the reader is for the caller to judge;
this script stops at what it can see.
"""

import json
import os
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

# Jupyter chooses free ports and lets go of them for the kernel to take; meanwhile a kernel that
# starts in another process may take one. The kernel then ends, and another start has other ports.
STARTS = 3

# Events go to what was standard output. The kernel inherits standard output, so from here on that
# is the log: a kernel that outlives this process must not keep the caller waiting.
EVENTS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def say(**event):
    print(json.dumps(event), file=EVENTS, flush=True)


def start_kernel(client):
    for start in range(1, STARTS + 1):
        try:
            client.create_kernel_manager()
            client.start_new_kernel()
            client.start_new_kernel_client()
            return
        except RuntimeError as error:
            # One that is slow rather than dead would be as slow the next time.
            if start == STARTS or "died" not in str(error):
                raise


def has_failed(cell, kernel):
    """The stock kernel answers "ok" to a panic and to an `Err`: only stderr tells."""
    expected = "raises-exception" in cell.metadata.get("tags", [])
    stderr = [output for output in cell.outputs if output.get("name") == "stderr"]
    return kernel == "rust-stock" and not expected and bool(stderr)


def execute(client, notebook, kernel):
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        say(event="cell", index=index)
        try:
            client.execute_cell(cell, index)
        except CellExecutionError:
            return  # The cell's outputs say it.
        except CellTimeoutError:
            say(event="stopped", index=index, reason=f"did not end within {client.timeout} s")
            return
        except DeadKernelError:
            say(event="stopped", index=index, reason="the kernel died")
            return
        except RuntimeError as error:
            say(event="stopped", index=index, reason=f"the kernel failed: {error}")
            return
        if has_failed(cell, kernel):
            return


def main(folder, timeout, kernel):
    notebook = nbformat.read(sys.stdin, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name=kernel,
        timeout=int(timeout),
        startup_timeout=300,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": folder}},
    )
    try:
        start_kernel(client)
    except RuntimeError as error:
        say(event="not started", index=0, reason=f"the kernel did not start: {error}")
    else:
        with client.setup_kernel():
            execute(client, notebook, kernel)
    finally:
        say(event="executed", notebook=nbformat.writes(notebook))


main(*sys.argv[1:])
