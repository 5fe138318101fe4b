"""The Python side of tests/wild_files.rs: files of parameters as they are found in the world.

    wild_files.py write DIRECTORY    writes them, and expected.json, which says for each what
                                     PyTorch itself reads, or that it is to be refused
    wild_files.py read DIRECTORY     compares what Rust wrote with what it should be

An entry of expected.json: {"file": NAME, "tensors": {NAME: {"shape", "values"}}} for a file that is
to be read into parameters of these names, with "options" where some are needed; or {"file": NAME,
"refused": [WORDS]}, where all of the words must be in the error.
"""

import collections
import gzip
import io
import json
import pickle
import struct
import sys
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import nn

warnings.simplefilter("ignore")
EXPECTED = []


def net():
    """Parameters by formula; no two axes are alike."""
    state = collections.OrderedDict()
    state["fc.weight"] = torch.arange(12.0).reshape(3, 4) / 8 - 0.5
    state["fc.bias"] = torch.tensor([0.25, -1.5, 3.0])
    return state


def number(value):
    """The bits of a float64, in hexadecimal digits: JSON's numbers may lose some."""
    if isinstance(value, complex):
        return [number(value.real), number(value.imag)]
    return "nan" if value != value else struct.pack(">d", float(value)).hex()


def listed(tensor):
    tensor = tensor.detach().cpu()
    if tensor.dtype.is_complex:
        tensor = tensor.to(torch.complex128)
    elif tensor.dtype not in (torch.uint64, torch.int64):
        tensor = tensor.to(torch.float64)
    values = [number(value) for value in tensor.contiguous().reshape(-1).tolist()]
    kind = "complex" if tensor.dtype.is_complex else "real"
    return {"shape": list(tensor.shape), "kind": kind, "values": values}


def reads(name, tensors, **options):
    """The file is to be read as these tensors."""
    tensors = {key: listed(value) for key, value in tensors.items()}
    EXPECTED.append({"file": name, "tensors": tensors, **options})


def refused(name, *words, names=("fc.weight", "fc.bias"), **options):
    tensors = {key: listed(value) for key, value in net().items() if key in names}
    for key in names:
        tensors.setdefault(key, {"shape": [2], "kind": "real", "values": [number(0)] * 2})
    EXPECTED.append({"file": name, "refused": list(words), "tensors": tensors, **options})


def saved(directory, name, state, inner=None, **arguments):
    """Saves with torch.save, and expects what PyTorch reads."""
    torch.save(state, directory / name, **arguments)
    back = torch.load(directory / name, weights_only=False)
    reads(name, inner(back) if inner else back)


def rezip(source, target, change=lambda name, data: data, streamed=False, **arguments):
    """The same archive, written by another program."""

    class Stream(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            return out.write(bytes(data))

    with (
        open(target, "wb") as out,
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(Stream() if streamed else out, "w", **arguments) as new,
    ):
        for name in old.namelist():
            with new.open(name, "w", force_zip64=streamed) as record:
                record.write(change(name, old.read(name)))


def kinds(directory):
    ramp = torch.arange(24).reshape(2, 3, 4) - 7
    eighths = (ramp.float() / 8).reshape(6, 4)
    state = {
        "float8_e4m3fn": eighths.to(torch.float8_e4m3fn),
        "float8_e5m2": eighths.to(torch.float8_e5m2),
        "float8_e4m3fnuz": eighths.to(torch.float8_e4m3fnuz),
        "float8_e5m2fnuz": eighths.to(torch.float8_e5m2fnuz),
        "float8_e8m0fnu": torch.tensor([0.5, 1, 2, 2.0**-127, 2.0**120]).to(torch.float8_e8m0fnu),
        "uint16": torch.tensor([[0, 65535, 7]], dtype=torch.uint16),
        "uint32": torch.tensor([0, 2**32 - 1, 7], dtype=torch.uint32),
        "uint64": torch.tensor([0, 2**52, 7], dtype=torch.uint64),
        "complex64": torch.complex(eighths, -2 * eighths),
        "complex128": torch.complex(eighths, -2 * eighths).to(torch.complex128).T,
        "complex32": torch.complex(eighths.half(), eighths.half() + 1),
        "half": ramp.half(),
        "bfloat16": ramp.bfloat16(),
        "bool": ramp > 2,
        "scalar": torch.tensor(-2.5),
        "empty": torch.zeros(0, 3),
        "strided": ramp.float()[1, :, 1::2],
        "transposed": ramp.double().permute(2, 0, 1),
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 5),
        "parameter": nn.Parameter(eighths.clone()),
        "buffer": nn.Buffer(eighths.clone()),
        "grad": torch.ones(3, requires_grad=True),
    }
    saved(directory, "kinds.pth", state)
    for protocol in [3, 4, 5]:
        saved(directory, f"protocol{protocol}.pth", state, pickle_protocol=protocol)
    # PyTorch itself cannot read the kinds without a storage class from its old format.
    young = ("float8", "uint16", "uint32", "uint64", "complex32")
    plain = {k: v for k, v in state.items() if not k.startswith(young)}
    for protocol in [1, 2, 4, 5]:
        saved(
            directory,
            f"legacy{protocol}.pth",
            plain,
            pickle_protocol=protocol,
            _use_new_zipfile_serialization=False,
        )
    for name in state:
        if name != "complex128":
            saved(directory, f"alone_{name}.pth", {name: state[name]})
    in_safetensors = {
        name: tensor.detach().contiguous()
        for name, tensor in state.items()
        if name not in ("complex128", "complex32", "float8_e8m0fnu")
    }
    save_file(in_safetensors, directory / "kinds.safetensors", metadata={"format": "pt"})
    reads("kinds.safetensors", load_file(directory / "kinds.safetensors"))
    large = {"large": torch.tensor([2**64 - 1], dtype=torch.uint64)}
    torch.save(large, directory / "large.pth")
    refused("large.pth", "large", "uint64", names=["large"])
    EXPECTED[-1]["tensors"]["large"] = {"shape": [1], "kind": "real", "values": [number(0)]}


