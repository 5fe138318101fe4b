"""Processes that a cell starts: what they print and return, how they fail, that none is left."""

import os
import re

import psutil
import pytest
from driver import DEPENDENCIES, IMPORTS, Kernel, is_running, wait_until


def workers(kernel):
    """The processes of a launch that is under way."""
    found = []
    for process in kernel.process.children(recursive=True):
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if any("blitz-launch-" in word for word in line):
            found.append(process)
    return found


@pytest.fixture
def cells(torch_kernel):
    """A kernel, which has no worker left behind when the test is done."""
    yield torch_kernel
    wait_until(lambda: not workers(torch_kernel), "the workers' end")


def failed(kernel, function, call="distributed::launch(2, train)?"):
    kernel.execute(function).ok()
    cell = kernel.execute(call)
    assert cell.error["ename"] != "panic", cell.error
    return cell, cell.error["evalue"] + cell.traceback


def test_a_function_of_several_cells_runs_in_each_process_and_rank_0_returns(cells):
    # Definitions and statics of several cells, a static that has changed here, a thread-local.
    cells.execute(
        "use std::cell::Cell;\n"
        "use std::sync::atomic::{AtomicUsize, Ordering};\n"
        "static CALLS: AtomicUsize = AtomicUsize::new(5);\n"
        "thread_local! { static HERE: Cell<usize> = const { Cell::new(7) }; }"
    ).ok()
    cells.execute(
        "fn count() -> usize {\n"
        "    HERE.with(|here| here.set(here.get() + 1));\n"
        "    CALLS.fetch_add(1, Ordering::SeqCst) + HERE.with(Cell::get)\n"
        "}\n"
        "const LR: f64 = 0.25;"
    ).ok()
    assert cells.execute("count()").ok().result["text/plain"] == "13"
    cells.execute(
        "fn train(group: &ProcessGroup) -> blitz::Result<(usize, f64, Vec<String>, Tensor)> {\n"
        "    let mut ranks = Tensor::from_slice(&[group.rank() as f32, 1.0]);\n"
        "    group.all_reduce(&mut ranks, ReduceOp::Sum)?;\n"
        '    println!("rank {} of {}: {}", group.rank(), group.world_size(), count());\n'
        '    eprintln!("to the error stream");\n'
        '    print!("no end");\n'
        '    Ok((count(), LR, vec!["grün".to_owned()], ranks))\n'
        "}"
    ).ok()
    code = (
        "let (calls, lr, names, ranks) = distributed::launch(2, train)?;\n"
        'println!("{calls} {lr} {names:?} {}", repr(&ranks));'
    )
    cell = cells.execute(code).ok()
    lines = cell.stdout.splitlines()
    # Here the static has counted; in the new processes it starts anew.
    for rank in [0, 1]:
        assert f"[rank {rank}] rank {rank} of 2: 13" in lines, lines
        assert f"[rank {rank}] no end" in lines, lines
        assert f"[rank {rank}] to the error stream\n" in cell.stderr
    assert lines[-1] == '15 0.25 ["grün"] tensor([1., 2.])'
    assert len(lines) == 5 and len(cell.stderr.splitlines()) == 2, "and nothing else is said"
    # A second time, and with the function redefined.
    cells.execute("fn count() -> usize { 100 }").ok()
    assert cells.execute(code).ok().stdout.splitlines()[-1].startswith("100 0.25")
    closure = "distributed::launch(1, |group| Ok::<_, blitz::Error>(group.world_size() + count()))?"
    assert cells.execute(closure).ok().result["text/plain"] == "101"


def test_what_rank_0_displays_is_shown(cells):
    cells.execute(
        "fn train(group: &ProcessGroup) -> blitz::Result<()> {\n"
        '    display::show(display::Html(&format!("<b>{}</b>", group.rank())));\n'
        '    let mut shown = display::show_updatable(display::Html("one"));\n'
        '    shown.update(display::Html("two"));\n'
        "    Ok(())\n"
        "}"
    ).ok()
    cell = cells.execute("distributed::launch(2, train)?").ok()
    shown = [m.content["data"].get("text/html") for m in cell.of("display_data")]
    assert shown[:1] == ["<b>0</b>"] and len(shown) == 2, cell.summary()
    assert [m.content["data"]["text/html"] for m in cell.of("update_display_data")] == ["two"]
    assert "[rank 1] 1" in cell.stdout and "[rank 0]" not in cell.stdout, cell.stdout


