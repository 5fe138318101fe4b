"""Kernels side by side, and what a killed one leaves behind."""

import fcntl
import os
import shutil
import time

import psutil
import pytest
from driver import BUILD_DIRS, Kernel, is_running, wait_until


@pytest.fixture
def another(kernel):
    other = Kernel()
    yield other
    other.stop(now=True)


def test_two_kernels_do_not_disturb_each_other(kernel, another):
    assert kernel.build_dir() != another.build_dir()
    both = [(kernel, 1111), (another, 2222)]
    for step in [
        "fn which() -> u32 {{ {n} }}\nlet mine = which();",
        "let twice = 2 * mine;\nstruct Only{n};",
        'println!("{{mine}} {{twice}} {{}}", which());',
    ]:
        cells = [(k, n, k.submit(step.format(n=n))) for k, n in both]
        for k, _, cell in cells:
            k.finish(cell).ok()
    for _, n, cell in cells:
        assert cell.stdout == f"{n} {2 * n} {n}\n"
    assert another.execute("Only1111").error["ename"] == "compile error"
    os.kill(another.process.pid, 9)
    assert kernel.execute("mine").ok().result["text/plain"] == "1111"


def make_old(path):
    """As if the kernel had been killed some minutes ago."""
    past = time.time() - 600
    os.utime(path, (past, past))


@pytest.mark.parametrize("code", ["loop { std::hint::black_box(()); }", None])
def test_a_killed_kernel_leaves_nothing_that_harms_the_next(code):
    killed = Kernel()
    family = [killed.process, *killed.process.children(recursive=True)]
    build_dir = killed.build_dir()
    if code:
        cell = killed.submit(f'println!("on");\n{code}')
        killed.wait_for_text(cell, "on")
        family += killed.process.children(recursive=True)
    os.kill(killed.process.pid, 9)
    wait_until(lambda: not any(is_running(p.pid) for p in family), "its processes end")
    assert build_dir.exists()
    make_old(build_dir)
    following = Kernel()
    try:
        assert following.execute("1 + 1").ok().result["text/plain"] == "2"
        wait_until(lambda: not build_dir.exists(), "the old build directory is removed")
        assert following.build_dir().exists()
    finally:
        following.stop()
        killed.stop(now=True)


def test_a_kernel_killed_while_it_compiles_leaves_no_compiler_behind(kernel, held):
    # Not the shared kernel: this one dies.
    killed = Kernel()
    killed.submit(f"{held.expression}.len()")
    compilers = lambda: [  # noqa: E731
        p for p in killed.process.children(recursive=True) if p.name().startswith("rustc")
    ]
    killed.wait(held.has_begun, "the compiler's start")
    running = compilers()
    assert running
    os.kill(killed.process.pid, 9)
    try:
        wait_until(lambda: not any(is_running(p.pid) for p in running), "the compiler ends")
    finally:
        for process in filter(psutil.Process.is_running, running):
            process.kill()
        killed.stop(now=True)
    assert kernel.execute("2 + 2").ok().result["text/plain"] == "4"


def test_a_killed_cell_process_is_a_crash_and_the_kernel_lives(kernel):
    cell = kernel.submit('println!("{}", std::process::id());\nloop { std::hint::black_box(()); }')
    kernel.wait(lambda: cell.stdout.endswith("\n"), "the process id")
    psutil.Process(int(cell.stdout)).kill()
    assert kernel.finish(cell).error["ename"] == "crash"
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


def test_a_start_removes_the_directories_of_dead_kernels_and_no_others():
    dead, living = BUILD_DIRS / "no-process-0", BUILD_DIRS / "no-process-1"
    try:
        for directory in [dead, living]:
            directory.mkdir()
            (directory / "in-use.lock").touch()
        with (living / "in-use.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            make_old(dead)
            make_old(living)
            another = Kernel()
            another.stop()
            assert not dead.exists() and living.exists()
    finally:
        for directory in [dead, living]:
            shutil.rmtree(directory, ignore_errors=True)
