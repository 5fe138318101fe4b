"""Writes nn.json: what PyTorch prints, computes and counts for the nets of tests/nn.rs.

Run from the repository root:  .venv/bin/python crates/blitz/tests/reference/make_nn.py
"""

import torch
import torch.nn.functional as F
from make_reference import write
from torch import nn


class LeNet(nn.Module):
    """The net of the tutorial's third page."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Net(LeNet):
    """The net of the fourth page, but for its pool, which the Rust net has as an operation."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.act = nn.ReLU()


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.blocks = nn.ModuleList([Block(4), Block(4), Block(8)])
        self.empty = nn.Sequential()
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8, 2))
        self.heads = nn.ModuleDict({"a": nn.Linear(3, 1), "b": nn.ReLU()})
        self.scale = nn.Parameter(torch.ones(3))


def sequential():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 2 * 2, 120),
        nn.ReLU(),
        nn.Linear(120, 10),
    )


def convolutions():
    return nn.ModuleList(
        [
            nn.Conv2d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False),
            nn.Conv2d(1, 2, 5, padding=2),
            nn.Conv2d(2, 2, 1, groups=2),
        ]
    )


def layers_of_tch():
    return nn.ModuleList(
        [
            nn.Conv2d(1, 6, 5),
            nn.Conv2d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False),
            nn.Conv2d(3, 6, 3, padding=1, padding_mode="reflect"),
            nn.Conv1d(3, 6, 3),
            nn.ConvTranspose2d(3, 4, 5, stride=2, output_padding=1),
            nn.Linear(84, 10),
            nn.Linear(84, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.BatchNorm1d(4),
            nn.LayerNorm([3, 4]),
            nn.GroupNorm(2, 4),
        ]
    )


def printed():
    nets = {
        "lenet": LeNet(),
        "net": Net(),
        "sequential": sequential(),
        "nested": Nested(),
        "convolutions": convolutions(),
        "pools": nn.ModuleList([nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1, ceil_mode=True)]),
        "flattens": nn.ModuleList([nn.Flatten(), nn.Flatten(0, 2)]),
        "tch": layers_of_tch(),
    }
    return {name: str(net) for name, net in nets.items()}


def summary_of(net, input):
    """Name, type, output shape and number of parameters of each layer, in order."""
    rows = []
    for name, module in net.named_modules():
        if not list(module.children()):

            def hook(module, _, output, name=name):
                count = sum(p.numel() for p in module.parameters())
                rows.append([name, type(module).__name__, list(output.shape), count])

            module.register_forward_hook(hook)
    with torch.no_grad():
        net.eval()(input)
    return rows


def summaries():
    return {
        "lenet": summary_of(LeNet(), torch.zeros(2, 1, 32, 32)),
        "sequential": summary_of(sequential(), torch.zeros(3, 1, 20, 20)),
    }


def wave(*shape):
    """Numbers by formula, different along each axis."""
    count = torch.Size(shape).numel()
    return (((torch.arange(count) * 37) % 101).float() / 50 - 1).reshape(shape)


def outputs():
    torch.manual_seed(3)
    layers = list(convolutions()) + [nn.Linear(5, 3), nn.Linear(5, 3, bias=False)]
    inputs = [wave(2, 4, 9, 8), wave(2, 1, 5, 4), wave(2, 2, 3), wave(4, 5), wave(2, 4, 5)]
    layers += [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.Flatten(), nn.ReLU()]
    inputs += [wave(2, 3, 7, 6), wave(3, 7, 6), wave(2, 3, 2, 4), wave(2, 3)]
    with torch.no_grad():
        results = [layer(input) for layer, input in zip(layers, inputs, strict=True)]
    return [{"shape": list(y.shape), "values": y.flatten().tolist()} for y in results]


def losses():
    output, target = wave(3, 4), wave(4, 3).T
    classes, signs = torch.tensor([2, 0, 3]), torch.sign(target + 0.01)
    values = {
        "mse_loss": F.mse_loss(output, target),
        "l1_loss": F.l1_loss(output, target),
        "smooth_l1_loss": F.smooth_l1_loss(output, target, beta=0.5),
        "huber_loss": F.huber_loss(output, target, delta=0.5),
        "cross_entropy": F.cross_entropy(output, classes),
        "cross_entropy_smoothed": F.cross_entropy(output, classes, label_smoothing=0.1),
        "nll_loss": F.nll_loss(output.log_softmax(1), classes),
        "binary_cross_entropy": F.binary_cross_entropy(output.sigmoid(), target.sigmoid()),
        "binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits(
            output, target.sigmoid()
        ),
        "kl_div": F.kl_div(output.log_softmax(1), target.softmax(1), reduction="batchmean"),
        "poisson_nll_loss": F.poisson_nll_loss(output, target.sigmoid()),
        "soft_margin_loss": F.soft_margin_loss(output, signs),
        "hinge_embedding_loss": F.hinge_embedding_loss(output, signs),
        "margin_ranking_loss": F.margin_ranking_loss(output, target, signs),
        "cosine_embedding_loss": F.cosine_embedding_loss(output, target, torch.tensor([1, -1, 1])),
        "triplet_margin_loss": F.triplet_margin_loss(output, target, target.sigmoid()),
    }
    return {name: value.item() for name, value in values.items()}


def main():
    names = [name for name, _ in LeNet().named_parameters()]
    write(
        "nn",
        {
            "printed": printed(),
            "summaries": summaries(),
            "outputs": outputs(),
            "losses": losses(),
            "lenet_parameters": names,
        },
    )


if __name__ == "__main__":
    main()
