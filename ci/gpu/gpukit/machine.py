"""The machine in facts."""

import datetime
import json
import os
import platform
import sys
from pathlib import Path

from .process import run

# Asked in a process of its own: a driver that hangs must not take the report with it.
ASK_TORCH = """
import json, torch
facts = {"torch": torch.__version__, "cuda": torch.version.cuda, "gpus": [], "nccl": None}
facts["cudnn"] = torch.backends.cudnn.version()
if torch.cuda.is_available():
    for index in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(index)
        facts["gpus"].append({"name": card.name, "memory": card.total_memory,
                              "capability": f"{card.major}.{card.minor}"})
    # A kernel that runs, not only a card that is listed.
    facts["sum"] = torch.arange(10, device="cuda").sum().item()
if torch.distributed.is_available() and torch.distributed.is_nccl_available():
    try:
        facts["nccl"] = ".".join(str(part) for part in torch.cuda.nccl.version())
    except Exception as error:
        facts["nccl"] = f"there, without a version ({error})"
print(json.dumps(facts))
"""


class Machine:
    """What the report's head says, and whether there is a GPU."""

    def __init__(self, limit, log):
        outcome = run([sys.executable, "-c", ASK_TORCH], limit, log=log)
        try:
            self.torch = json.loads(outcome.stdout.splitlines()[-1])
        except (ValueError, IndexError):
            self.torch = {"torch": "unknown", "gpus": [], "nccl": None}
        self.trouble = "" if outcome.ok else f"{outcome.ended}\n{outcome.tail(8)}"
        query = "--query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit"
        smi = run(["nvidia-smi", query, "--format=csv,noheader"], 30, log=log)
        self.smi = smi.stdout.strip() if smi.ok else "nvidia-smi: none, or it failed"

    @property
    def gpus(self):
        return self.torch["gpus"]

    @property
    def has_gpu(self):
        return bool(self.gpus) and self.torch.get("sum") == 45

    def facts(self, kit):
        """Pairs of a name and a value."""
        built = kit.manifest
        now = datetime.datetime.now(datetime.timezone.utc)
        cards = [
            f"{card['name']}, {card['memory'] / 2**30:.0f} GiB, compute capability "
            f"{card['capability']}"
            for card in self.gpus
        ]
        cores = len(os.sched_getaffinity(0))
        return [
            ("date", now.strftime("%Y-%m-%d %H:%M UTC")),
            ("GPU", "; ".join(cards) or "none"),
            ("nvidia-smi (name, driver, memory, clock, power)", self.smi.replace("\n", "; ")),
            (
                "torch",
                f"{self.torch['torch']}, CUDA {self.torch.get('cuda')}, "
                f"cuDNN {self.torch.get('cudnn')}",
            ),
            ("NCCL", self.torch["nccl"] or "none"),
            ("Python", platform.python_version()),
            ("CPU", f"{cpu_name()}, {cores} cores, load {os.getloadavg()[0]:.1f} before"),
            ("system", f"{platform.platform()}, glibc {platform.libc_ver()[1]}"),
            (
                "kit",
                f"commit {built['commit']}{' with changes' if built['dirty'] else ''}, built "
                f"{built['built']} with {built['rustc']}, example: {built['profile']} build",
            ),
        ]


def cpu_name():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown CPU"
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown CPU")
