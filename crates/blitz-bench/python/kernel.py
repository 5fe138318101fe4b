"""Measures Jupyter kernels for `cargo blitz bench kernel`.

Usage: kernel.py FOLDER RUNS NOTEBOOKS KERNEL...

Starts each kernel RUNS times, in turn, after one start of each that is not counted, and executes
the cells of the first NOTEBOOKS of the tutorial in FOLDER. Prints one JSON object a line:
{"progress": TEXT}, and at the end {"result": ...}.
"""

import importlib.metadata
import json
import os
import platform
import queue
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
from jupyter_client import KernelManager

NAMES = ["01_tensors", "02_autograd", "03_neural_networks"]
# Sections whose cells compute for longer than a kernel needs for its own work.
LONG_RUNNING = {
    "A training step",
    "Freezing a network and training a new last layer",
    "Four rules",
}
METHODS = {
    1: "the code cells of notebook 01 after its first three",
    3: "the code cells of notebooks 01-03 after each notebook's first three, without the sections "
    "that train a ResNet-18 in 02 and compare optimizers in 03",
}
METHOD = (
    "; for Python the lines beside them that run "
    "by themselves and without an error; from sending a cell to its `idle`, so with what it "
    "computes, which is what Python takes most of its few milliseconds for"
)
# The first cells of a notebook load and import; they count for the first printed tensor.
FIRST_CELLS = 3
# What an editor asks to complete, how often in each start after one answer that is not counted.
COMPLETION = {"python3": "torch.zer", "rust": "Tensor::zer", "rust-stock": "Tensor::zer"}
COMPLETIONS = 5
# What the single cells need.
MOMENTS_BEGIN = {
    "python": "x = torch.ones(2, 3)",
    "rust": "let x = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));",
}
# Single cells after notebook 01, each with a number in it that no cell had before: a call, a
# loop, and an error. How often each.
MOMENTS = {
    "python": {
        "call": "moment_{n} = {n}\nx.dim()",
        "loop": "total = {n}\nfor i in range(1000):\n    total += i * total % 7\nprint(total)",
        "error": "x.no_such_method_{n}()",
    },
    "rust": {
        "call": "/* {n} */ x.dim() + {n}",
        "loop": "{{ let mut total = {n}i64;\n"
        'for i in 0..1000 {{ total += i * total % 7; }} println!("{{total}}"); }}',
        "error": "x.no_such_method_{n}()",
    },
}
REPETITIONS = 9
# Kernels that start at the same time.
TOGETHER = 4
# What a kernel's processor time is looked at for, in seconds, once nobody has asked it for some.
IDLE = 10
SETTLING = 15
TIMEOUT = 600

# The kernels inherit standard output, so from here on that is the log.
EVENTS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def say(**event):
    print(json.dumps(event), file=EVENTS, flush=True)


class Cell(NamedTuple):
    """Code, and the heading that it stands under."""

    section: str
    name: str
    code: str


def rust_cells(notebook):
    return [
        Cell(section, cell.id, cell.source)
        for section, cell in with_sections(notebook)
        if cell.cell_type == "code" and cell.source.strip()
    ]


def python_cells(notebook):
    """The Python lines that stand, quoted, beside the Rust cells."""
    cells = [Cell("", "library", "import torch")]
    for section, cell in with_sections(notebook):
        if cell.cell_type == "markdown":
            text = re.sub(r"^> ?", "", cell.source, flags=re.MULTILINE)
            blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
            cells += [Cell(section, cell.id, block) for block in blocks]
    return cells


def with_sections(notebook):
    """The notebook's cells, each with the last heading above its code."""
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+ (.+)", cell.source, re.MULTILINE)
            section = headings[-1] if headings else section
        yield section, cell


def cells_for(kernel, folder, count):
    read = python_cells if kernel.startswith("python") else rust_cells
    names = NAMES[:count]
    notebooks = [nbformat.read(Path(folder, f"{name}.ipynb"), as_version=4) for name in names]
    notebooks = [read(notebook) for notebook in notebooks]
    sections = {cell.section for cells in notebooks for cell in cells}
    if count == len(NAMES) and (unknown := LONG_RUNNING - sections):
        sys.exit(f"no notebook has the sections {sorted(unknown)}: adapt LONG_RUNNING")
    return notebooks


