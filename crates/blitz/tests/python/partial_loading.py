"""The Python side of tests/checkpoint/partial_loading.rs: files that fit a net in part.

    partial_loading.py DIRECTORY    writes them, and expected.json, which says for each what
                                    load_state_dict(..., strict=False) does with it

A net of expected.json has the number 77 everywhere before it is loaded. PyTorch raises where a
shape is another; what it would say without that is asked of it without that tensor.
"""

import collections
import json
import re
import struct
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

EXPECTED = []
MISMATCH = re.compile(r"size mismatch for ([\w.]+): .*?\[([\d, ]*)\].*?\[([\d, ]*)\]")


class Net(nn.Module):
    """No two axes are alike."""

    def __init__(self, classes, norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, (2, 5))
        if norm:
            self.bn1 = nn.BatchNorm2d(4)
        self.fc1 = nn.Linear(24, 7)
        self.fc2 = nn.Linear(7, classes)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(6, 9, bias=False)
        self.out = nn.Linear(6, 9)
        self.out.weight = self.embed.weight


def filled(net, start=0):
    """Parameters by formula."""
    for index, tensor in enumerate(net.state_dict().values()):
        values = torch.arange(start + index, start + index + tensor.numel()).reshape(tensor.shape)
        with torch.no_grad():
            tensor.copy_(values if tensor.dtype == torch.int64 else values / 8)
    return net.state_dict()


def bits(tensor):
    return [struct.pack(">d", value).hex() for value in tensor.double().reshape(-1).tolist()]


def counted(name):
    """What tch's batch normalisation does not have."""
    return name.endswith("num_batches_tracked")


def sizes(text):
    return [int(size) for size in text.split(",") if size.strip()]


def loads(name, net, state, **options):
    """What PyTorch does with `state`, the part of the file that the options choose."""
    own = {key: value for key, value in net.state_dict().items() if not counted(key)}
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.fill_(77)
    only = options.get("only")

    def chosen(key):
        return only is None or any(key == one or key.startswith(one + ".") for one in only)

    state = {key: value for key, value in state.items() if chosen(key)}
    other_shapes = []
    try:
        keys = net.load_state_dict(state, strict=False)
    except RuntimeError as error:
        found = MISMATCH.findall(str(error).replace("torch.Size", ""))
        other_shapes = [[key, sizes(file), sizes(own)] for key, file, own in found]
        assert other_shapes, error
        names = [key for key, *_ in other_shapes]
        rest = {key: value for key, value in state.items() if key not in names}
        keys = net.load_state_dict(rest, strict=False)
        keys = keys._replace(missing_keys=[k for k in keys.missing_keys if k not in names])
    missing = [key for key in keys.missing_keys if chosen(key) and not counted(key)]
    not_loaded = [*missing, *(key for key, *_ in other_shapes)]
    EXPECTED.append(
        {
            "file": name,
            "net": {key: list(value.shape) for key, value in own.items()},
            "loaded": [key for key in own if chosen(key) and key not in not_loaded],
            "missing": missing,
            "unexpected": keys.unexpected_keys,
            "other_shapes": other_shapes,
            "left_out": [key for key in own if not chosen(key)],
            "values": {key: bits(net.state_dict()[key]) for key in own},
            "options": options,
        }
    )


def refused(name, net, *words, **options):
    own = {key: list(value.shape) for key, value in net.items() if not counted(key)}
    EXPECTED.append({"file": name, "net": own, "refused": list(words), "options": options})


def heads(directory):
    """Nets with another last layer, fewer layers, more layers."""
    state = filled(Net(5))
    torch.save(state, directory / "net.pth")
    save_file(state, directory / "net.safetensors")
    torch.save(state, directory / "legacy.pth", _use_new_zipfile_serialization=False)
    for name in ["net.pth", "net.safetensors", "legacy.pth"]:
        loads(name, Net(5), state)
        loads(name, Net(3), state)
        loads(
            name, nn.ModuleDict({**dict(Net(5).named_children()), "head": nn.Linear(7, 2)}), state
        )
        loads(name, Net(5, norm=False), state)
        loads(name, Net(3), state, only=["conv1", "fc2", "bn1.running_mean"])
        loads(name, Net(3), state, only=["fc1.bias"])
    less = {key: value for key, value in state.items() if not key.startswith("bn1")}
    torch.save(less, directory / "less.pth")
    loads("less.pth", Net(5), less)
    torch.save(Net(5).conv1.state_dict(), directory / "other_names.pth")
    refused(
        "other_names.pth",
        state,
        "nothing in it fits",
        'the file has "weight", "bias"',
        "of the same names",
    )
    wide = {key: torch.zeros(2, *value.shape) for key, value in state.items() if not counted(key)}
    torch.save(wide, directory / "wide.pth")
    refused(
        "wide.pth",
        state,
        "nothing in it fits",
        "another shape",
        "[2, 4] in the file, [4] in the net",
    )
    refused("net.pth", state, "no parameter or layer conv9", '"conv1.weight"', only=["conv9"])
    refused("net.pth", state, "no parameter or layer conv", only=["fc1", "conv"])
    refused("net.pth", state, "empty list", only=[])
    refused("net.pth", Net(3).state_dict(), "shape [5], expected [3]", strict=True)
    strict = {"only": ["conv1", "fc1"], "strict": True}
    loads("net.pth", Net(3), state, **strict)
    fewer = Net(3, norm=False).state_dict()
    refused("less.pth", state, "no parameter bn1.bias", only=["conv1", "bn1"], strict=True)
    loads("net.pth", Net(3, norm=False), state, **strict)
    refused("net.pth", {**fewer, "fc1.more": torch.ones(2)}, "fc1.more", **strict)
    refused(
        "net.pth", {"fc2.bias": torch.ones(5)}, "no parameter fc2.weight", only=["fc2"], strict=True
    )


