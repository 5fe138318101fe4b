"""What a teacher does at the command line, and what notebooks say."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def blitz(*arguments):
    """Runs `cargo blitz` and returns what it printed."""
    program = os.environ.get("BLITZ_PROGRAM")
    command = [program] if program else ["cargo", "blitz"]
    ran = subprocess.run([*command, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, f"{arguments}: {ran.stdout}{ran.stderr}"
    return ran.stdout + ran.stderr


def cells(path):
    return {cell["id"]: cell for cell in json.loads(path.read_text())["cells"]}


def text(cell):
    return "".join(cell["source"])