class Running:
    """A started kernel."""

    def __init__(self, kernel, folder, environment=None):
        self.started = time.perf_counter()
        self.manager = KernelManager(kernel_name=kernel)
        self.manager.start_kernel(cwd=folder, env=environment or dict(os.environ))
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.ready = self.wait_for_kernel_info() - self.started

    def wait_for_kernel_info(self):
        request = self.client.kernel_info()
        while True:
            try:
                reply = self.client.get_shell_msg(timeout=1)
            except queue.Empty:
                if not self.manager.is_alive():
                    sys.exit(f"the kernel {self.manager.kernel_name} died while it started")
                if time.perf_counter() - self.started > TIMEOUT:
                    sys.exit(f"the kernel {self.manager.kernel_name} does not answer")
                continue
            if reply["parent_header"].get("msg_id") == request:
                return time.perf_counter()

    def execute(self, code):
        """Returns the seconds until idle, when the first text was printed, and whether all went
        well."""
        sent = time.perf_counter()
        request = self.client.execute(code, allow_stdin=False)
        printed, fine = None, True
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "stream" and content["name"] == "stdout":
                printed = printed or time.perf_counter()
            fine = fine and message["msg_type"] != "error"
            if content.get("execution_state") == "idle":
                seconds = time.perf_counter() - sent
                self.client.get_shell_msg(timeout=TIMEOUT)
                return seconds, printed, fine

    def complete(self, code):
        """Returns the milliseconds until the answer, and whether it names anything."""
        sent = time.perf_counter()
        request = self.client.complete(code)
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == request:
                return (time.perf_counter() - sent) * 1000, bool(reply["content"]["matches"])

    def completions(self, code):
        """The times of `COMPLETIONS` answers after the first that names something: a kernel may say
        nothing while its analyzer reads."""
        deadline = time.perf_counter() + TIMEOUT
        while not self.complete(code)[1]:
            if time.perf_counter() > deadline:
                sys.exit(f"the kernel {self.manager.kernel_name} does not complete {code}")
        return [self.complete(code)[0] for _ in range(COMPLETIONS)]

    def memory(self):
        """Megabytes of the kernel and its children, shared pages divided; None where unknown."""
        kernel = psutil.Process(self.manager.provisioner.pid)
        try:
            processes = [kernel, *kernel.children(recursive=True)]
            return sum(process.memory_full_info().pss for process in processes) / 1e6
        except (psutil.Error, AttributeError):
            return None

    def processor_time(self):
        """Seconds of the kernel and its children so far."""
        kernel = psutil.Process(self.manager.provisioner.pid)
        times = [process.cpu_times() for process in [kernel, *kernel.children(recursive=True)]]
        return sum(it.user + it.system for it in times)

    def idle(self):
        """Milliseconds of processor time while nobody asks anything."""
        time.sleep(SETTLING)
        before = self.processor_time()
        time.sleep(IDLE)
        return (self.processor_time() - before) * 1000

    def first_tensor(self, cells):
        """Seconds from the start to the first printed text."""
        for cell in cells:
            _, printed, _ = self.execute(cell.code)
            if printed:
                return printed - self.started
        sys.exit("no cell has printed anything")

    def moments(self, kernel):
        """Milliseconds of each kind of single cell, as medians."""
        language = "python" if kernel.startswith("python") else "rust"
        if not self.execute(MOMENTS_BEGIN[language])[2]:
            sys.exit(f"{kernel}: what the single cells need failed")
        found, cells = {}, MOMENTS[language]
        for name, code in cells.items():
            times = [self.execute(code.format(n=n))[0] for n in range(REPETITIONS)]
            found[name] = statistics.median(times) * 1000
        return found

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)


def together(kernel, folder, cells):
    """The median of the first tensors of kernels that start at the same time, in seconds."""

    def start(_):
        running = Running(kernel, folder)
        try:
            return running.first_tensor(cells)
        finally:
            running.stop()

    with ThreadPoolExecutor(TOGETHER) as threads:
        return statistics.median(threads.map(start, range(TOGETHER)))


