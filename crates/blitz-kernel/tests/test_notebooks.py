"""The notebooks as learners use them: run twice without a restart, and changed.

Cells are sent as JupyterLab sends them, each under its own name.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from driver import NOTEBOOKS, WITH_KEPT_CELLS, Kernel

NAMES = [
    "00_quickstart",
    "01_tensors",
    "02_autograd",
    "03_neural_networks",
    "04_cifar10_classifier",
    "05_data_parallel",
]
ENVIRONMENT = WITH_KEPT_CELLS | {"BLITZ_DATA": "builtin"}


class Notebook:
    """A notebook in a front end with a running kernel."""

    def __init__(self, name):
        self.name = name
        content = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text())
        self.cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
        self.kernel = Kernel(env=ENVIRONMENT)

    def run_all(self, first=0, changes=()):
        """Runs the cells from the `first` on, with the changes. Returns what they wrote."""
        written = []
        for cell in self.cells[first:]:
            code = "".join(cell["source"])
            for before, after in changes:
                code = code.replace(before, after)
            request = self.kernel.execute(code, cell["id"], stop_on_error=False)
            is_meant = "raises-exception" in cell["metadata"].get("tags", [])
            expected = "error" if is_meant else "ok"
            assert request.status == expected, f"{self.name}, {code}: {request.summary()}"
            written.append(request.stdout)
        return "".join(written)

    def index(self, text):
        """The cell that `text` stands in."""
        found = [i for i, cell in enumerate(self.cells) if text in "".join(cell["source"])]
        assert found, f"{self.name} has no cell with {text}"
        return found[0]


@pytest.fixture(scope="module")
def notebooks():
    """Two at a time: compiling a cell is one core's work."""
    opened = {}
    try:
        for name in NAMES:
            opened[name] = Notebook(name)
        run_all = lambda: list(pool.map(lambda name: opened[name].run_all(), NAMES))  # noqa: E731
        with ThreadPoolExecutor(2) as pool:
            first, second = (dict(zip(NAMES, run_all(), strict=True)) for _ in range(2))
        yield opened, first, second
    finally:
        for notebook in opened.values():
            notebook.kernel.stop()


@pytest.mark.parametrize("name", NAMES)
def test_run_all_twice_without_a_restart(notebooks, name):
    _, first, second = notebooks
    # Random numbers and times differ; what is said about them does not.
    words = lambda text: [word for word in re.findall(r"[A-Za-z]{3,}", text) if word != "nan"]  # noqa: E731
    assert words(first[name])[:200] == words(second[name])[:200]


def test_the_neural_network_is_made_wider(notebooks):
    """Twelve channels: the cell with `Net::new` is changed, it and the cells after it are run."""
    notebook = notebooks[0]["03_neural_networks"]
    changed = [
        ('"conv1", 1, 6, 5', '"conv1", 1, 12, 5'),
        ('"conv2", 6, 16, 5', '"conv2", 12, 16, 5'),
    ]
    written = notebook.run_all(notebook.index("fn new(root"), changed)
    assert "64262" in written.replace(" ", "").replace(",", ""), written


def test_the_second_line_forgotten_is_an_error_at_the_forward_pass(notebooks):
    notebook = notebooks[0]["03_neural_networks"]
    cell = notebook.cells[notebook.index("fn new(root")]
    code = "".join(cell["source"])
    notebook.kernel.execute(code.replace('"conv1", 1, 6, 5', '"conv1", 1, 12, 5'), cell["id"]).ok()
    made = "let vs = nn::VarStore::new(Device::Cpu);\nlet net = Net::new(&vs.root());"
    notebook.kernel.execute(made).ok()
    failed = notebook.kernel.execute(
        "net.forward(&Tensor::randn([1, 1, 32, 32], (Kind::Float, Device::Cpu)))"
    )
    assert "expected an input of shape [N, 6, H, W], got [1, 12, 14, 14]" in failed.traceback
    notebook.kernel.execute(code, cell["id"]).ok()
    notebook.kernel.execute(made).ok()
    notebook.kernel.execute(
        "let _ = net.forward(&Tensor::randn([1, 1, 32, 32], (Kind::Float, Device::Cpu)));"
    ).ok()


def test_a_network_gains_a_layer(notebooks):
    """A struct gains a field while a network of it lives."""
    notebook = notebooks[0]["03_neural_networks"]
    struct = notebook.cells[notebook.index("struct Net {")]
    code = "".join(struct["source"])
    changed = notebook.kernel.execute(
        code.replace("fc3: Linear,", "fc3: Linear,\n    fc4: Linear,"), struct["id"]
    )
    assert "`net` is dropped" in changed.ok().stderr and "`Net::new` of cell" in changed.stderr
    back = notebook.kernel.execute(code, struct["id"]).ok()
    assert "`Net::new` of cell" in back.stderr and "fits again" in back.stderr


def test_the_classifier_is_made_wider(notebooks):
    """24 channels: the cell with the network is changed, and it and the cells after it are run."""
    notebook = notebooks[0]["04_cifar10_classifier"]
    first = notebook.index("conv1: conv2d(")
    code = "".join(notebook.cells[first]["source"])
    old = re.findall(r'"conv1", 3, 6, 5|"conv2", 6, 16, 5', code)
    assert len(old) == 2, code
    changes = [
        ('"conv1", 3, 6, 5', '"conv1", 3, 24, 5'),
        ('"conv2", 6, 16, 5', '"conv2", 24, 16, 5'),
    ]
    notebook.run_all(first, changes)