# What rank 1 does while rank 0 waits for it, and what is said of it.
ENDS = {
    "error": (
        'return Err("no more".into());',
        r"rank 1 of 2: no more",
    ),
    "panic": (
        'let list: Vec<i32> = vec![]; println!("{}", list[group.rank()]);',
        r"rank 1 of 2: panicked: index out of bounds: the len is 0 but the index is 1",
    ),
    "exit": (
        "std::process::exit(0);",
        r"rank 1 of 2: its process ended before the function returned",
    ),
    "code": (
        "std::process::exit(3);",
        r"rank 1 of 2: its process ended, with exit code 3, before the function returned",
    ),
    "killed": (
        "unsafe { kill(std::process::id() as i32, 9); }",
        r"rank 1 of 2: its process was killed \(signal SIGKILL\)",
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_first_rank_that_fails_is_the_error_of_the_cell(cells, end):
    statement, expected = ENDS[end]
    cell, text = failed(
        cells,
        'unsafe extern "C" { fn kill(process: i32, signal: i32) -> i32; }\n'
        "#[allow(unreachable_code)]\n"
        "fn train(group: &ProcessGroup) -> blitz::Result<usize> {\n"
        '    println!("before");\n'
        f"    if group.rank() == 1 {{ {statement} }}\n"
        "    group.barrier()?;\n"
        "    Ok(0)\n"
        "}",
    )
    assert re.search(expected, text), text
    assert "rank 0 of 2" not in text
    for rank in [0, 1]:
        assert f"[rank {rank}] before\n" in cell.stdout, "nothing is lost"


def test_what_cannot_be_started_is_refused(cells):
    cells.execute(
        "fn train(group: &ProcessGroup) -> blitz::Result<usize> { Ok(group.world_size()) }\n"
        "fn again(_: &ProcessGroup) -> blitz::Result<usize> { distributed::launch(1, train) }\n"
        "let captured = 3;"
    ).ok()
    for call, expected in [
        ("distributed::launch(0, train)?", "option nproc must be from 1 to 64, got 0"),
        ("distributed::launch(65, train)?", "option nproc must be from 1 to 64, got 65"),
        (
            "distributed::launch(2, |_| Ok::<_, blitz::Error>(captured))?",
            "what they are to run uses variables of the notebook (8 bytes)",
        ),
        ("distributed::launch(1, again)?", "rank 0 of 1: launch cannot start processes: this"),
    ]:
        cell = cells.execute(call)
        assert expected in cell.error["evalue"], (call, cell.error)


LOOPS = {
    "reacts": (
        "loop { interrupt::check()?; std::thread::sleep(std::time::Duration::from_millis(5)); }"
    ),
    "does not react": "loop { std::hint::black_box(()); }",
}


@pytest.mark.parametrize("loop", LOOPS)
def test_an_interrupt_ends_all_processes(cells, loop):
    code = LOOPS[loop]
    cells.execute(
        "#[allow(unreachable_code)]\n"
        "fn train(group: &ProcessGroup) -> blitz::Result<()> {\n"
        '    println!("on {}", group.rank());\n'
        f"    {code}\n"
        "    Ok(())\n"
        "}\n"
        "let kept = 5;"
    ).ok()
    cell = cells.submit("distributed::launch(2, train)?")
    cells.wait_for_text(cell, "on 0")
    cells.wait_for_text(cell, "on 1")
    assert len(workers(cells)) == 2
    assert cells.interrupt().status == "ok"
    cells.finish(cell)
    assert cell.error["ename"] == "interrupted", cell.error
    assert cells.execute("kept").ok().result["text/plain"] == "5"


def test_two_kernels_launch_at_once_and_a_killed_one_leaves_nothing(cells):
    other = Kernel()
    try:
        for cell in [DEPENDENCIES, IMPORTS]:
            other.execute(cell).ok()
        requests = []
        for kernel, number in [(cells, 1), (other, 2)]:
            kernel.execute(
                "fn train(group: &ProcessGroup) -> blitz::Result<f64> {\n"
                f"    let mut sum = Tensor::from({number}.0f64);\n"
                "    group.all_reduce(&mut sum, ReduceOp::Sum)?;\n"
                "    Ok(sum.double_value(&[]))\n"
                "}\n"
                "fn for_ever(group: &ProcessGroup) -> blitz::Result<()> {\n"
                '    println!("on {}", group.rank());\n'
                "    loop { std::thread::sleep(std::time::Duration::from_secs(1)); }\n"
                "}"
            ).ok()
            requests.append(kernel.submit("distributed::launch(2, train)?"))
        cells.finish(requests[0])
        other.finish(requests[1])
        results = [request.ok().result["text/plain"] for request in requests]
        assert results == ["2.0", "4.0"]
        cell = other.submit("distributed::launch(2, for_ever)?")
        other.wait_for_text(cell, "on 0")
        other.wait_for_text(cell, "on 1")
        family = [other.process, *other.process.children(recursive=True)]
        assert len(workers(other)) == 2
        os.kill(other.process.pid, 9)
        wait_until(lambda: not any(is_running(p.pid) for p in family), "the processes' end")
    finally:
        other.stop(now=True)
