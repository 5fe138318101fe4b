"""Makes all reference values anew with the torch at hand and compares them with the stored ones.

    .venv/bin/python crates/blitz/tests/reference/remake.py DIRECTORY

The new files go to DIRECTORY, where tests/same_numbers finds them (BLITZ_REFERENCE). Fails, and
says where, if a stored value is not what this torch computes: within 1e-5 for numbers, exactly for
everything else. What a key "bits" holds belongs to one machine and is not compared.
"""

import importlib
import json
import sys
from pathlib import Path

STORED = Path(__file__).parent
TOLERANCE = 1e-5
# Versions as a machine names them, such as 2.11.0+cu130, say nothing about the values.
NOT_COMPARED = {"bits", "torch", "torchvision", "numpy"}


def differences(stored, made, where):
    """Sentences about each place where the two differ."""
    if isinstance(stored, dict) and isinstance(made, dict):
        if stored.keys() != made.keys():
            yield f"{where}: other keys: {sorted(stored.keys() ^ made.keys())}"
            return
        for key in stored.keys() - NOT_COMPARED:
            yield from differences(stored[key], made[key], f"{where}.{key}")
    elif isinstance(stored, list) and isinstance(made, list):
        if len(stored) != len(made):
            yield f"{where}: {len(stored)} stored, {len(made)} made"
            return
        for index, (one, other) in enumerate(zip(stored, made, strict=True)):
            yield from differences(one, other, f"{where}[{index}]")
    elif isinstance(stored, float) or isinstance(made, float):
        same = stored == made or stored != stored and made != made
        if not same and not abs(stored - made) <= TOLERANCE * max(abs(stored), abs(made), 0.1):
            yield f"{where}: {stored} stored, {made} made"
    elif stored != made:
        yield f"{where}: {stored!r} stored, {made!r} made"


def remake(directory):
    sys.path.insert(0, str(STORED))
    scripts = sorted(STORED.glob("make_*.py"))
    modules = [importlib.import_module(script.stem) for script in scripts]
    # All before the first runs: some write through another one.
    for module in modules:
        module.HERE = directory
    for module in modules:
        module.main()


def main():
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.json"):
        old.unlink()
    remake(directory)
    made = {path.name for path in directory.glob("*.json")}
    found = []
    for name in sorted(made | {path.name for path in STORED.glob("*.json")}):
        if name not in made:
            found.append(f"{name}: no script makes it")
            continue
        if not (STORED / name).exists():
            found.append(f"{name}: not stored")
            continue
        stored, new = (json.loads((d / name).read_text()) for d in (STORED, directory))
        found.extend(differences(stored, new, name))
    for line in found[:20]:
        print(line)
    print(f"{len(made)} reference files made anew, {len(found)} differences")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
