"""Writes what PyTorch prints for many tensors, as repr.json, and NumPy for arrays, as
repr_arrays.json, beside this script.

Run from the repository root:  .venv/bin/python crates/blitz/tests/reference/make_repr.py

A case stores its elements (or the formula `ramp`), its kind, shape and print options, so that
tests/tensor/repr.rs builds the same tensor without a random generator.
"""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
SMALL_FLOATS = ["float8_e5m2", "float8_e4m3fn", "float8_e5m2fnuz", "float8_e4m3fnuz"]
COMPLEX = ["complex32", "complex64", "complex128"]
SHAPES = [[], [1], [5], [1, 1], [2, 3], [3, 1], [2, 1, 3], [2, 3, 2], [2, 2, 1, 3], [2, 1, 2, 1, 2]]

VALUES = {
    "plain": [0.4963, 0.7682, 0.0885, 0.1320, 0.3074],
    "negative": [-0.5, 1.25, -2.0625, 0.0, 3.5],
    "negative zero": [-0.0, 0.5, 0.0],
    "whole": [1.0, 2.0, 30.0, -4.0],
    "zeros": [0.0, -0.0, 0.0],
    "wide": [1e-6, 1.0, 1000.0],
    "ratio at the limit": [1.0, 1000.0, 0.0],
    "ratio above the limit": [1.0, 1001.0, 0.5],
    "large": [1e9, 3.5],
    "large and whole": [1.0, 123456789.0, -2.0],
    "at 1e8": [1e8, 1e8],
    "small": [9e-5, 8e-5],
    "at 1e-4": [1.1e-4, 2e-4],
    "nan and inf": [float("nan"), float("inf"), float("-inf"), 1.5],
    "whole with nan": [float("nan"), float("inf"), float("-inf"), 2.0],
    "only nan": [float("nan"), float("nan")],
    "only inf": [float("-inf"), float("inf")],
    "scientific with nan": [float("nan"), float("-inf"), 1e-10, 5.0, 0.0],
    "ties": [0.03125, 0.09375, 2.5, -0.15625],
    "huge": [3.0e38, -1.0e-38],
}


def number(value):
    """A number that JSON can hold."""
    return value if isinstance(value, (int, bool)) or math.isfinite(value) else str(value)


def ramp(count, scale):
    """(7 k mod 256 - 100) / 255 * scale, computed in double."""
    return ((torch.arange(count, dtype=torch.float64) * 7) % 256 - 100) / 255 * scale


def printed(tensor, options):
    names = {"edge_items": "edgeitems", "line_width": "linewidth"}
    arguments = {names.get(name, name): value for name, value in options.items()}
    with torch._tensor_str.printoptions(**{"profile": "default", **arguments}):
        return repr(tensor)


class Cases:
    def __init__(self):
        self.cases = []

    def values(self, name, values, dtype, shape=None, **options):
        """A tensor of these elements; complex ones are pairs."""
        shape = [len(values)] if shape is None else shape
        if dtype.startswith("complex"):
            pairs = torch.tensor(values, dtype=torch.float64)
            tensor = torch.view_as_complex(pairs).to(getattr(torch, dtype)).reshape(shape)
            stored = [[number(part) for part in pair] for pair in values]
        else:
            wide = torch.float64 if isinstance(values[0], float) else torch.int64
            tensor = torch.tensor(values, dtype=wide).to(getattr(torch, dtype)).reshape(shape)
            stored = [number(value) for value in values]
        self.add(name, {"values": stored}, dtype, shape, tensor, options)

    def ramp(self, name, dtype, shape, scale=1.0, **options):
        tensor = ramp(math.prod(shape), scale)
        if dtype in INTEGERS:
            tensor = tensor.to(torch.int64)  # from there to fewer bits is defined everywhere
        tensor = tensor.to(getattr(torch, dtype)).reshape(shape)
        self.add(name, {"scale": scale}, dtype, shape, tensor, options)

    def add(self, name, elements, dtype, shape, tensor, options):
        case = {"name": f"{name}, {dtype}, {shape}, {options}", "kind": dtype, "shape": shape}
        case |= elements | {"options": options, "printed": printed(tensor, options)}
        self.cases.append(case)


