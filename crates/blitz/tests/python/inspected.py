"""The Python side of tests/checkpoint/inspect.rs: files, and what Python lists of them.

inspected.py DIRECTORY    writes them, and expected.json
"""

import collections
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

EXPECTED = []


def value(other):
    if isinstance(other, (list, tuple, dict)):
        return f"a {type(other).__name__} of {len(other)}"
    return json.dumps(other) if isinstance(other, str) else repr(other)


def listing(state, key=""):
    """All tensors below keys that are strings, and all else."""
    tensors, others = [], []
    for name, item in state.items():
        if isinstance(item, torch.Tensor):
            dtype = str(item.dtype).removeprefix("torch.")
            tensors.append([key, name, list(item.shape), dtype, item.numel(), item.nbytes])
        elif isinstance(item, dict) and isinstance(name, str) and item:
            inner = listing(item, f"{key}/{name}" if key else name)
            tensors += inner[0]
            others += inner[1]
        else:
            others.append([key, str(name), value(item)])
    return tensors, others


def expect(name, state, others=()):
    tensors, found = listing(state)
    EXPECTED.append({"file": name, "tensors": tensors, "others": [*found, *others]})


def refused(name, *words):
    EXPECTED.append({"file": name, "refused": words})


def kinds():
    ramp = torch.arange(24).reshape(2, 3, 4) - 7
    state = collections.OrderedDict(
        weight=ramp.float(),
        turned=ramp.double().permute(2, 0, 1),
        half=ramp.half(),
        bfloat16=ramp.bfloat16(),
        eighth=ramp.float().to(torch.float8_e4m3fn),
        small=torch.tensor([1, 2], dtype=torch.uint16),
        complex=torch.complex(ramp.float(), ramp.float()),
        scalar=torch.tensor(2.5),
        count=torch.tensor(7),
        empty=torch.zeros(0, 3),
        mask=ramp > 0,
    )
    return state


def training():
    net = nn.Sequential(
        collections.OrderedDict(conv1=nn.Conv2d(3, 4, (2, 5)), bn1=nn.BatchNorm2d(4))
    )
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(2, 3, 6, 7)).sum().backward()
    optimizer.step()
    weight = torch.arange(6.0).reshape(2, 3)
    return {
        "epoch": 3,
        "lr": 0.05,
        "tiny": 1e-07,
        "infinite": float("inf"),
        "arch": 'resnet "18"',
        "best": None,
        "amp": False,
        "done": True,
        "negative": -(2**40),
        "classes": ["cat", "dog"],
        "shape": (3, 32, 32),
        "callbacks": {},
        "config": {"width": 6, "inner": {"depth": 2}},
        "state_dict": net.state_dict(),
        "ema": {"deeper": {"weight": weight, "bias": torch.ones(2), "step": 5}},
        "tied": {"in.weight": weight, "out.weight": weight, "expanded": weight[:1].expand(4, 3)},
        "optimizer": optimizer.state_dict(),
    }


def main(directory):
    for protocol in [2, 3, 4, 5]:
        for name, state in [("kinds", kinds()), ("training", training())]:
            file = f"{name}{protocol}.pth"
            torch.save(state, directory / file, pickle_protocol=protocol)
            expect(file, torch.load(directory / file, weights_only=False))
    for protocol in [1, 2, 4]:
        file = f"legacy{protocol}.pth.tar"
        arguments = {"pickle_protocol": protocol, "_use_new_zipfile_serialization": False}
        torch.save(training(), directory / file, **arguments)
        expect(file, training())
    # Longer pickles than what is read at first.
    many = {f"layer{index}." + "x" * 60: torch.ones(index % 3) for index in range(12_000)}
    arguments = {"_use_new_zipfile_serialization": False}
    torch.save(many, directory / "many.pth", **arguments)
    expect("many.pth", many)
    plain = {key: item.contiguous() for key, item in kinds().items()}
    metadata = {"format": "pt", "note": "two\nlines"}
    save_file(plain, directory / "kinds.safetensors", metadata=metadata)
    notes = [["__metadata__", key, json.dumps(text)] for key, text in metadata.items()]
    expect("kinds.safetensors", load_file(directory / "kinds.safetensors"), notes)
    first, second = dict(list(plain.items())[:4]), dict(list(plain.items())[4:])
    save_file(first, directory / "one.safetensors")
    save_file(second, directory / "two.safetensors")
    places = dict.fromkeys(first, "one.safetensors") | dict.fromkeys(second, "two.safetensors")
    index = {"metadata": {"total_size": 60}, "weight_map": places}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    expect("model.safetensors.index.json", plain, [["metadata", "total_size", "60"]])
    scripted = torch.jit.script(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
    torch.jit.save(scripted, directory / "script.pt")
    expect("script.pt", scripted.state_dict())
    weight = torch.arange(6.0).reshape(2, 3)
    odd = {
        "good": weight,
        "bad": torch.quantize_per_tensor(weight, 0.1, 2, torch.qint8),
        "thin": weight.to_sparse(),
        "net": nn.Linear(2, 3),
    }
    torch.save(odd, directory / "odd.pth")
    found = [
        ["", "bad", "a quantised tensor"],
        ["", "thin", "a sparse tensor"],
        [
            "",
            "net",
            "an object of torch.nn.modules.linear.Linear, which is never made or executed here",
        ],
    ]
    expect("odd.pth", {"good": weight}, found)
    torch.save({"epoch": 3, "name": "x"}, directory / "notes.pth")
    expect("notes.pth", {"epoch": 3, "name": "x"})
    torch.save({}, directory / "empty.pth")
    refused("empty.pth", "an empty dict")
    torch.save([weight], directory / "list.pth")
    refused("list.pth", "a list of 1 tensors")
    torch.save(nn.Linear(2, 3), directory / "whole.pth")
    refused("whole.pth", "Linear", ".state_dict()")
    (directory / "page.pth").write_text("<!DOCTYPE html><html></html>")
    refused("page.pth", "web page", "fetch")
    (directory / "nothing.pth").write_bytes(b"")
    refused("nothing.pth", "empty")
    cut = (directory / "training2.pth").read_bytes()
    (directory / "cut.pth").write_bytes(cut[: len(cut) // 2])
    refused("cut.pth", "cut off")
    old = (directory / "legacy2.pth.tar").read_bytes()
    (directory / "cut_legacy.pth").write_bytes(old[:-9])
    refused("cut_legacy.pth", "cut off")
    refused("missing.pth", "is missing")
    (directory / "expected.json").write_text(json.dumps(EXPECTED))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