def marks(directory):
    def z():
        # torch.save refuses to save complex and real views of the same memory.
        return torch.complex(torch.arange(6.0).reshape(2, 3), 1 + torch.arange(6.0).reshape(2, 3))

    shared = z()
    state = {
        "imag": z().conj().imag,
        "neg_view": torch._neg_view(torch.arange(4.0) + 1),
        "conj": shared.conj(),
        "conj.transposed": shared.conj().T,
        "both": torch._neg_view(shared.conj()),
        "imag.part": z().conj().imag[1, 1:],
        "plain": shared,
    }
    saved(directory, "marks.pth", state)
    saved(directory, "marks_legacy.pth", state, _use_new_zipfile_serialization=False)
    holder = nn.Module()
    for name in ["imag", "neg_view", "conj", "both"]:
        holder.register_buffer(name, state[name])
    scripted = torch.jit.script(holder)
    torch.jit.save(scripted, directory / "marks.pt")
    reads("marks.pt", dict(torch.jit.load(directory / "marks.pt").named_buffers()))


def archives(directory):
    state = net()
    torch.save(state, directory / "net.pth")
    for name in [
        "net.bin",
        "net.ckpt",
        "net.pth.tar",
        "NET.PTH",
        "net",
        "net.safetensors",
        "net.ot",
    ]:
        (directory / name).write_bytes((directory / "net.pth").read_bytes())
        reads(name, state)
    save_file(dict(state), directory / "other.SafeTensors")
    reads("other.SafeTensors", state)
    (directory / "other.pth").write_bytes((directory / "other.SafeTensors").read_bytes())
    reads("other.pth", state)
    torch.serialization.set_crc32_options(False)
    saved(directory, "unchecked.pth", state)
    torch.serialization.set_crc32_options(True)
    rezip(directory / "net.pth", directory / "deflated.pth", compression=zipfile.ZIP_DEFLATED)
    reads("deflated.pth", torch.load(directory / "deflated.pth"))
    rezip(directory / "net.pth", directory / "streamed.pth", streamed=True)
    reads("streamed.pth", state)
    rezip(directory / "net.pth", directory / "bzip2.pth", compression=zipfile.ZIP_BZIP2)
    refused("bzip2.pth", "compressed")
    with (
        zipfile.ZipFile(directory / "net.pth") as old,
        zipfile.ZipFile(directory / "no_order.pth", "w") as new,
    ):
        for name in old.namelist():
            if "byteorder" not in name:
                new.writestr(name, old.read(name))
    reads("no_order.pth", torch.load(directory / "no_order.pth"))
    # As a big-endian machine writes it.
    several = {
        **state,
        "double": torch.arange(3.0, dtype=torch.float64) / 3,
        "complex": torch.tensor([1 + 2j, -3.5j]),
        "short": torch.tensor([1, -2], dtype=torch.int16),
        "byte": torch.tensor([1, 200], dtype=torch.uint8),
    }
    torch.save(several, directory / "several.pth")
    keys = [4, 4, 8, 4, 2, 1]

    def swapped(name, data):
        if name.endswith("byteorder"):
            return b"big"
        if "/data/" in name:
            width = keys[int(name.rsplit("/", 1)[1])]
            return numpy.frombuffer(data, f"<u{width}").byteswap().tobytes()
        return data

    rezip(directory / "several.pth", directory / "big_endian.pth", swapped)
    back = torch.load(directory / "big_endian.pth")
    assert all(torch.equal(back[name], several[name]) for name in several)
    reads("big_endian.pth", back)
    torch.save({"small": torch.tensor([1, 2], dtype=torch.uint16)}, directory / "small.pth")
    rezip(
        directory / "small.pth",
        directory / "big_untyped.pth",
        lambda name, data: b"big" if name.endswith("byteorder") else data,
    )
    refused("big_untyped.pth", "small", "big-endian", "uint16", names=["small"])
    rezip(
        directory / "net.pth",
        directory / "odd_order.pth",
        lambda name, data: b"middle" if name.endswith("byteorder") else data,
    )
    refused("odd_order.pth", "byteorder")