def kinds_and_shapes(cases):
    for dtype in FLOATS:
        for name, values in VALUES.items():
            cases.values(name, values, dtype)
            cases.values(name, values[:1], dtype, [])
    for dtype in INTEGERS + ["bool"] + FLOATS:
        for shape in SHAPES:
            cases.ramp("ramp", dtype, shape, 300.0 if dtype in INTEGERS else 3.0)
        for shape in [[0], [0, 3], [2, 0, 4]]:
            cases.ramp("empty", dtype, shape)
    cases.values("limits", [-(2**63), 2**63 - 1, 0], "int64")
    cases.values("limits", [-128, 127, 5], "int8")
    cases.values("flags", [1, 0, 1, 1], "bool", [2, 2])
    cases.values("all true", [1, 1], "bool")
    for dtype in SMALL_FLOATS:
        cases.values("eight bits", [0.5, -1.25, 2.0, 0.0], dtype, [2, 2])
        cases.ramp("eight bits", dtype, [5], 3.0)


def complex_numbers(cases):
    pairs = [[1.0, 2.0], [-0.5, -3.25], [0.0, -0.0], [10.0, 0.125]]
    special = [[float("nan"), 1.0], [2.0, float("inf")], [-1.0, float("-inf")]]
    for dtype in COMPLEX:
        cases.values("complex", pairs, dtype)
        cases.values("complex", pairs, dtype, [2, 2])
        cases.values("complex", pairs[1:2], dtype, [])
        cases.values("whole and complex", [[1.0, -2.0], [3.0, 4.0]], dtype)
        cases.values("special and complex", special, dtype)
        cases.values("wide and complex", [[1e-3, 2.0], [5.0, 1e4]], dtype)
        cases.values("many and complex", pairs * 6, dtype)
    cases.values("summarised and complex", pairs * 5, "complex64", threshold=10, edge_items=2)


def summaries(cases):
    for shape in [
        [1000],
        [1001],
        [2, 600],
        [600, 2],
        [7, 8, 20],
        [4, 300],
        [6, 200],
        [40, 7, 5],
        [2, 3, 4, 50],
        [10, 10, 10, 2],
        [1, 1001],
        [1001, 1],
        [3, 400, 1],
    ]:
        cases.ramp("summary", "float32", shape, 3.0)
        cases.ramp("summary", "int64", shape, 300.0)
    cases.ramp("summary", "float64", [1200], 1e-6)
    cases.ramp("summary", "bool", [40, 40], 3.0)
    cases.ramp("summary", "uint8", [3, 32, 32], 300.0)
    # The numbers that are not shown have no say.
    cases.values("hidden", [1.0, 2.0, 1e9, 0.5, 3.0, 4.0], "float32", threshold=4, edge_items=1)
    cases.values("hidden", [1, 2, 123456, 5, 3, 4], "int64", threshold=4, edge_items=1)


def options(cases):
    for precision in [0, 1, 2, 6, 10]:
        for name in ["plain", "wide", "whole", "ties", "nan and inf"]:
            cases.values(name, VALUES[name], "float64", precision=precision)
    for sci_mode in [True, False]:
        for name, values in VALUES.items():
            cases.values(name, values, "float32", sci_mode=sci_mode)
    for line_width in [1, 20, 40, 79, 120]:
        cases.ramp("narrow", "float32", [2, 30], line_width=line_width)
        cases.ramp("narrow", "float64", [3], line_width=line_width)
        cases.ramp("narrow", "int16", [40], 300.0, line_width=line_width)
    for edge_items in [0, 1, 2, 5]:
        cases.ramp("edges", "float32", [30], threshold=5, edge_items=edge_items)
        cases.ramp("edges", "float32", [4, 9], threshold=5, edge_items=edge_items)
        cases.ramp("edges", "int32", [3, 4, 5], 300.0, threshold=5, edge_items=edge_items)
        cases.ramp("not cut", "float32", [2, 2], threshold=5, edge_items=edge_items)
        cases.ramp("edges", "float64", [], threshold=0, edge_items=edge_items)
        cases.ramp("edges", "float64", [1], threshold=0, edge_items=edge_items)
    cases.ramp("all", "float32", [1100], threshold=10**9)
    for shape in [[10], [11], [12], [26], [27], [3, 13], [2, 2, 40]]:
        cases.ramp("wrapped", "float32", shape, 30.0)
        cases.ramp("wrapped", "int64", shape, 300.0)
        cases.ramp("wrapped", "bool", shape, 3.0)
        cases.ramp("wrapped", "bfloat16", shape, 1.0)


