"""The Python side of tests/checkpoint.rs.

state_dicts.py read DIRECTORY    loads what Rust wrote, and writes the logits of 100 images
state_dicts.py write DIRECTORY   trains a step, and writes what Rust loads, and the logits
"""

import sys
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / "reference"))
from make_reference import Net


def images():
    """100 pictures by formula, normalised, and their labels."""
    values = (torch.arange(100 * 3 * 32 * 32) * 37) % 251
    pictures = values.to(torch.uint8).reshape(100, 3, 32, 32)
    return (pictures.float() / 255 - 0.5) / 0.5, (torch.arange(100) * 3) % 10


def kinds():
    """A tensor of each kind, some of them views that do not lie in one piece."""
    ramp = torch.arange(24).reshape(2, 3, 4) - 7
    return OrderedDict(
        [
            ("float", ramp.float() / 8),
            ("double.transposed", (ramp.double() / 3).permute(2, 0, 1)),
            ("half", ramp.half() / 8),
            ("bfloat16", ramp.bfloat16() / 8),
            ("long.part", ramp[1, :, 1:3]),
            ("int", ramp.int()),
            ("short", ramp.short()),
            ("char", ramp.to(torch.int8)),
            ("byte", ramp.abs().to(torch.uint8)),
            ("bool", ramp > 0),
            ("scalar", torch.tensor(2.5)),
            ("empty", torch.zeros(0, 3)),
        ]
    )


def state_dicts(directory, stem):
    yield "pth", torch.load(directory / f"{stem}.pth", weights_only=True)
    yield "safetensors", load_file(directory / f"{stem}.safetensors")


def save(state_dict, directory, stem):
    torch.save(state_dict, directory / f"{stem}.pth")
    # safetensors takes no views.
    plain = {name: tensor.contiguous() for name, tensor in state_dict.items()}
    save_file(plain, directory / f"{stem}.safetensors")


def read(directory):
    logits = {}
    for extension, state_dict in state_dicts(directory, "net"):
        net = Net()
        net.load_state_dict(state_dict)
        with torch.no_grad():
            logits[extension] = net(images()[0])
    save_file(logits, directory / "logits.safetensors")
    for extension, state_dict in state_dicts(directory, "kinds"):
        expected = kinds()
        assert state_dict.keys() == expected.keys(), (extension, list(state_dict))
        for name, tensor in expected.items():
            found = state_dict[name]
            assert found.dtype == tensor.dtype and torch.equal(found, tensor), (extension, name)
    for extension, state_dict in state_dicts(directory, "norm"):
        norm = nn.BatchNorm2d(3)
        norm.load_state_dict(state_dict)
        assert norm.running_var.tolist() == [1.5, 1.5, 1.5], extension


def write(directory):
    torch.manual_seed(5)
    net = Net()
    pictures, labels = images()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    nn.CrossEntropyLoss()(net(pictures), labels).backward()
    optimizer.step()
    save(net.state_dict(), directory, "net")
    with torch.no_grad():
        save_file({"logits": net(pictures)}, directory / "logits.safetensors")
    save(kinds(), directory, "kinds")
    save(nn.BatchNorm2d(3).state_dict(), directory, "norm")
    torch.save(dict(net.named_parameters()), directory / "parameters.pth")
    # What is no state_dict.
    torch.save(net, directory / "module.pth")
    torch.save({"epoch": 3, "net": net.state_dict()}, directory / "wrapped.pth")
    torch.save(optimizer.state_dict(), directory / "optimizer.pth")
    torch.save(net.state_dict(), directory / "old.pth", _use_new_zipfile_serialization=False)
    torch.jit.script(nn.Linear(2, 2)).save(str(directory / "script.pth"))


if __name__ == "__main__":
    {"read": read, "write": write}[sys.argv[1]](Path(sys.argv[2]))
