"""`ci/gpu/bundle`: builds the programs and packs the kit."""

import argparse
import datetime
import json
import lzma
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
KIT = ROOT / "target/gpu-kit"
ARCHIVE = ROOT / "target/gpu-kit.tar.xz"
MOST_BYTES = 60_000_000

# What the tests and the benchmark read, at the same places as in the repository.
FILES = [
    "ci/gpu/run",
    "ci/gpu/gpukit/*.py",
    "crates/blitz-bench/python/train.py",
    "crates/blitz/src/python_to_rust.md",
    "crates/blitz/tests/python/*",
    "crates/blitz/tests/reference/*",
    "crates/blitz/tests/reference/picture_files/*",
    "notebooks/*.ipynb",
]


def main():
    parser = argparse.ArgumentParser(prog="ci/gpu/bundle", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="the example as the tests build it, no kernel, no archive",
    )
    options = parser.parse_args()
    shutil.rmtree(KIT, ignore_errors=True)
    (KIT / "lib").mkdir(parents=True)
    programs = pack_tests("blitz") + ([] if options.quick else pack_tests("blitz-kernel"))
    example, graph = build_example("dev" if options.quick else "release")
    place(example, KIT / "bin/cifar10")
    if graph:
        place(Path(graph), KIT / "lib" / Path(graph).name)
    copy_files()
    write_manifest(programs, "dev" if options.quick else "release", bool(graph))
    size = sum(path.stat().st_size for path in KIT.rglob("*") if path.is_file())
    print(f"{len(programs)} test programs, the example; {size / 1e6:.1f} MB in {KIT}")
    return 0 if options.quick else archive()


def cargo(words):
    """cargo's messages, one JSON a line."""
    command = ["cargo", *words, "--locked", "--message-format", "json-render-diagnostics"]
    made = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if made.returncode:
        sys.exit(f"error: {' '.join(command)} failed")
    return [json.loads(line) for line in made.stdout.splitlines() if line.startswith("{")]


def pack_tests(package):
    """Builds a package's test programs and packs them; their entries for the manifest."""
    messages = cargo(["test", "--no-run", "--package", package])
    entries = []
    for message in messages:
        target = message.get("target", {})
        is_test = message.get("profile", {}).get("test") and message.get("executable")
        if not is_test or "example" in target["kind"] or package_of(message) != package:
            continue
        name = target["name"] if target["kind"] == ["test"] else f"{target['name']}-unit"
        file = f"bin/{package}/{name}"
        place(Path(message["executable"]), KIT / file)
        entries.append({"package": package, "name": name, "file": file})
    return sorted(entries, key=lambda entry: entry["name"])


def package_of(message):
    """`path+file:///…/crates/blitz#0.1.0` and older forms."""
    match = re.search(r"crates/([\w-]+)", message["package_id"])
    return match[1] if match else ""


def build_example(profile):
    """The example, and the library of the CUDA graph that belongs to it ('' where none is)."""
    words = ["build", "--package", "blitz", "--example", "cifar10", "--profile", profile]
    example, graph = None, ""
    for message in cargo(words):
        if message.get("target", {}).get("name") == "cifar10" and message.get("executable"):
            example = Path(message["executable"])
        if message["reason"] == "build-script-executed" and package_of(message) == "blitz":
            graph = dict(message["env"]).get("BLITZ_CUDA_GRAPH", "")
    if example is None:
        sys.exit("error: cargo did not say where the example is")
    if not graph:
        print(
            "warning: this libtorch has no CUDA half, so the kit has no CUDA graphs",
            file=sys.stderr,
        )
    return example, graph


def place(source, target):
    """Copies a program without its symbols."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    subprocess.run(["strip", "--strip-unneeded", target], check=True)


def copy_files():
    for pattern in FILES:
        found = [path for path in ROOT.glob(pattern) if path.is_file()]
        if not found:
            sys.exit(f"error: {pattern} is not there")
        for path in found:
            target = KIT / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


def write_manifest(programs, profile, has_graph):
    python = ROOT / ".venv/bin/python"
    ask = "import torch; print(torch.__version__.split('+')[0])"
    manifest = {
        "programs": programs,
        "profile": profile,
        "cuda_graph": has_graph,
        "torch": output([python, "-c", ask]),
        "glibc": newest_needed("GLIBC"),
        "libstdc++": newest_needed("GLIBCXX"),
        "machine": platform.machine(),
        "rustc": output(["rustc", "--version"]),
        "commit": output(["git", "rev-parse", "--short", "HEAD"]),
        "dirty": bool(output(["git", "status", "--porcelain"])),
        "built": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }
    (KIT / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    needs = ", ".join(f"{name} {manifest[name]}" for name in ("glibc", "libstdc++", "torch"))
    print(f"needs {needs}")


def output(command):
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return made.stdout.strip() if made.returncode == 0 else ""


def newest_needed(library):
    """The newest version of a library's symbols that any program asks for."""
    programs = [
        path for folder in ("bin", "lib") for path in (KIT / folder).rglob("*") if path.is_file()
    ]
    text = output(["readelf", "--version-info", "--wide", *programs])
    versions = set(re.findall(rf"Name: {library}_([\d.]+)", text))
    return max(
        versions, key=lambda version: [int(part) for part in version.split(".")], default="0"
    )


def archive():
    """One file. The programs link much of the same, so the dictionary holds several of them."""
    filters = [
        {"id": lzma.FILTER_X86},
        {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 26},
    ]
    with (
        lzma.open(ARCHIVE, "wb", format=lzma.FORMAT_XZ, filters=filters) as file,
        tarfile.open(fileobj=file, mode="w") as tar,
    ):
        tar.add(KIT, arcname=KIT.name)
    size = ARCHIVE.stat().st_size
    print(f"{ARCHIVE.relative_to(ROOT)}: {size / 1e6:.1f} MB (at most {MOST_BYTES / 1e6:.0f})")
    if size > MOST_BYTES:
        print("error: the kit is too large to travel", file=sys.stderr)
        return 1
    print("There: python3 -m tarfile -e gpu-kit.tar.xz . && gpu-kit/ci/gpu/run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
