"""Takes CUDA out of the PyTorch that PyPI has, for `cargo blitz setup --cpu`.

Usage: without_cuda.py, in the environment where torch and torchvision were installed by
`pip install --no-deps` with the packages that libtorch_cpu.so itself needs (libcudart, libcupti and
libcufile, 50 MB).

PyPI's wheel for Linux is the one with CUDA. Its library for the CPU is complete, but libtorch.so,
libtorch_python.so and torchvision's library name libtorch_cuda.so and libcudnn.so.9 as needed,
which need 3 GB of NVIDIA's libraries in turn. This removes libtorch_cuda.so and its companions (0.5
GB) and puts two small libraries in their place, beside NVIDIA's: they define what the others refer
to, and each function ends the process with a message when it is called. On a machine without a GPU
PyTorch calls none of them: `torch.cuda.is_available()` is False. In torch/lib there is then no
libtorch_cuda.so, so Rust is built as with PyTorch's own CPU wheels.
"""

import importlib.metadata
import re
import subprocess
import sysconfig
from pathlib import Path

SITE = Path(sysconfig.get_paths()["platlib"])
LIB = SITE / "torch/lib"
# Where libtorch looks for NVIDIA's libraries (its RPATH).
BESIDE = SITE / "nvidia/cu13/lib"
REMOVED = ["libtorch_cuda.so", "libtorch_cuda_linalg.so", "libtorch_nvshmem.so"]

END = """
#include <cstdio>
#include <cstdlib>
extern "C" __attribute__((visibility("hidden"))) void end_without_cuda() {
    fputs("CUDA was left out of this PyTorch (cargo blitz setup --cpu)\\n", stderr);
    abort();
}
"""
# What is used while the libraries are loaded, and so must be there in earnest: the types of classes
# that are made known to Python, and a pointer that libtorch_python sets.
TYPES = """
#define TYPE(NAME) struct NAME { virtual ~NAME(); }; NAME::~NAME() {}
namespace c10d {
TYPE(ProcessGroupNCCL)
using gil_checker_t = bool (*)();
gil_checker_t& get_gil_checker() {
    static gil_checker_t checker = nullptr;
    return checker;
}
}
namespace torch::cuda::CUDAPluggableAllocator { TYPE(CUDAPluggableAllocator) }
namespace torch::inductor { TYPE(AOTIModelContainerRunnerCuda) }
namespace torch::jit::tensorexpr { TYPE(CudaCodeGen) }
"""


def symbols(library, which):
    """Names of the symbols that a library defines or lacks, without their versions."""
    lines = subprocess.check_output(
        ["nm", "-D", f"--{which}-only", library], text=True
    ).splitlines()
    return {line.split()[-1] for line in lines}


def compile_library(name, source, names):
    """A library that has `source`, and under all `names` a function that ends the process."""
    functions = [
        f'asm(".globl {n}\\n.type {n},@function\\n{n}: jmp end_without_cuda");' for n in names
    ]
    command = ["c++", "-std=c++17", "-shared", "-fPIC", f"-Wl,-soname,{name}", "-x", "c++", "-"]
    text = "\n".join([END, source, *sorted(functions)])
    subprocess.run([*command, "-o", BESIDE / name], input=text, text=True, check=True)


def take_out():
    plain = lambda names: {name.split("@")[0] for name in names}  # noqa: E731
    users = [LIB / "libtorch_python.so", *SITE.glob("torchvision/*.so")]
    lacking = set().union(*(symbols(user, "undefined") for user in users))
    kept = [path for path in LIB.glob("lib*.so") if path.name not in REMOVED]
    there = plain(set().union(*(symbols(path, "defined") for path in kept)))
    gone = plain(set().union(*(symbols(LIB / name, "defined") for name in REMOVED)))
    cuda = (plain(lacking) & gone) - there
    # Types are data; those in TYPES are all that torch 2.11.0 refers to.
    functions = {
        name for name in cuda if not name.startswith("_ZT") and "get_gil_checker" not in name
    }
    cudnn = {name.split("@")[0] for name in lacking if name.endswith("@libcudnn.so.9")}
    compile_library("libtorch_cuda.so", TYPES, functions)
    compile_library("libcudnn.so.9", "", cudnn)
    for name in REMOVED:
        (LIB / name).unlink()


def forget_dependencies():
    """So that pip does not bring NVIDIA's packages back as something that is missing."""
    metadata = Path(importlib.metadata.distribution("torch")._path, "METADATA")
    text = metadata.read_text()
    only_gpu = r"^Requires-Dist: (cuda-|nvidia-|triton).*\n"
    metadata.write_text(re.sub(only_gpu, "", text, flags=re.MULTILINE))


if (LIB / "libtorch_cuda.so").exists():
    take_out()
forget_dependencies()
missing = importlib.metadata.requires("torch") or []
print("torch still asks for:", ", ".join(name for name in missing if "extra" not in name))