def named():
    """Tensors that tests/tensor/repr.rs makes by name."""
    x = ramp(6, 3.0).float().reshape(2, 3)
    leaf = x.clone().requires_grad_()
    long = ramp(4, 3.0).float().requires_grad_()
    weight = torch.ones(2, 4).requires_grad_()
    conv = torch.nn.functional.conv2d(
        torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2).requires_grad_()
    )
    view = leaf.view(3, 2)
    changed = leaf * 1
    changed[0].mul_(2)
    with torch.no_grad():
        invalid = leaf.clone().requires_grad_().view(-1)
        invalid.add_(1)
    tensors = {
        "leaf": leaf,
        "leaf double": x.double().requires_grad_(),
        "leaf empty": torch.zeros(0, 3).requires_grad_(),
        "add": leaf + 1,
        "mul": leaf * 2,
        "sum": leaf.sum(),
        "mean of half": leaf.half().mean(),
        "relu": leaf.relu(),
        "view": view,
        "t": leaf.t(),
        "mm": weight.mm(torch.ones(4, 3)),
        "linear": torch.nn.functional.linear(torch.ones(1, 4), weight, torch.zeros(2)),
        "conv": conv,
        "max_pool": torch.nn.functional.max_pool2d(conv, 2),
        "log_softmax": leaf.log_softmax(1),
        "cross_entropy": torch.nn.functional.cross_entropy(leaf, torch.tensor([0, 2])),
        "copy_slices": changed,
        "changed view": invalid,
        "no room": torch.nn.functional.pad(long, (0, 4)),
        "detached": leaf.detach(),
        "strided": x.t(),
        "expanded": torch.ones(2, 1).expand(2, 4),
        "conj": torch.view_as_complex(x[:, :2].contiguous().double()).conj(),
        "neg": torch.view_as_complex(x[:, :2].contiguous()).conj().imag,
        "coo": torch.tensor([[0.0, 1.5], [2.0, 0.0]]).to_sparse(),
        "coo empty": torch.zeros(2, 2, dtype=torch.float64).to_sparse(),
        "csr": torch.tensor([[0.0, 1.5], [2.0, 0.0]]).to_sparse_csr(),
        "csc": torch.tensor([[0.0, 1.5], [2.0, 4.0]]).to_sparse_csc(),
        "quantised": torch.quantize_per_tensor(x, 0.1, 10, torch.quint8),
        "quantised by channel": torch.quantize_per_channel(
            x, torch.tensor([0.1, 0.02]), torch.tensor([0, 5]), 0, torch.qint8
        ),
        "mkldnn": x.to_mkldnn(),
    }
    return {name: repr(tensor) for name, tensor in tensors.items()}


def arrays():
    """What NumPy prints for arrays of many kinds, shapes and sizes."""
    cases = []

    def add(values, dtype, shape=None, divisor=1):
        array = np.array([float(value) for value in values]).astype(dtype)
        array = array.reshape(shape if shape is not None else [len(values)])
        # As text: every bit counts. Long ones are 0, 1, 2, ... over a divisor.
        numbers = [repr(float(value)) for value in values] if len(values) < 50 else divisor
        case = {"kind": dtype, "shape": list(array.shape), "values": numbers, "text": str(array)}
        cases.append(case)

    floats = VALUES | {
        "mixed": [1.5, 2.0, -0.25],
        "thirds": [1 / 3, 2 / 3, 1e-3, 123.456789012345],
        "small and nan": [1e-5, float("nan"), float("-inf")],
    }
    for dtype in ["float16", "float32", "float64"]:
        for values in floats.values():
            if dtype != "float16" or max(map(abs, values)) < 6e4:
                add(values, dtype)
        for shape in SHAPES:
            count = math.prod(shape)
            add(ramp(count, 3.0).tolist(), dtype, shape)
            add(range(count), dtype, shape)
    for dtype in ["uint8", "int32", "int64"]:
        for shape in SHAPES:
            add([(k * 37) % 120 for k in range(math.prod(shape))], dtype, shape)
    add([-1, 200, 3], "int64")
    for shape in [[], [1], [3], [2, 3]]:
        add([k % 3 == 0 for k in range(math.prod(shape))], "bool", shape)
        add([1] * math.prod(shape), "bool", shape)
    for shape in [[1000], [1001], [40, 30], [5, 6, 50], [7, 200], [0], [2, 0]]:
        add(range(math.prod(shape)), "float32", shape)
        add([k / 7 for k in range(math.prod(shape))], "float64", shape, 7)
        add(range(math.prod(shape)), "int64", shape)
    return cases


def main():
    warnings.simplefilter("ignore")
    cases = Cases()
    kinds_and_shapes(cases)
    complex_numbers(cases)
    summaries(cases)
    options(cases)
    value = {"torch": torch.__version__, "cases": cases.cases, "named": named()}
    (HERE / "repr.json").write_text(json.dumps(value, indent=1) + "\n")
    value = {"numpy": np.__version__, "cases": arrays()}
    (HERE / "repr_arrays.json").write_text(json.dumps(value) + "\n")


if __name__ == "__main__":
    main()