def shared(directory):
    storage = torch.arange(4_000_000, dtype=torch.float32)
    slices = {f"part{index}": storage[index * 20_000 : index * 20_000 + 3] for index in range(200)}
    saved(directory, "slices.pth", slices)
    saved(directory, "slices_legacy.pth", slices, _use_new_zipfile_serialization=False)
    weight = torch.arange(6.0).reshape(2, 3)
    saved(directory, "tied.pth", {"in.weight": weight, "out.weight": weight, "turned": weight.T})


def names(directory):
    state = net()
    wrapped = {
        "module": nn.DataParallel(linear()).state_dict(),
        "compiled": torch.compile(linear()).state_dict(),
    }
    for name, dictionary in wrapped.items():
        torch.save(dictionary, directory / f"{name}.pth")
        reads(f"{name}.pth", own())
    for prefix in [
        "module.",
        "_orig_mod.",
        "module._orig_mod.",
        "_orig_mod.module.",
        "module.module.",
        "_fsdp_wrapped_module.",
    ]:
        name = prefix.replace(".", "-")
        torch.save({prefix + k: v for k, v in state.items()}, directory / f"{name}.pth")
        reads(f"{name}.pth", state)
        save_file({prefix + k: v for k, v in state.items()}, directory / f"{name}.safetensors")
        reads(f"{name}.safetensors", state)
    inside = {f"fc.{prefix}weight": state["fc.weight"] for prefix in ["_orig_mod."]}
    inside["fc._orig_mod.bias"] = state["fc.bias"]
    torch.save(inside, directory / "inside.pth")
    reads("inside.pth", state)
    # Nobody can tell which is meant.
    both = {**state, **{"module." + k: v + 1 for k, v in state.items()}}
    torch.save(both, directory / "both.pth")
    refused("both.pth", "module.fc.bias")
    part = {"model." + k: v for k, v in state.items()}
    torch.save(part, directory / "part.pth")
    refused("part.pth", "model.", "prefix", "LoadOptions")
    reads("part.pth", state, prefix="model.")
    refused("part.pth", "begins with", "net.", prefix="net.")
    lightning = {
        "epoch": 3,
        "global_step": 17,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {**part, "loss.weight": torch.ones(2)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": []}],
        "hyper_parameters": {"lr": 0.1, "scale": numpy.float64(3.0), "path": Path("x")},
        "callbacks": {},
        "lr_schedulers": [],
    }
    torch.save(lightning, directory / "lightning.ckpt")
    refused("lightning.ckpt", "state_dict", "model.", "LoadOptions")
    reads("lightning.ckpt", state, prefix="model.")
    mean = torch.optim.swa_utils.AveragedModel(linear()).state_dict()
    torch.save(mean, directory / "averaged.pth")
    refused("averaged.pth", "n_averaged", names=("fc.weight", "fc.bias"))
    reads("averaged.pth", own(), prefix="module.")


def linear():
    layer = nn.Sequential(collections.OrderedDict(fc=nn.Linear(4, 3)))
    layer.load_state_dict(net())
    return layer


def own():
    return linear().state_dict()


def nested(directory):
    state = net()
    optimizer = torch.optim.Adam(linear().parameters())
    model = linear()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(4)).sum().backward()
    optimizer.step()
    for key in ["model_state_dict", "state_dict", "model", "net"]:
        whole = {
            "epoch": 3,
            key: state,
            "optimizer_state_dict": optimizer.state_dict(),
            "loss": torch.tensor(0.5),
            "args": collections.namedtuple("Point", "x"),
        }
        whole.pop("args")
        torch.save(whole, directory / f"nested_{key}.pth")
        reads(f"nested_{key}.pth", state)
        torch.save(
            whole, directory / f"nested_{key}_legacy.pth.tar", _use_new_zipfile_serialization=False
        )
        reads(f"nested_{key}_legacy.pth.tar", state)
    torch.save({"a": {"b": {"c": state}}}, directory / "deep.pth")
    reads("deep.pth", state)
    mean = {k: v * 2 for k, v in state.items()}
    torch.save({"model": state, "ema": mean}, directory / "two.pth")
    refused("two.pth", '"model", "ema"', "key", "LoadOptions")
    reads("two.pth", state, key="model")
    reads("two.pth", mean, key="ema")
    refused("two.pth", "nothing", '"model", "ema"', key="nothing")
    torch.save(
        {"generator": state, "discriminator": {"x.weight": torch.ones(2)}}, directory / "gan.pth"
    )
    reads("gan.pth", state)
    torch.save({**state, "epoch": 3}, directory / "mixed.pth")
    refused("mixed.pth", '"epoch" is an integer, not a tensor', "torch.is_tensor")
    torch.save(optimizer.state_dict(), directory / "optimizer.pth")
    refused("optimizer.pth", '"state" is a dict')
    torch.save({"epoch": 3}, directory / "no_tensors.pth")
    refused("no_tensors.pth", '"epoch" is an integer')
    torch.save({}, directory / "empty_dict.pth")
    refused("empty_dict.pth", "empty dict")
    torch.save(list(state.values()), directory / "list.pth")
    refused("list.pth", "a list of 2 tensors", "dict(zip(")
    torch.save(state["fc.weight"], directory / "tensor.pth")
    refused("tensor.pth", "a tensor without a name")
    torch.save(dict(enumerate(state.values())), directory / "numbered.pth")
    refused("numbered.pth", "without named tensors")
    torch.save({k: v.numpy() for k, v in state.items()}, directory / "arrays.pth")
    refused("arrays.pth", "NumPy", "torch.as_tensor")
    torch.save(linear(), directory / "whole.pth")
    refused("whole.pth", "Sequential", ".state_dict()")
    torch.save({"model": linear(), "epoch": 3}, directory / "whole_inside.pth")
    refused("whole_inside.pth", '"model"', ".state_dict()")
    saved(directory, "metadata.pth", linear().state_dict())
    counted = collections.defaultdict(int)
    torch.save(
        {"model": state, "count": counted, "numpy": numpy.float32(1)}, directory / "default.pth"
    )
    reads("default.pth", state)


