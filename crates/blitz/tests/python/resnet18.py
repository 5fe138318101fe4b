"""The Python side of tests/checkpoint/resnet18.rs.

resnet18.py DIRECTORY   writes torchvision's ResNet-18 with numbers of its own in several files, and
                        what it computes of two images

torchvision itself is not needed: the modules below have its names, and so its state_dict has its
keys (torchvision/models/resnet.py).
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn


class BasicBlock(nn.Module):
    def __init__(self, inplanes, planes, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = None
        if stride != 1 or inplanes != planes:
            self.downsample = nn.Sequential(
                nn.Conv2d(inplanes, planes, 1, stride=stride, bias=False), nn.BatchNorm2d(planes)
            )

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + identity)


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512, 1))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512, 1000)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def images():
    """Two pictures by formula, [2, 3, 64, 48]."""
    return ((torch.arange(2 * 3 * 64 * 48) * 37) % 251).reshape(2, 3, 64, 48).float() / 125 - 1


def net():
    """A net whose batch normalisations all differ, as after a training."""
    torch.manual_seed(7)
    net = ResNet18()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.num_batches_tracked.fill_(37)
    return net.eval()


def main(directory):
    model = net()
    state_dict = model.state_dict()
    assert len(state_dict) == 122, len(state_dict)  # as torchvision's
    torch.save(state_dict, directory / "resnet18.pth")
    save_file(state_dict, directory / "resnet18.safetensors")
    # As torchvision's older files are: the older container, and no counts.
    counts = "num_batches_tracked"
    older = {name: value for name, value in state_dict.items() if not name.endswith(counts)}
    assert len(older) == 102, len(older)
    torch.save(older, directory / "older.pth", _use_new_zipfile_serialization=False)
    parallel = {f"module.{name}": value for name, value in state_dict.items()}
    torch.save(parallel, directory / "parallel.pth")
    # What only looks like a count: no layer of that name, no single number.
    torch.save({**state_dict, counts: torch.tensor(37)}, directory / "stray.pth")
    torch.save({**state_dict, f"bn1.{counts}": torch.zeros(64)}, directory / "shape.pth")
    with torch.no_grad():
        save_file({"logits": model(images())}, directory / "logits.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
