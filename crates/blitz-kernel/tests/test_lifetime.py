"""Restart and shutdown: answered, and nothing is left behind."""

import pytest
from driver import BUILD_DIRS, LIMIT, Kernel, is_running, wait_until


def test_a_restart_forgets_everything():
    kernel = Kernel()
    try:
        kernel.execute("let kept = 1;").ok()
        kernel.manager.restart_kernel()
        kernel.client.wait_for_ready(timeout=LIMIT)
        assert kernel.execute("kept").error["ename"] == "compile error"
        assert kernel.execute("1 + 1").ok().reply["execution_count"] == 2
    finally:
        kernel.stop()


@pytest.mark.parametrize("restart", [True, False])
def test_shutdown_is_answered_and_leaves_nothing(restart):
    kernel = Kernel()
    process = kernel.process
    kernel.execute("1 + 1").ok()
    family = [process, *process.children(recursive=True)]
    assert kernel.build_dir().parent == BUILD_DIRS and len(family) > 1
    build_dir = kernel.build_dir()
    shutdown = kernel.send("shutdown_request", {"restart": restart}, "control")
    kernel.wait(lambda: shutdown.reply, "the reply to shutdown")
    assert shutdown.reply == {"status": "ok", "restart": restart}
    try:
        wait_until(lambda: not any(is_running(p.pid) for p in family), "the processes end")
        wait_until(lambda: not build_dir.exists(), "the build directory is removed")
    finally:
        kernel.stop(now=True)


def test_shutdown_ends_a_running_cell():
    kernel = Kernel()
    cell = kernel.submit('println!("on");\nloop { std::hint::black_box(()); }')
    kernel.wait_for_text(cell, "on")
    family = [kernel.process, *kernel.process.children(recursive=True)]
    # Jupyter's own way to end a kernel kills one that takes too long; so it is asked directly.
    shutdown = kernel.send("shutdown_request", {"restart": False}, "control")
    try:
        kernel.wait(lambda: shutdown.reply, "the reply to shutdown")
        wait_until(lambda: not any(is_running(p.pid) for p in family), "the processes end")
    finally:
        kernel.stop(now=True)
