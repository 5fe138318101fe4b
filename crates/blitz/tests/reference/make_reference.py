"""Writes the PyTorch values that crates/blitz's tests compare with, as JSON beside this script.

Run from the repository root:  .venv/bin/python crates/blitz/tests/reference/make_reference.py

Inputs are made by formula, so that the Rust side makes the same ones without storing them.
"""

import hashlib
import json
import struct
from pathlib import Path

import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.utils import make_grid

HERE = Path(__file__).parent


def write(name, value):
    value = {"torch": torch.__version__, "torchvision": torchvision.__version__, **value}
    (HERE / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n")


def order_of(loader):
    return [[int(i) for i in batch] for batch in loader]


def loader_order():
    """Two epochs of shuffled indices, as DataLoader yields them."""
    cases = []
    for seed in (0, 42):
        for n, drop_last in ((10, False), (10, True), (12, False), (4000, False)):
            generator = torch.Generator().manual_seed(seed)
            loader = DataLoader(
                range(n), batch_size=4, shuffle=True, generator=generator, drop_last=drop_last
            )
            epochs = []
            for _ in range(2):
                flat = [i for batch in order_of(loader) for i in batch]
                digest = hashlib.sha256(struct.pack(f"<{len(flat)}q", *flat)).hexdigest()
                epochs.append({"first": flat[:12], "len": len(flat), "sha256": digest})
            cases.append({"seed": seed, "n": n, "drop_last": drop_last, "epochs": epochs})
    # The tutorial takes one batch to look at, then trains from the start.
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(range(10), batch_size=4, shuffle=True, generator=generator)
    peek = [int(i) for i in next(iter(loader))]
    after_peek = order_of(loader)
    write("loader_order", {"cases": cases, "peek": peek, "after_peek": after_peek})


def ramp(shape):
    """Values k * 7 mod 256 over 255, in the order of the elements."""
    count = torch.Size(shape).numel()
    return ((torch.arange(count) * 7) % 256).float().div(255).reshape(shape)


def grids():
    cases = []
    for shape, options in (
        ((5, 3, 2, 3), {"nrow": 3, "padding": 1, "pad_value": 0.5}),
        ((4, 3, 4, 3), {}),
        ((1, 3, 2, 4), {"padding": 2, "pad_value": 0.25}),
        ((3, 1, 3, 2), {"nrow": 2, "padding": 1}),
        ((3, 3, 2, 2), {"nrow": 8, "padding": 0}),
        ((3, 3, 2, 3), {"nrow": 2, "padding": 1, "normalize": True}),
        ((3, 3, 2, 3), {"nrow": 2, "padding": 1, "normalize": True, "value_range": [0.25, 0.75]}),
        ((3, 3, 2, 3), {"nrow": 2, "padding": 1, "normalize": True, "scale_each": True}),
        ((3, 1, 2, 3), {"normalize": True, "scale_each": True, "value_range": [0.25, 0.75]}),
        ((1, 1, 2, 4), {"normalize": True, "scale_each": True}),
    ):
        kwargs = dict(options)
        if "value_range" in kwargs:
            kwargs["value_range"] = tuple(kwargs["value_range"])
        grid = make_grid(ramp(shape), **kwargs)
        cases.append(
            {
                "shape": shape,
                "options": options,
                "grid_shape": list(grid.shape),
                "grid": grid.flatten().tolist(),
            }
        )
    write("make_grid", {"cases": cases})


def normalised():
    """ToTensor then Normalize on a 2 x 3 picture, each channel with its own numbers."""
    image = torch.tensor([(k * 53) % 256 for k in range(2 * 3 * 3)], dtype=torch.uint8)
    image = image.reshape(2, 3, 3)  # [H, W, C], as numpy pictures come
    mean, std = [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]
    apply = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, std)])
    values = apply(image.numpy())
    write(
        "transform",
        {
            "mean": mean,
            "std": std,
            "chw": image.permute(2, 0, 1).flatten().tolist(),
            "normalised": values.flatten().tolist(),
        },
    )


class Net(nn.Module):
    """The tutorial's net."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


def initial_parameters():
    seeds = {}
    for seed in (0, 7):
        torch.manual_seed(seed)
        seeds[str(seed)] = {
            name: {
                "shape": list(parameter.shape),
                "first": parameter.flatten()[:5].tolist(),
                "sum": parameter.double().sum().item(),
            }
            for name, parameter in Net().named_parameters()
        }
    write("nn_init", {"seeds": seeds})


def training_steps():
    """20 SGD steps in batches of 4 over 40 pictures made by formula, two epochs."""
    torch.manual_seed(0)
    net = Net()
    count = 40 * 3 * 32 * 32
    images = ((torch.arange(count) * 37) % 251).to(torch.uint8).reshape(40, 3, 32, 32)
    images = (images.float() / 255 - 0.5) / 0.5
    labels = (torch.arange(40) * 3) % 10
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    losses, points = [], []
    for _ in range(2):
        running_loss = 0.0
        for i in range(10):
            optimizer.zero_grad()
            loss = criterion(net(images[i * 4 : i * 4 + 4]), labels[i * 4 : i * 4 + 4])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            running_loss += loss.item()
            if i % 5 == 4:
                points.append([len(losses), running_loss / 5])
                running_loss = 0.0
    logits = net(images[:3]).detach().flatten().tolist()
    write("train_steps", {"losses": losses, "points": points, "logits": logits})


def main():
    loader_order()
    grids()
    normalised()
    initial_parameters()
    training_steps()


if __name__ == "__main__":
    main()
