"""Drives a kernel as the user who runs this, in the folder HOME, and prints what became of it.

Usage: another_user.py, with HOME set; started by test_anywhere.py as another user, or where the
project is read-only.
"""

import json
import os
import time
from pathlib import Path

from driver import DEPENDENCIES, Kernel

HOME = Path(os.environ["HOME"])
ANALYST_TIMEOUT = 300


def completions(kernel, code):
    """What completes `code`; the process that completes starts when nothing else is to be done."""
    deadline = time.time() + ANALYST_TIMEOUT
    while time.time() < deadline:
        request = {"code": code, "cursor_pos": len(code)}
        matches = kernel.ask("complete", request).reply["matches"]
        if matches:
            return matches
        assert kernel.manager.is_alive(), kernel.log.read_text()
        time.sleep(1)
    raise TimeoutError(f"nothing completed {code!r} within {ANALYST_TIMEOUT} s")


def permissions(path):
    return oct(path.stat().st_mode & 0o777)


def main():
    kernel = Kernel(cwd=HOME)
    try:
        kernel.execute(DEPENDENCIES).ok()
        kernel.execute(
            "use blitz::prelude::*;\nlet x = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));"
        ).ok()
        total = kernel.execute("x.sum(Kind::Float)").ok().result["text/plain"]
        data = kernel.execute("Cifar10Options::default().cache_dir.display().to_string()").ok()
        matches = completions(kernel, "x.mea")
        asked = {"hist_access_type": "tail", "n": 9, "output": False, "raw": True}
        history = kernel.ask("history", asked).reply["history"]
        # There is nobody to answer, and nothing to compile.
        read = kernel.execute('evcxr_input::get_string("name? ")').error["evalue"]
        places = [HOME / ".cache/rust-blitz" / name for name in ["", "kernels", "history"]]
        dirs = list((HOME / ".cache/rust-blitz/kernels").iterdir())
        print(
            json.dumps(
                {
                    "user": os.geteuid(),
                    "total": total,
                    "data": data.result["text/plain"],
                    "matches": matches,
                    "read": read,
                    "history": [entry[2] for entry in history],
                    "permissions": [permissions(place) for place in places],
                    "recorded_anew": [str(it) for it in dirs if (it / "answers").exists()],
                }
            )
        )
    finally:
        kernel.stop()


main()
