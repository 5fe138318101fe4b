"""Evaluates the Python lines of the table "Python → Rust" and writes what they give.

The lines come from python_to_rust.json beside this script, which tests/python_to_rust writes from
the Rust side with Rust's results. This writes the same file with Python's results: `remake.py`
finds every difference.
"""

import json
import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
ROWS = Path(__file__).parent / "python_to_rust.json"
IMPORTS = """
import numpy as np
import torch
from torch import nn, optim
from torch.nn import functional as F
"""


def shown(value):
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, (torch.dtype, torch.device)):
        return str(value)
    # A parameter is a tensor to Rust; Python says that it is one in a line of its own.
    return repr(value).removeprefix("Parameter containing:\n")


def result(setup, row):
    """What the row gives, with fresh variables."""
    variables = {"__name__": "row"}
    exec(IMPORTS, variables)
    torch.manual_seed(0)
    exec("\n".join(setup), variables)
    torch.manual_seed(0)
    if row["shown"] is None:
        return shown(eval(row["python"], variables))
    exec(row["python"], variables)
    return shown(eval(row["shown"], variables))


def main():
    value = json.loads(ROWS.read_text())
    for section in value["sections"]:
        for row in section["rows"]:
            try:
                row["result"] = result(section["setup"], row)
            except Exception as error:
                sys.exit(f"Python cannot run {row['python']!r}: {error!r}")
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    (HERE / "python_to_rust.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
