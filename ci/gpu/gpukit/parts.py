"""The parts of a run. Each returns its status and its text; what it raises is a failure."""

import os

from . import libtest
from .bench import FULL, TINY, Bench, Failure
from .report import fenced, table

NO_GPU = "not run: no CUDA device"
# The kernel's tests that call rustc.
NEED_RUSTC = [
    "an_error_is_reported_with_the_line_that_it_left",
    "tensors_are_shown_as_pytorch_prints_them_with_the_prelude_and_without",
    "values_show_themselves_or_their_debug_form_and_unit_nothing",
]


class Run:
    """What all parts share."""

    def __init__(self, kit, machine, dry, clock, log, scratch):
        self.kit, self.machine, self.dry = kit, machine, dry
        self.clock, self.log, self.scratch = clock, log, scratch
        self.device = "cpu" if dry else "cuda"
        self._bench = None

    @property
    def bench(self):
        if self._bench is None:
            size = TINY if self.dry else FULL
            self._bench = Bench(self.kit, self.device, size, self.clock, self.log, self.scratch)
        return self._bench

    def limit(self, seconds):
        """At most `seconds`, and no more than is left."""
        return min(seconds, self.clock.left())


def gpu_tests(run):
    """Every test that needs a GPU. One thread: a graph being recorded and a test that draws random
    numbers beside it would disturb each other, as two parts of one PyTorch program do."""
    path = dict(run.kit.programs("blitz"))["gpu"]
    words = ["--ignored", "--test-threads=1"]
    if run.dry:
        names = libtest.names_of(run.kit, path, ["--ignored"])
        return "not run", f"{len(names)} tests, {NO_GPU}:\n\n" + fenced("\n".join(names))
    results = libtest.run_tests(run.kit, "gpu", path, run.limit(180), run.log, words)
    broken = [*results.failed, *results.not_run]
    verdicts = libtest.again_alone(run.kit, path, broken, run.clock, run.log, words)
    text = counted(results)
    if broken:
        text += "\n\n" + table(("test", "alone"), list(verdicts.items()))
    return status(results), text + details(results)


def rehearsal(run):
    """The same tests on the CPU: whether they themselves are right, nothing about a GPU."""
    path = dict(run.kit.programs("blitz"))["gpu"]
    words = ["--ignored", "--test-threads=1", "--skip", "cuda_only"]
    env = run.kit.env(BLITZ_TEST_DEVICE="cpu")
    results = libtest.run_tests(run.kit, "gpu", path, run.limit(180), run.log, words, env)
    return status(results), counted(results) + details(results)


def trainings(run):
    text, troubles, runs = run.bench.trainings()
    if troubles:
        text += "\n\nNot measured:\n\n" + fenced("\n\n".join(dict.fromkeys(troubles)))
    first = [made[0]["losses"][0] for made in runs.values() if made]
    apart = max(first) / min(first) - 1 if first else 0
    if apart > 0.02:
        text += f"\n\nThe losses of the first epoch are {apart:.1%} apart: "
        text += "the loops did not do the same."
    return "failed" if troubles or apart > 0.02 or len(first) < 4 else "passed", text


def speed_by_width(run):
    printed, compared, troubles = run.bench.steps()
    text = (
        f"{compared}\n\nTraining steps per second on one batch of 4. The example's own table:\n\n"
    )
    text += fenced(printed)
    if troubles:
        text += "\n\n" + fenced("\n\n".join(troubles))
    return "failed" if troubles else "passed", text


def two_gpus(run):
    """Only whether they are there."""
    count, nccl = len(run.machine.gpus), run.machine.torch["nccl"]
    found = f"{count} GPUs, NCCL {nccl or 'not there'}. "
    if count >= 2 and nccl:
        return "not run", found + "Two ranks could run here; distributed training is not built yet."
    return (
        "not run",
        found + "Two ranks need two GPUs; distributed training is not built yet either.",
    )


def other_tests(run):
    """All other tests of the crate, which use the CPU: whether the programs are right here."""
    return programs(run, "blitz", lambda name: name != "gpu")


def kernel_tests(run):
    """The kernel's own tests, with no Rust toolchain at hand."""
    words = [word for name in NEED_RUSTC for word in ("--skip", name)]
    status, text = programs(run, "blitz-kernel", lambda name: True, words)
    return status, text + f"\n\n{len(NEED_RUSTC)} tests that call rustc are left out."


def programs(run, package, chosen, words=()):
    rows, texts, failed = [], [], False
    # Tests beside each other, each with two of libtorch's threads: no more than there are cores.
    threads = f"--test-threads={max(1, min(8, len(os.sched_getaffinity(0)) // 2))}"
    env = run.kit.env(OMP_NUM_THREADS="2")
    for name, path in run.kit.programs(package):
        if not chosen(name):
            continue
        if run.clock.left() < 10:
            rows.append((name, "", "", "", "not run, no time was left"))
            failed = True
            continue
        limit = run.limit(600 if run.dry else 240)
        results = libtest.run_tests(run.kit, name, path, limit, run.log, [threads, *words], env)
        failed = failed or not results.ok
        broken = len(results.failed) + len(results.not_run)
        rows.append(
            (name, len(results.passed), broken, results.ignored, f"{results.seconds:.1f} s")
        )
        texts.append(details(results))
    if not rows:
        return "not run", f"The kit holds no tests of {package}."
    header = ("program", "passed", "failed or not reached", "ignored", "time")
    return "failed" if failed else "passed", table(header, rows) + "".join(texts)


def status(results):
    return "passed" if results.ok and results.passed else "failed"


def counted(results):
    total = len(results.passed) + len(results.failed) + len(results.not_run)
    return f"{len(results.passed)} of {total} tests passed in {results.seconds:.0f} s."


def details(results):
    """Failures with what they printed, cut."""
    text = ""
    if results.trouble:
        text += f"\n\n`{results.program}` did not end as it should:\n\n{fenced(results.trouble)}"
    if results.not_run:
        text += "\n\nNot reached: " + ", ".join(f"`{name}`" for name in results.not_run[:40])
    for name, printed in list(results.failed.items())[:20]:
        text += f"\n\n`{results.program}`: `{name}` failed:\n\n{fenced(printed)}"
    return text


PARTS = {
    "The GPU tests": gpu_tests,
    "The GPU tests, tried on the CPU": rehearsal,
    "Training: CUDA graph against eager PyTorch": trainings,
    "Speed by width": speed_by_width,
    "Two GPUs and NCCL": two_gpus,
    "The other tests of the crate, here": other_tests,
    "Tests of the kernel that need no Rust": kernel_tests,
}


def guarded(part, run):
    """A part's result; a failure where it raises, so that the others go on."""
    try:
        return part(run)
    except Failure as failure:
        return "failed", fenced(str(failure))
    except Exception as error:  # noqa: BLE001 - the report must go on
        return "failed", fenced(f"{type(error).__name__}: {error}")