class Subclass(torch.Tensor):
    pass


def others(directory):
    """Tensors that cannot be read."""
    state = net()

    def one(name, tensor, *words):
        torch.save({**state, "fc.weight": tensor}, directory / name)
        refused(name, "fc.weight", *words)

    weight = state["fc.weight"]
    one(
        "quantised.pth",
        torch.quantize_per_tensor(weight, 0.1, 2, torch.qint8),
        "quantised",
        "dequantize()",
    )
    channels = torch.quantize_per_channel(
        weight, torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, 1, 2]), 0, torch.quint8
    )
    one("channels.pth", channels, "quantised", "dequantize()")
    one("sparse.pth", weight.to_sparse(), "sparse", "to_dense()")
    one("csr.pth", weight.to_sparse_csr(), "sparse", "to_dense()")
    one("meta.pth", weight.to("meta"), "meta")
    one("subclass.pth", weight.as_subclass(Subclass), "__main__.Subclass", "as_subclass")
    one("nested_tensor.pth", torch.nested.nested_tensor([weight, weight[:2]]), "nested")
    torch.save(
        {**state, "fc.weight": torch.quantize_per_tensor(weight, 0.1, 2, torch.qint8)},
        directory / "quantised_legacy.pth",
        _use_new_zipfile_serialization=False,
    )
    refused("quantised_legacy.pth", "fc.weight", "quantised", "dequantize()")
    quantised = torch.ao.quantization.quantize_dynamic(linear(), {nn.Linear}, dtype=torch.qint8)
    torch.save(quantised.state_dict(), directory / "dynamic.pth")
    refused("dynamic.pth", "quantised")
    lazy = nn.Sequential(collections.OrderedDict(fc=nn.LazyLinear(3)))
    torch.save(lazy.state_dict(), directory / "lazy.pth")
    refused("lazy.pth", "fc.weight", "lazy")
    z = {"fc.weight": torch.complex(weight, weight), "fc.bias": state["fc.bias"]}
    torch.save(z, directory / "into_real.pth")
    refused("into_real.pth", "fc.weight", "complex")
    with open(directory / "pickled.pth", "wb") as file:
        pickle.dump(state, file)
    refused("pickled.pth", "pickle", "torch.save(")


