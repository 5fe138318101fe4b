"""Writes PyTorch's numbers that tests/same_numbers expects from Rust for the same seeds.

Values below the key "bits" are SHA-256 of the tensors' bytes: they hold on the machine and with the
threads that made them. The stored file serves any machine, so only "values" are compared with it;
`cargo blitz test` makes the file anew and compares the bits as well.
"""

import hashlib
import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

HERE = Path(__file__).parent


def numbers(tensor):
    tensor = tensor.detach().contiguous()
    raw = tensor.view(torch.uint8) if tensor.dim() else tensor.reshape(1).view(torch.uint8)
    flat = tensor.flatten()
    return {
        "shape": list(tensor.shape),
        "values": [*flat[:4].tolist(), flat.double().sum().item()],
        "bits": hashlib.sha256(raw.numpy().tobytes()).hexdigest(),
    }


class Net(nn.Module):
    """The net of the page on neural networks (1 channel) and of the classifier (3 channels)."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, images):
        s2 = F.max_pool2d(F.relu(self.conv1(images)), 2)
        s4 = F.max_pool2d(F.relu(self.conv2(s2)), 2)
        flat = torch.flatten(s4, 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(flat)))))


CREATIONS = {
    "rand": lambda: torch.rand(5, 3),
    "rand large": lambda: torch.rand(7, 33),
    "randn": lambda: torch.randn(2, 3),
    "randn large": lambda: torch.randn(7, 33),
    "randn double": lambda: torch.randn(3, 5, dtype=torch.double),
    "randint": lambda: torch.randint(10, (4, 6)),
    "randperm": lambda: torch.randperm(50),
    "bernoulli": lambda: torch.bernoulli(torch.full((4, 9), 0.3)),
    "normal": lambda: torch.normal(2.0, 0.5, (3, 7)),
    "uniform_": lambda: torch.empty(4, 5).uniform_(-2, 2),
    "rand_like": lambda: torch.rand_like(torch.zeros(2, 2, dtype=torch.long), dtype=torch.float),
    "randn_like": lambda: torch.randn_like(torch.zeros(2, 2, dtype=torch.long), dtype=torch.float),
    "arange": lambda: torch.arange(12.0).view(3, 4),
    "linspace": lambda: torch.linspace(0, 1, 7),
}


def creations():
    result = {}
    for seed in (0, 1234):
        for name, create in CREATIONS.items():
            torch.manual_seed(seed)
            result[f"{name}, seed {seed}"] = numbers(create())
    return result


def by_name(named):
    return {name: numbers(tensor) for name, tensor in named}


def lenet():
    """Parameters, forward, gradients and one loss of the third page."""
    torch.manual_seed(0)
    net = Net(channels=1)
    input = torch.randn(1, 1, 32, 32)
    output = net(input)
    target = torch.randn(10).view(1, -1)
    loss = nn.MSELoss()(output, target)
    loss.backward()
    return {
        "parameters": by_name(net.named_parameters()),
        "output": numbers(output),
        "loss": numbers(loss),
        "gradients": by_name((name, p.grad) for name, p in net.named_parameters()),
    }


def formula_images(count):
    values = (torch.arange(count * 3 * 32 * 32) * 37) % 251
    return values.to(torch.uint8).reshape(count, 3, 32, 32), (torch.arange(count) * 3) % 10


def steps(count):
    """Steps over shuffled batches of 4 from 320 pictures: an epoch has 80."""
    images, labels = formula_images(320)
    images = (images.float() / 255 - 0.5) / 0.5
    generator = torch.Generator().manual_seed(7)
    dataset = torch.utils.data.TensorDataset(images, labels)
    loader = DataLoader(dataset, batch_size=4, shuffle=True, generator=generator)
    torch.manual_seed(0)
    net = Net(channels=3)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    losses, seen = [], []
    while len(losses) < count:
        for batch, classes in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(batch), classes)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            seen.extend(classes.tolist())
            if len(losses) == count:
                break
    return {"losses": losses, "labels": seen, "parameters": by_name(net.named_parameters())}


def main():
    value = {
        "torch": torch.__version__.split("+")[0],
        "creations": creations(),
        "lenet": lenet(),
        "steps": steps(200),
        "epochs": steps(240),
    }
    (HERE / "same_numbers.json").write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    main()
