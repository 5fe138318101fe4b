"""`ci/gpu/run`: the parts one after the other, the report after each."""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from . import parts
from .kit import KitError, misfits, open_kit
from .machine import Machine
from .process import Log
from .report import Clock, Report, fenced

EPILOGUE = """exit codes: 0 all that was run passed; 1 something failed, see the report; 2 wrong
arguments or no kit; 3 there is no GPU, so this was only a dry run (without --dry-run)"""

MINUTES, DRY_MINUTES = 8, 30


def arguments():
    parser = argparse.ArgumentParser(prog="ci/gpu/run", description=__doc__, epilog=EPILOGUE)
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, with tiny counts")
    parser.add_argument("--kit", metavar="DIR", help="an unpacked kit")
    parser.add_argument(
        "--out", metavar="DIR", help="where gpu-report.md and gpu-report.log go: $OUT, else the kit"
    )
    parser.add_argument(
        "--minutes", type=float, help="time for all parts (8; on the CPU, where nobody waits, 30)"
    )
    parser.add_argument(
        "--only", metavar="WORD", action="append", help="parts whose name holds WORD; repeatable"
    )
    return parser.parse_args()


def main():
    started = time.monotonic()
    options = arguments()
    # Who is told to end takes along what it has started; the report is as far as it got.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        kit = open_kit(options.kit)
    except KitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    out = Path(options.out or os.environ.get("OUT") or kit.root)
    out.mkdir(parents=True, exist_ok=True)
    log = Log(out / "gpu-report.log")
    machine = Machine(90, log)
    dry = options.dry_run or not machine.has_gpu
    minutes = options.minutes or (DRY_MINUTES if dry else MINUTES)
    # What asked about the machine is spent, and what writes the report needs a little time too.
    clock = Clock(minutes - 0.1 - (time.monotonic() - started) / 60)
    wanted = chosen(options.only, dry)
    title = "Rust Blitz on a GPU" if not dry else "Rust Blitz, dry run without a GPU"
    report = Report(out / "gpu-report.md", title, clock, wanted)
    report.head = head(kit, machine, dry)
    with tempfile.TemporaryDirectory(prefix="blitz-gpu-") as scratch:
        run = parts.Run(kit, machine, dry, clock, log, Path(scratch))
        for name in wanted:
            one(report, run, name)
    print(f"report: {report.path}")
    if report.failed:
        print("failed: " + "; ".join(report.failed))
        return 1
    return 3 if dry and not options.dry_run else 0


def chosen(words, dry):
    """The names of the parts to run."""
    names = [name for name in parts.PARTS if dry or parts.PARTS[name] is not parts.rehearsal]
    return [n for n in names if not words or any(word.lower() in n.lower() for word in words)]


def head(kit, machine, dry):
    rows = "\n".join(f"| {name} | {value} |" for name, value in machine.facts(kit))
    lines = [f"| | |\n|---|---|\n{rows}"]
    if dry:
        lines.append(
            "\nNothing here was run on a GPU. Times are those of tiny counts and say nothing."
        )
    lines += [f"\n**{sentence}**" for sentence in misfits(kit, machine.torch["torch"])]
    if machine.trouble:
        lines.append("\nPyTorch's answer about this machine:\n\n" + fenced(machine.trouble))
    return lines


def one(report, run, name):
    started = time.monotonic()
    if run.clock.left() < 5:
        return  # the report says that the run ended before
    print(f"── {name} …", flush=True)
    status, text = parts.guarded(parts.PARTS[name], run)
    seconds = time.monotonic() - started
    report.put(name, status, text, seconds)
    print(f"   {status} [{seconds:.0f} s]", flush=True)


if __name__ == "__main__":
    sys.exit(main())