def cuda(directory):
    """A file of a GPU: the same, but for the place that its storages name."""
    torch.save(net(), directory / "cpu.pth")
    rezip(
        directory / "cpu.pth",
        directory / "cuda.pth",
        lambda name, data: data.replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0"),
    )
    reads("cuda.pth", torch.load(directory / "cuda.pth", map_location="cpu"))


def scripts(directory):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 3)
            self.norm = nn.BatchNorm1d(3)

        def forward(self, x):
            return self.norm(self.fc(x))

    torch.manual_seed(1)
    block = Block()
    block.norm.running_mean.copy_(torch.tensor([1.0, 2.0, 3.0]))
    state = {k: v for k, v in block.state_dict().items() if "num_batches" not in k}
    # The stand-in for tch's batch normalisation, whose count is left out.
    torch.jit.save(torch.jit.script(block), directory / "script.pt")
    reads("script.pt", state)
    torch.jit.save(torch.jit.trace(block.eval(), torch.ones(2, 4)), directory / "trace.pt")
    reads("trace.pt", state)
    tied = nn.Module()
    tied.one = nn.Linear(2, 2)
    tied.two = tied.one
    torch.jit.save(torch.jit.script(tied), directory / "tied_script.pt")
    reads("tied_script.pt", tied.state_dict())


def safetensors(directory):
    def file(name, header, data=b""):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        (directory / name).write_bytes(struct.pack("<Q", len(text)) + text + data)

    data = struct.pack("<5f", 1, 2, 3, 4, 5)
    a = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    b = {"dtype": "F32", "shape": [3], "data_offsets": [8, 20]}
    file("other_order.safetensors", {"b": b, "a": a, "__metadata__": {"x": "y"}}, data)
    reads("other_order.safetensors", load_file(directory / "other_order.safetensors"))
    file("overlap.safetensors", {"a": a, "b": {**b, "data_offsets": [4, 16]}}, data[:16])
    refused("overlap.safetensors", "overlap", names=["a", "b"])
    file("hole.safetensors", {"a": a, "b": {**b, "data_offsets": [12, 24]}}, data + b"1234")
    refused("hole.safetensors", "between", names=["a", "b"])
    file(
        "twice.safetensors",
        b'{"a":%s,"a":%s}'
        % (json.dumps(a).encode(), json.dumps({**a, "data_offsets": [8, 16]}).encode()),
        data[:16],
    )
    refused("twice.safetensors", "twice", names=["a"])
    file("wrong_shape.safetensors", {"a": {**a, "shape": [3]}}, data[:8])
    refused("wrong_shape.safetensors", "parameter a", names=["a"])
    file(
        "four_bits.safetensors",
        {"a": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}},
        data[:2],
    )
    refused("four_bits.safetensors", "parameter a", "F4", names=["a"])
    file("too_long.safetensors", {"a": a}, data)
    refused("too_long.safetensors", "expected 8 bytes", names=["a"])
    file("no_json.safetensors", b'{"a":', data)
    refused("no_json.safetensors", "header", names=["a"])
    file("huge_shape.safetensors", {"a": {**a, "shape": [2**62, 4, 0]}}, data[:8])
    refused("huge_shape.safetensors", "parameter a", names=["a"])
    (directory / "huge.safetensors").write_bytes(struct.pack("<Q", 2**40) + b'{"a":')
    refused("huge.safetensors", "cut off", names=["a"])
    (directory / "whole_cut.safetensors").write_bytes(
        (directory / "other.SafeTensors").read_bytes()[:-1]
    )
    refused("whole_cut.safetensors", "after its header")


