"""Rust test programs: run and read; what failed is tried once more alone."""

import re
from dataclasses import dataclass, field

from .process import cut, run

OK = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. ok$", re.M)
COUNTS = re.compile(r"^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored", re.M)


@dataclass
class Results:
    """What became of the tests of one program."""

    program: str
    passed: list = field(default_factory=list)
    failed: dict = field(default_factory=dict)  # name: what it printed
    not_run: list = field(default_factory=list)  # the program ended before them
    ignored: int = 0
    seconds: float = 0.0
    trouble: str = ""  # of the program as a whole

    @property
    def ok(self):
        return not (self.failed or self.not_run or self.trouble)


def names_of(kit, path, words=()):
    """The tests that `words` choose."""
    outcome = run([path, "--list", "--format", "terse", *words], 60, env=kit.env())
    lines = outcome.stdout.splitlines()
    return [line.removesuffix(": test") for line in lines if line.endswith(": test")]


def read(program, names, outcome):
    """The results that an output tells about `names`, the tests that were to run."""
    results = Results(program, seconds=outcome.seconds)
    counts = COUNTS.search(outcome.stdout)
    if counts:
        results.ignored = int(counts[3])
    if outcome.ok and counts:
        # The line of a single test may be torn by what its child processes print; this says it all.
        results.passed = list(names)
        return results
    failed = failures(outcome.stdout)
    results.failed = {name: block(outcome.stdout, name) for name in failed}
    if outcome.code == 101 and counts and failed:
        results.passed = [name for name in names if name not in failed]
        return results
    results.trouble = f"{outcome.ended}\n{outcome.tail(12)}"
    seen = set(OK.findall(outcome.stdout))
    results.passed = [name for name in names if name in seen]
    results.not_run = [name for name in names if name not in seen and name not in failed]
    return results


def failures(stdout):
    """The list at the end of the output."""
    _, found, rest = stdout.rpartition("\nfailures:\n")
    return [line.strip() for line in rest.split("\n\n")[0].splitlines()] if found else []


def block(stdout, name):
    """What a failed test printed."""
    pattern = rf"^---- {re.escape(name)} stdout ----\n(.*?)(?=^---- |^failures:)"
    found = re.search(pattern, stdout, re.M | re.S)
    return cut(found[1].strip(), 15) if found else "it printed nothing"


def run_tests(kit, name, path, limit, log, words=(), env=None):
    """The chosen tests of a program, all in one process."""
    chosen = [word for word in words if not word.startswith("--test-threads")]
    if "--ignored" not in words:
        ignored = set(names_of(kit, path, ["--ignored"]))
        names = [test for test in names_of(kit, path, chosen) if test not in ignored]
    else:
        names = names_of(kit, path, chosen)
    where = kit.root / "crates/blitz"
    outcome = run([path, *words], limit, env=env or kit.env(), cwd=where, log=log)
    return read(name, names, outcome)


def again_alone(kit, path, names, clock, log, words=()):
    """Each test in a process of its own, where no other has broken anything: verdicts by name."""
    verdicts = {}
    for name in names:
        if clock.left() < 5:
            verdicts[name] = "not tried again, no time was left"
            continue
        command = [path, name, "--exact", *words]
        where = kit.root / "crates/blitz"
        outcome = run(command, min(clock.left(), 60), env=kit.env(), cwd=where, log=log)
        alone = outcome.ok and " 1 passed" in outcome.stdout
        verdicts[name] = "passes alone" if alone else f"fails alone ({outcome.ended})"
    return verdicts
