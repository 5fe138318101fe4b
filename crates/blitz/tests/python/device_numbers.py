"""The Python side of tests/gpu/numbers.rs.

device_numbers.py random|printed|training DEVICE    prints what PyTorch computes there, as JSON
"""

import json
import sys
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, str(Path(__file__).parent.parent / "reference"))
from make_same_numbers import Net, formula_images


def listed(tensor):
    return tensor.detach().flatten().tolist()


def random(device):
    draws = {
        "rand": lambda: torch.rand(5, 3, device=device),
        "randn": lambda: torch.randn(7, 33, device=device),
        "randint": lambda: torch.randint(10, (4, 6), device=device),
        "randperm": lambda: torch.randperm(50, device=device),
        "bernoulli": lambda: torch.full((4, 9), 0.3, device=device).bernoulli(),
        "uniform_": lambda: torch.empty(4, 5, device=device).uniform_(-2, 2),
        "dropout": lambda: F.dropout(torch.ones(6, 7, device=device), 0.3),
    }
    result = {}
    for name, draw in draws.items():
        torch.manual_seed(1234)
        result[name] = listed(draw())
    return result


def printed(device):
    def matrix():
        return torch.arange(6.0, device=device).view(2, 3)

    three = torch.arange(3.0, device=device)
    tensors = {
        "matrix": matrix(),
        "whole": torch.arange(4, device=device),
        "half": (torch.arange(5.0, device=device) / 4).half(),
        "bool": matrix() > 2,
        "scalar": torch.tensor(2.5, device=device),
        "leaf": matrix().requires_grad_(),
        "computed": matrix().requires_grad_().relu(),
        "empty": torch.zeros(0, 3, device=device),
        "large": torch.arange(3000.0, device=device).view(50, 60) / 7,
        "complex": torch.complex(three, three - 1),
        "sparse": matrix().to_sparse(),
    }
    return {name: repr(tensor) for name, tensor in tensors.items()}


def training(device):
    torch.manual_seed(0)
    net = Net(channels=3).to(device)
    images, labels = formula_images(120)
    images = (images.float() / 255 - 0.5) / 0.5
    logits = net(((formula_images(5)[0].float() / 255 - 0.5) / 0.5).to(device))
    logits.square().mean().backward()
    gradients = {
        name: {
            "shape": list(parameter.shape),
            "sum and norm": [parameter.grad.double().sum().item(), parameter.grad.norm().item()],
        }
        for name, parameter in net.named_parameters()
    }
    generator = torch.Generator().manual_seed(7)
    loader = DataLoader(
        TensorDataset(images, labels), batch_size=4, shuffle=True, generator=generator
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    losses = []
    for _epoch in range(2):
        for batch, classes in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(batch.to(device)), classes.to(device))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return {"logits": listed(logits), "gradients": gradients, "losses": losses}


def main():
    task, device = sys.argv[1:]
    print(json.dumps({"random": random, "printed": printed, "training": training}[task](device)))


if __name__ == "__main__":
    main()
