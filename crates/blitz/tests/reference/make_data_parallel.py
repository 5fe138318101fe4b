"""Writes data_parallel.json: the optional page's model on one device, to compare with several.

Run from the repository root:  .venv/bin/python crates/blitz/tests/reference/make_data_parallel.py
"""

import torch
from make_reference import write
from torch import nn


class Model(nn.Module):
    def __init__(self, input_size, output_size):
        super().__init__()
        self.fc = nn.Linear(input_size, output_size)

    def forward(self, input):
        return self.fc(input)


def wave(shape):
    """Numbers by formula, different along each axis."""
    count = torch.Size(shape).numel()
    return ((torch.arange(count) * 37) % 101).float().div(50).sub(1).reshape(shape)


def main():
    torch.manual_seed(0)
    model = Model(5, 2)
    drawn_next = torch.rand(3).tolist()
    batches = []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for rows in (30, 30, 10, 1):
        optimizer.zero_grad()
        output = model(wave((rows, 5)))
        output.square().mean().backward()
        gradients = [parameter.grad.flatten().tolist() for parameter in model.parameters()]
        optimizer.step()
        batches.append({"rows": rows, "output": output.flatten().tolist(), "gradients": gradients})
    printed = str(nn.DataParallel(model))
    chunks = [
        {"rows": rows, "devices": devices, "parts": [len(part) for part in chunk]}
        for rows in (1, 3, 5, 10, 30)
        for devices in (1, 2, 3, 4)
        if (chunk := torch.zeros(rows, 2).chunk(devices))
    ]
    write(
        "data_parallel",
        {"drawn_next": drawn_next, "batches": batches, "printed": printed, "chunks": chunks},
    )


if __name__ == "__main__":
    main()
