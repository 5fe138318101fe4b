"""Training here and in PyTorch on the same device, in one run: ratios."""

import json
import statistics
import sys
from dataclasses import dataclass

from .process import run
from .report import table

WIDTHS = (6, 32, 128)  # those of the example's --widths

LOOPS = {
    "tutorial": "PyTorch, the tutorial's loop (DataLoader with 2 workers, loss read in each step)",
    "eager": "PyTorch, the best plain loop (images on the device, no loss read)",
    "one by one": "Rust, `fit` kernel by kernel",
    "graph": "Rust, `fit` with a CUDA graph",
}


@dataclass
class Size:
    """How much is measured. An epoch's first one is not counted."""

    images: int
    epochs: int
    rounds: int
    seconds: float  # of each measurement of a step alone


FULL = Size(images=4000, epochs=3, rounds=3, seconds=1.0)
TINY = Size(images=400, epochs=2, rounds=1, seconds=0.2)


class Failure(Exception):
    """A loop that could not be measured."""


class Bench:
    def __init__(self, kit, device, size, clock, log, scratch):
        self.kit, self.device, self.size = kit, device, size
        self.clock, self.log, self.data = clock, log, scratch / "data"
        self.fused = True

    def result_of(self, command, limit=120):
        """The JSON on the last line."""
        outcome = run(command, min(limit, self.clock.left()), env=self.kit.env(), log=self.log)
        try:
            if outcome.ok:
                return json.loads(outcome.stdout.splitlines()[-1])
        except (ValueError, IndexError):
            pass
        raise Failure(
            f"{' '.join(str(word) for word in command[:4])} …: {outcome.ended}\n{outcome.tail(8)}"
        )

    def export(self):
        """The built-in set as files, for both languages."""
        words = ["--data", "builtin", "--device", "cpu", "--export", self.data]
        outcome = run([self.kit.example, *words], 60, env=self.kit.env(), log=self.log)
        if not outcome.ok:
            raise Failure(f"the data could not be written: {outcome.ended}\n{outcome.tail(8)}")

    def loop(self, name, seed, images=None, epochs=None):
        images, epochs = images or self.size.images, epochs or self.size.epochs
        if name in ("tutorial", "eager"):
            words = [name, self.data, images, epochs, seed, 0]
            words += ["1", int(self.fused)] if name == "eager" else []
            return self.result_of([sys.executable, self.kit.bench_script, *words, self.device])
        words = ["--json", "--no-test", "--device", self.device, "--data", self.data]
        words += ["--images", images, "--epochs", epochs, "--seed", seed]
        words += ["--one-by-one"] if name == "one by one" else []
        return self.result_of([self.kit.example, *words])

    def per_batch(self, result):
        """Milliseconds, without the first epoch: a GPU chooses its kernels there."""
        batches = -(-self.size.images // 4)
        return statistics.mean(result["epoch_seconds"][1:]) / batches * 1e3

    def choose_eager(self):
        """The faster of SGD's two forms in PyTorch, by one try each."""
        times = {}
        for fused in (True, False):
            self.fused = fused
            times[fused] = self.per_batch(self.loop("eager", 0, epochs=2))
        self.fused = min(times, key=times.get)
        return times

    def trainings(self):
        """The table of loops; raises Failure where none could be measured."""
        self.export()
        troubles, runs = [], {name: [] for name in LOOPS}
        try:
            tries = self.choose_eager()
        except Failure as failure:
            tries = {}
            troubles.append(str(failure))
        for seed in range(self.size.rounds):
            for name in LOOPS:
                if self.clock.left() < 20:
                    break
                try:
                    runs[name].append(self.loop(name, seed))
                except Failure as failure:
                    troubles.append(str(failure))
        return self.table_of(runs, tries), troubles, runs

    def table_of(self, runs, tries):
        median = {
            name: statistics.median(map(self.per_batch, made))
            for name, made in runs.items()
            if made
        }
        rows = []
        for name, words in LOOPS.items():
            if name not in median:
                rows.append((words, "not measured", "", "", ""))
                continue
            spread = [self.per_batch(result) for result in runs[name]]
            ratio = f"{median[name] / median['graph']:.2f}" if "graph" in median else ""
            loss = runs[name][0]["losses"][0]
            between = f"{min(spread):.3f} to {max(spread):.3f}"
            rows.append((words, f"{median[name]:.3f}", between, ratio, f"{loss:.4f}"))
        header = (
            "loop",
            "ms per batch",
            "least to most",
            "times the graph's",
            "loss of epoch 1, seed 0",
        )
        tried = ", ".join(f"fused={fused} {time:.3f} ms" for fused, time in tries.items())
        return table(header, rows) + (
            f"\n\nBatches of 4 on {self.device}, {self.size.images} images of the built-in set, "
            f"{self.size.epochs} epochs of which the first is not counted; medians over "
            f"{max(len(made) for made in runs.values())} seeds, the loops in turns. PyTorch's best "
            f"plain loop has fused={self.fused}, the faster of {tried or 'none tried'}. The "
            f"tutorial's loop starts its workers in each epoch, here for {self.size.images // 4} "
            "batches."
        )

    def steps(self):
        """The width table, and PyTorch's step beside it."""
        words = ["--device", self.device, "--widths"]
        outcome = run(
            [self.kit.example, *words], min(90, self.clock.left()), env=self.kit.env(), log=self.log
        )
        if not outcome.ok:
            raise Failure(f"--widths: {outcome.ended}\n{outcome.tail(8)}")
        rows, troubles = [], []
        for width, ours in widths(outcome.stdout).items():
            command = [
                sys.executable,
                self.kit.bench_script,
                "step",
                self.device,
                width,
                self.size.seconds,
            ]
            try:
                theirs = self.result_of(command, 60)["steps_per_second"]
            except Failure as failure:
                troubles.append(str(failure))
                theirs = None
            rows.append(
                (
                    width,
                    *ours[1:4],
                    f"{theirs:.0f}" if theirs else "not measured",
                    ratio(ours, theirs),
                )
            )
        header = (
            "width",
            "Rust, CPU",
            "Rust, GPU",
            "Rust, CUDA graph",
            f"PyTorch eager, {self.device}",
            "best of Rust / PyTorch",
        )
        return outcome.stdout.strip(), table(header, rows), troubles


def widths(printed):
    """The example's table: width, then parameters, CPU, GPU, graph as printed."""
    rows = [line.split() for line in printed.splitlines()]
    return {
        int(row[0]): row[1:] for row in rows if row and row[0].isdigit() and int(row[0]) in WIDTHS
    }


def ratio(ours, theirs):
    """Our best speed on the device that PyTorch had, as a share of PyTorch's."""
    on_gpu = [float(cell) for cell in ours[2:4] if cell != "none"]
    best = max(on_gpu) if on_gpu else float(ours[1])
    return f"{best / theirs:.2f}" if theirs else ""
