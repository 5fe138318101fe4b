"""Writes what torch.optim.SGD makes of parameters and gradients given by formula, as optim.json
beside this script. crates/blitz/tests/optim.rs compares.

Run from the repository root:  .venv/bin/python crates/blitz/tests/reference/make_optim.py
"""

import json
from pathlib import Path

import torch

HERE = Path(__file__).parent

STEPS = 5
SHAPES = {"conv.weight": (4, 3, 2, 5), "conv.bias": (4,), "fc.weight": (7, 11), "fc.bias": (7,)}
CASES = {
    "plain": {"lr": 0.1},
    "momentum": {"lr": 0.001, "momentum": 0.9},
    "dampening": {"lr": 0.05, "momentum": 0.8, "dampening": 0.3},
    "weight decay": {"lr": 0.05, "weight_decay": 0.01},
    "momentum and weight decay": {"lr": 0.05, "momentum": 0.7, "weight_decay": 0.02},
    "all but nesterov": {"lr": 0.03, "momentum": 0.7, "dampening": 0.1, "weight_decay": 0.02},
    "nesterov": {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    "nesterov and weight decay": {
        "lr": 0.05,
        "momentum": 0.6,
        "weight_decay": 0.004,
        "nesterov": True,
    },
}


def formula(shape, multiplier, modulus):
    """Thirds, so that every product is rounded."""
    count = torch.Size(shape).numel()
    numbers = (torch.arange(count) * multiplier) % modulus - modulus // 2
    return (numbers.float() / 3).reshape(shape)


def gradient(shape, step):
    return formula(shape, 29 + 2 * step, 97)


def floats(tensor):
    return [float(x) for x in tensor.detach().double().flatten()]


def run(options):
    parameters = {name: formula(shape, 37, 101).requires_grad_() for name, shape in SHAPES.items()}
    optimizer = torch.optim.SGD(parameters.values(), **options)
    for step in range(STEPS):
        optimizer.zero_grad()
        for name, parameter in parameters.items():
            # conv.bias first gets a gradient in the third step, fc.bias none in the second.
            if (name, step) not in {("conv.bias", 0), ("conv.bias", 1), ("fc.bias", 1)}:
                parameter.grad = gradient(parameter.shape, step)
        if step == 3:
            optimizer.param_groups[0]["lr"] *= 0.1
        optimizer.step()
    buffers = {
        name: floats(optimizer.state[parameter]["momentum_buffer"])
        for name, parameter in parameters.items()
        if optimizer.state[parameter].get("momentum_buffer") is not None
    }
    return {
        "options": options,
        "parameters": {name: floats(parameter) for name, parameter in parameters.items()},
        "buffers": buffers,
    }


def main():
    cases = {name: run(options) for name, options in CASES.items()}
    (HERE / "optim.json").write_text(
        json.dumps({"torch": torch.__version__, "steps": STEPS, "cases": cases}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