def kinds(directory):
    state = {key: value.double() / 3 for key, value in filled(Net(5)).items()}
    state["fc1.weight"] = torch.arange(7 * 24).reshape(7, 24)
    torch.save(state, directory / "kinds.pth")
    loads("kinds.pth", Net(3), state)
    complex_state = {**filled(Net(5)), "conv1.bias": torch.tensor([1j, 2, 3, 4])}
    torch.save(complex_state, directory / "complex.pth")
    refused("complex.pth", Net(3).state_dict(), "conv1.bias is complex")
    quantised = torch.quantize_per_tensor(filled(Net(5))["fc1.weight"], 0.1, 2, torch.qint8)
    mixed = {**filled(Net(5)), "fc1.weight": quantised}
    torch.save(mixed, directory / "quantised.pth")
    refused("quantised.pth", Net(3).state_dict(), "fc1.weight is a quantised tensor")
    only = {"only": ["conv1", "bn1", "fc2"]}
    loads("quantised.pth", Net(3), mixed, **only)


def wrapped(directory):
    state = filled(Net(5))
    for prefix in ["model.", "module.", "_orig_mod.", "module._orig_mod."]:
        part = {prefix + key: value for key, value in state.items()}
        part["loss.weight"] = torch.ones(2)
        name = prefix.replace(".", "-") + "part.pth"
        torch.save(part, directory / name)
        loads(name, Net(3), state, prefix=prefix)
        if prefix != "model.":
            bare = {**state, "loss.weight": torch.ones(2)}
            loads(name, Net(3), bare)
            loads(name, Net(3), bare, only=["fc1", "fc2"])
    refused("model-part.pth", state, "nothing in it fits", "prefix", "model.", "LoadOptions")
    refused("model-part.pth", state, "begins with", prefix="net.")
    inner = {"net." + key: value for key, value in state.items()}
    refused("net.pth", inner, "nothing in it fits", "vs.root()")


def nested(directory):
    state = filled(Net(5))
    mean = {key: value + 1 for key, value in state.items()}
    few = {"conv1.bias": torch.ones(4), "other": torch.ones(2)}
    torch.save({"model": state, "few": few, "epoch": 3}, directory / "nested.pth")
    loads("nested.pth", Net(3), state)
    loads("nested.pth", Net(3), few, key="few")
    torch.save({"model": state, "ema": mean}, directory / "two.pth")
    refused("two.pth", Net(3).state_dict(), '"model", "ema"', "key", "LoadOptions")
    loads("two.pth", Net(3), mean, key="ema")
    lightning = {
        "epoch": 3,
        "state_dict": {"model." + key: value for key, value in state.items()},
        "ema": {"model." + key: value for key, value in mean.items()},
    }
    torch.save(lightning, directory / "lightning.ckpt")
    loads("lightning.ckpt", Net(3), mean, key="ema", prefix="model.", only=["conv1", "fc2"])
    mixed = collections.OrderedDict(**state, epoch=3, name="net", inner={"x": torch.ones(1)})
    torch.save(mixed, directory / "mixed.pth")
    loads("mixed.pth", Net(3), mixed)
    odd = {**state, "fc1.bias": 3.5}
    torch.save(odd, directory / "odd.pth")
    refused("odd.pth", Net(3).state_dict(), '"fc1.bias" is a float, not a tensor')
    torch.save({"epoch": 3}, directory / "none.pth")
    refused("none.pth", state, '"epoch" is an integer')


def tied(directory):
    state = filled(Tied())
    del state["out.weight"]
    torch.save(state, directory / "tied.pth")
    loads("tied.pth", Tied(), state)


def main(directory):
    for make in [heads, kinds, wrapped, nested, tied]:
        make(directory)
    (directory / "expected.json").write_text(json.dumps(EXPECTED))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