def again(kernel, folder, cells):
    """Seconds from a kernel's start to the end of a notebook that was run before."""
    # `cargo blitz bench` has the others compile every cell.
    environment = {name: it for name, it in os.environ.items() if name != "BLITZ_KEPT_CELLS"}
    for _ in range(2 if kernel == "rust" else 1):
        running = Running(kernel, folder, environment)
        try:
            for cell in cells:
                running.execute(cell.code)
            seconds = time.perf_counter() - running.started
        finally:
            running.stop()
    return seconds


def compiler_floor():
    """Milliseconds of rustc for a library with nothing in it: no cell can take less."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "empty.rs")
        source.write_text("")
        command = ["rustc", "--crate-type=cdylib", "-Cprefer-dynamic", "--out-dir", folder, source]
        times = []
        for _ in range(REPETITIONS + 1):
            started = time.perf_counter()
            subprocess.run(command, check=True)
            times.append(time.perf_counter() - started)
    return statistics.median(times[1:]) * 1000


def measure(kernel, folder, notebooks):
    """One start of the kernel for each notebook; the first one's counts as the start."""
    start = first_tensor = memory = completion = None
    times, moments, idle = [], {}, None
    for cells in notebooks:
        running = Running(kernel, folder)
        try:
            for index, cell in enumerate(cells):
                seconds, printed, fine = running.execute(cell.code)
                if start is None and printed and first_tensor is None:
                    first_tensor = printed - running.started
                if not fine and not kernel.startswith("python"):
                    sys.exit(f"{kernel}: the cell {cell.name} failed")
                if fine and index >= FIRST_CELLS and cell.section not in LONG_RUNNING:
                    times.append(seconds * 1000)
            if start is None:
                start, memory = running.ready, running.memory()
                moments = running.moments(kernel)
                completion = statistics.median(running.completions(COMPLETION[kernel]))
                idle = running.idle() if len(notebooks) > 1 else None
        finally:
            running.stop()
    return {
        "start": start,
        "first_tensor": first_tensor,
        "cell_median": statistics.median(times),
        "cell_p90": statistics.quantiles(times, n=10)[-1],
        "completion": completion,
        "memory": memory,
        "cells": times,
        "idle": idle,
        "together": together(kernel, folder, notebooks[0]) if len(notebooks) > 1 else None,
        "again": again(kernel, folder, notebooks[0]) if len(notebooks) > 1 else None,
        **moments,
    }


def median_of(runs):
    result = {"runs": runs}
    for key in [key for key in runs[0] if key != "cells"]:
        values = [run[key] for run in runs if run[key] is not None]
        result[key] = statistics.median(values) if values else None
    return result


def cpu():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or "unknown"


def hardware():
    memory = f"{psutil.virtual_memory().total / 1e9:.0f} GB"
    system = f"{platform.system()} {platform.release()}"
    return {
        "CPU": cpu(),
        "cores": psutil.cpu_count(),
        "memory": memory,
        "system": system,
    }


def versions():
    names = ["torch", "ipykernel", "jupyter-client"]
    found = {name: importlib.metadata.version(name) for name in names}
    return {"Python": platform.python_version(), **found}


def main(folder, runs, count, *kernels):
    cells = {kernel: cells_for(kernel, folder, int(count)) for kernel in kernels}
    measured = {kernel: [] for kernel in kernels}
    for run in range(int(runs) + 1):
        for kernel in kernels:
            say(progress=f"{kernel}, " + (f"run {run} of {runs}" if run else "warming up"))
            notebooks = cells[kernel] if run else [cells[kernel][0][:FIRST_CELLS]]
            if run:
                measured[kernel].append(measure(kernel, folder, notebooks))
            else:
                warm_up(kernel, folder, notebooks[0])
    result = {
        "kernels": {kernel: median_of(runs) for kernel, runs in measured.items()},
        "hardware": hardware(),
        "versions": versions(),
        "method": METHODS[int(count)] + METHOD,
        "completions": COMPLETIONS,
        "floor": compiler_floor(),
        "cells": {kernel: len(runs[0]["cells"]) for kernel, runs in measured.items()},
    }
    say(result=result)


def warm_up(kernel, folder, cells):
    running = Running(kernel, folder)
    for cell in cells:
        running.execute(cell.code)
    running.stop()


main(*sys.argv[1:])