def shards(directory):
    state = net()
    one, two = {"fc.weight": state["fc.weight"]}, {"fc.bias": state["fc.bias"]}
    save_file(one, directory / "model-00001-of-00002.safetensors")
    save_file(two, directory / "model-00002-of-00002.safetensors")
    torch.save(one, directory / "pytorch_model-00001-of-00002.bin")
    torch.save(two, directory / "pytorch_model-00002-of-00002.bin")

    def index(name, places):
        text = json.dumps({"metadata": {"total_size": 60}, "weight_map": places})
        (directory / name).write_text(text)

    for name, stem, ending in [
        ("model.safetensors.index.json", "model", "safetensors"),
        ("pytorch_model.bin.index.json", "pytorch_model", "bin"),
    ]:
        index(
            name,
            {
                "fc.weight": f"{stem}-00001-of-00002.{ending}",
                "fc.bias": f"{stem}-00002-of-00002.{ending}",
            },
        )
        reads(name, state)
    refused("model-00001-of-00002.safetensors", "fc.bias")
    index("elsewhere.json", {"fc.weight": "../x.safetensors", "fc.bias": "/etc/passwd"})
    refused("elsewhere.json", "names no file beside it")
    index("lost.json", {"fc.weight": "model-00001-of-00002.safetensors", "fc.bias": "none.bin"})
    refused("lost.json", "none.bin is missing")
    index(
        "wrong.json",
        {
            "fc.weight": "model-00001-of-00002.safetensors",
            "fc.bias": "model-00001-of-00002.safetensors",
        },
    )
    refused("wrong.json", "fc.bias")
    (directory / "config.json").write_text('{"architectures": ["X"]}')
    refused("config.json", "no index of parameters")


def no_parameters(directory):
    def file(name, data, *words):
        (directory / name).write_bytes(data)
        refused(name, *words)

    whole = (directory / "net.pth").read_bytes()
    legacy = io.BytesIO()
    torch.save(net(), legacy, _use_new_zipfile_serialization=False)
    file("empty.pth", b"", "is empty")
    file("zeros.pth", bytes(1000), "zeros")
    file("page.pth", b"<!DOCTYPE html><html>...", "web page")
    file(
        "lfs.bin",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n",
        "Git LFS",
        "git lfs pull",
    )
    file("net.pth.gz", gzip.compress(whole), "gzip", "unpack")
    with tarfile.open(directory / "net.tar", "w") as tar:
        tar.add(directory / "net.pth", arcname="net.pth")
    refused("net.tar", "tar archive", "unpack")
    file("onnx.pth", b"\x08\x08\x12\x07pytorch\x1a\x052.11.", "ONNX")
    file("text.pth", b"not a checkpoint", "no file of torch.save")
    for length in [3, 10, 100, len(whole) // 2, len(whole) - 1]:
        file(f"cut{length}.pth", whole[:length])
    legacy = legacy.getvalue()
    for length in [3, 20, 100, len(legacy) // 2, len(legacy) - 1]:
        file(f"cut_legacy{length}.pth", legacy[:length])
    numpy.savez(directory / "arrays.npz", **{k: v.numpy() for k, v in net().items()})
    refused("arrays.npz", "zip archive without data.pkl", "numpy.load")
    (directory / "directory.pth").mkdir()
    refused("directory.pth", "a directory")
    damaged = bytearray(whole)
    place = whole.index(struct.pack("<f", -1.5))
    damaged[place] ^= 1
    file("damaged.pth", bytes(damaged), "fc.bias", "CRC")


def write(directory):
    for part in [
        kinds,
        marks,
        archives,
        shared,
        names,
        nested,
        others,
        cuda,
        scripts,
        safetensors,
        shards,
        no_parameters,
    ]:
        part(directory)
    (directory / "expected.json").write_text(json.dumps(EXPECTED))


def read(directory):
    """What Rust wrote: marks, kinds, tied parameters."""
    expected = json.loads((directory / "written.json").read_text())
    for name, tensors in expected.items():
        path = directory / name
        if path.suffix == ".ot":
            found = dict(torch.jit.load(path).named_parameters())
            found = {key.replace("|", "."): value for key, value in found.items()}
        elif path.suffix == ".safetensors":
            found = load_file(path)
        else:
            found = torch.load(path, weights_only=True)
        assert found.keys() == tensors.keys(), (name, list(found), list(tensors))
        for key, value in tensors.items():
            got = listed(found[key])
            assert got["shape"] == value["shape"], (name, key, got)
            assert got["values"] == value["values"], (name, key, got, value)
            assert not found[key].is_neg() and not found[key].is_conj(), (name, key)
        if "tied.one" in tensors and path.suffix == ".pth":
            one, two = found["tied.one"], found["tied.two"]
            assert one.data_ptr() == two.data_ptr(), name


if __name__ == "__main__":
    {"read": read, "write": write}[sys.argv[1]](Path(sys.argv[2]))
