"""Where the kit is, and the environment in which its programs run."""

import importlib.util
import json
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path


class KitError(Exception):
    """The kit is not there, or does not fit this machine."""


@dataclass
class Kit:
    root: Path
    manifest: dict
    torch_lib: Path

    @property
    def bench_script(self):
        return self.root / "crates/blitz-bench/python/train.py"

    @property
    def example(self):
        return self.root / "bin/cifar10"

    def programs(self, package):
        """Names and paths of the test programs of a package."""
        listed = self.manifest["programs"]
        found = [entry for entry in listed if entry["package"] == package]
        return [(entry["name"], self.root / entry["file"]) for entry in found]

    def env(self, **more):
        """What the programs need of an environment, and nothing that belongs to the person."""
        kept = ("PATH", "HOME", "TMPDIR", "LANG", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")
        env = {name: os.environ[name] for name in kept if name in os.environ}
        env.setdefault("PATH", os.defpath)
        before = env.get("LD_LIBRARY_PATH")
        paths = [str(self.torch_lib), str(self.root / "lib"), *([before] if before else [])]
        env["LD_LIBRARY_PATH"] = os.pathsep.join(paths)
        # cargo would say where the crate is.
        env["CARGO_MANIFEST_DIR"] = str(self.root / "crates/blitz")
        env["BLITZ_PYTHON"] = sys.executable
        env["BLITZ_EXAMPLE"] = str(self.example)
        env["PYTHONDONTWRITEBYTECODE"] = "1"
        return env | more


def open_kit(named):
    """The kit: the one named, the one that this file is part of, or that of the repository."""
    here = Path(__file__).resolve().parents[3]
    candidates = [Path(named).resolve()] if named else [here, here / "target/gpu-kit"]
    root = next((path for path in candidates if (path / "manifest.json").is_file()), None)
    if root is None:
        looked = " and ".join(str(path) for path in candidates)
        raise KitError(f"no kit in {looked}: make one with ci/gpu/bundle")
    spec = importlib.util.find_spec("torch")
    lib = Path(spec.origin).parent / "lib" if spec and spec.origin else None
    if lib is None or not (lib / "libtorch_cpu.so").is_file():
        raise KitError(f"the PyTorch of {sys.executable} has no libtorch_cpu.so")
    return Kit(root, json.loads((root / "manifest.json").read_text()), lib)


def misfits(kit, torch_version):
    """Sentences on what of this machine does not fit the kit."""
    found = []
    wanted = kit.manifest["torch"]
    if torch_version.split("+")[0] != wanted:
        found.append(f"The kit was built with torch {wanted}; here is {torch_version}.")
    name, version = platform.libc_ver()
    needed = kit.manifest["glibc"]
    if name != "glibc" or numbers(version) < numbers(needed):
        found.append(f"The programs need glibc {needed}; here is {name or 'no glibc'} {version}.")
    if platform.machine() != kit.manifest["machine"]:
        found.append(f"Built for {kit.manifest['machine']}; this is {platform.machine()}.")
    return found


def numbers(version):
    return [int(part) for part in version.split(".") if part.isdigit()]
