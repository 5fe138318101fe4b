"""Interrupting: what reacts ends with all variables alive, what does not is ended by force."""

import re
import time
from contextlib import suppress

import psutil
import pytest
from driver import Kernel, wait_until

# How long after an interrupt the kernel takes a second one for an impatient first, and how long it
# waits before it tells how to end a cell that does not react. Waiting longer harms nothing.
SECOND_INTERRUPT = 4

TRAINING = """
let images = Tensor::rand([400, 3, 32, 32], (Kind::Float, Device::Cpu)) * 255;
let images = images.to_kind(Kind::Uint8);
let labels = Tensor::randint(10, [400], (Kind::Int64, Device::Cpu));
let split = Split { images, labels };
tch::set_num_threads(1);
tch::manual_seed(0);
let vs = nn::VarStore::new(Device::Cpu);
let net = cifar10_net(&vs.root());
let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.001)?;
let mut loader = DataLoader::new(&split, LoaderOptions::default())?;
let start = vs.variables()["fc3.weight"].detach().copy();
"""
# Changed by training, and of use: all parameters are numbers.
HALF_TRAINED = """
let weight = vs.variables()["fc3.weight"].detach();
println!("moved: {}", weight != start);
let logits = net.forward(&Tensor::zeros([1, 3, 32, 32], (Kind::Float, Device::Cpu)));
println!("finite: {}", logits.isfinite().all().int64_value(&[]));
println!("{}", evaluate(&net, &mut loader, &CLASSES)?.total());
"""
# What no interrupt reaches.
ENDLESS = (
    'println!("on");\nlet mut turns = 0u64;\nloop { turns = std::hint::black_box(turns + 1); }'
)


def interrupted(kernel, cell):
    """Interrupts, and checks that the cell ends as interrupted: none of these would by itself."""
    assert kernel.interrupt().status == "ok"
    kernel.finish(cell)
    assert cell.error["ename"] == "interrupted", cell.error
    return cell


LOOPS = {
    "fit": """
let options = FitOptions { epochs: 1000, report_every: 50, ..FitOptions::default() };
fit(&net, &mut optimizer, &mut loader, &options)?;""",
    "loader": """
for epoch in 1..=1000 {
    for (i, batch) in loader.epoch().enumerate() {
        let loss = net.forward(&batch.images).cross_entropy_for_logits(&batch.labels);
        optimizer.backward_step(&loss);
        if i == 49 { println!("[{epoch}, {:5}]", i + 1); }
    }
}""",
    "check": """
for epoch in 1..=1000000 {
    blitz::display::interrupt::check()?;
    let images = Tensor::rand([4, 3, 32, 32], (Kind::Float, Device::Cpu));
    optimizer.backward_step(&net.forward(&images).square().mean(Kind::Float));
    if epoch < 5 { println!("[{epoch}, one step]"); }
}""",
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_training_that_is_interrupted_leaves_a_half_trained_net(torch_kernel, loop):
    torch_kernel.execute(TRAINING).ok()
    cell = torch_kernel.submit(LOOPS[loop])
    torch_kernel.wait_for_text(cell, "[2,")
    interrupted(torch_kernel, cell)
    assert "panicked" not in cell.stderr and "lost" not in cell.traceback
    after = torch_kernel.execute(HALF_TRAINED).ok()
    assert after.stdout == "moved: true\nfinite: 1\n400\n"
    again = torch_kernel.execute(LOOPS["fit"].replace("1000", "1")).ok()
    assert "[1, " in again.stdout, "it trains on"


def test_the_value_of_an_interrupted_training_is_what_it_came_to(torch_kernel):
    torch_kernel.execute(TRAINING).ok()
    code = """
let folder = std::env::temp_dir().join(format!("interrupted_{}", std::process::id()));
let checkpoint = CheckpointOptions {
    existing: Existing::Continue,
    ..CheckpointOptions::new(&folder, &vs)
};
let options = FitOptions {
    epochs: 1000, report_every: 50, checkpoint: Some(checkpoint), ..FitOptions::default()
};
let mut sgd = Sgd::new(&vs, SgdOptions::default())?;"""
    torch_kernel.execute(code).ok()
    train = "let report = fit(&net, &mut sgd, &mut loader, &options)?;"
    for epoch in ["[2,", "[4,"]:
        cell = torch_kernel.submit(f"{train}\nlet after = evaluate(&net, &mut loader, &CLASSES);")
        queued = torch_kernel.submit('println!("ran");')
        torch_kernel.wait_for_text(cell, epoch)
        interrupted(torch_kernel, cell)
        # Within an epoch, or where one ends.
        assert re.search("stopped (in|after) epoch", cell.error["evalue"]), cell.error
        assert "run the cell again to continue from here (" in cell.error["evalue"], cell.error
        assert torch_kernel.finish(queued).status == "aborted"
        # The rest of the cell is stopped, too.
        shown = 'println!("{} {}", report.interrupted.is_some(), after.is_err());'
        shown = torch_kernel.execute(shown).ok()
        assert shown.stdout == "true true\n"
        assert shown.stderr == "", "`report` is that of the cell that was interrupted"
        points = torch_kernel.execute("report.points.len() >= 2").ok()
        assert points.result["text/plain"] == "true"
    assert re.search("goes on (in|after) epoch", cell.stdout), "the second time"
    quick = "let options = FitOptions { epochs: 1, ..options };"
    again = torch_kernel.execute(f"{quick}\n{train}\nreport.interrupted").ok()
    assert "A new training begins" in again.stdout and again.result["text/plain"] == "None"
    torch_kernel.execute("std::fs::remove_dir_all(&folder)?;").ok()


def test_cells_queued_behind_an_interrupted_one_are_aborted(torch_kernel):
    torch_kernel.execute(TRAINING).ok()
    cell = torch_kernel.submit(LOOPS["fit"])
    queued = torch_kernel.submit('println!("ran");')
    torch_kernel.wait_for_text(cell, "[1,")
    interrupted(torch_kernel, cell)
    assert torch_kernel.finish(queued).status == "aborted" and not queued.of("stream")


# A start that ends before it could be held says nothing; another one is tried.
HELD_STARTS = 5


def test_an_interrupt_reaches_a_cell_that_waits_for_the_kernel_to_start():
    for _ in range(HELD_STARTS):
        kernel = Kernel()
        try:
            # The start goes on only when the process that will run cells does. Those that answer a
            # question of evcxr's end meanwhile.
            held = kernel.process.children(recursive=True)
            for process in held:
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
            cell = kernel.submit('println!("ran");')
            # Behind the cell on the same channel: when this is answered, the cell has arrived.
            kernel.ask("kernel_info")
            assert kernel.interrupt().status == "ok"
            for process in held:
                with suppress(psutil.NoSuchProcess):
                    process.resume()
            kernel.finish(cell)
            assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"
            if not cell.of("stream"):
                assert cell.error["ename"] == "interrupted", cell.error
                return
        finally:
            kernel.stop()
    pytest.fail(f"in none of {HELD_STARTS} starts did a cell wait when the interrupt came")


def test_an_interrupt_between_cells_does_not_stop_the_next(torch_kernel):
    torch_kernel.execute(TRAINING).ok()
    assert torch_kernel.interrupt().status == "ok"
    cell = torch_kernel.execute(LOOPS["fit"].replace("1000", "1")).ok()
    assert "[1, " in cell.stdout


def pump_for(kernel, seconds, flooded=None):
    """Lets time pass, and forgets what the cell `flooded` sends meanwhile."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        kernel.pump(0.2)
        if flooded:
            flooded.messages.clear()


@pytest.mark.parametrize(
    "code", [ENDLESS, 'println!("on");\nstd::thread::sleep(std::time::Duration::from_secs(600));']
)
def test_a_cell_that_does_not_react_is_ended_by_a_second_interrupt(kernel, code):
    kernel.execute("let lost = 1;").ok()
    cell = kernel.submit(code)
    kernel.wait_for_text(cell, "on")
    kernel.interrupt()
    pump_for(kernel, SECOND_INTERRUPT)
    assert not cell.idle, "the first interrupt alone takes nothing away"
    interrupted(kernel, cell)
    assert "variables" in cell.error["evalue"] + cell.traceback, "it says what was lost"
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"
    assert kernel.execute("lost").error["ename"] == "compile error"


def test_an_endless_loop_that_prints_can_be_ended(kernel):
    cell = kernel.submit('loop { println!("{}", "x".repeat(60)); }')
    kernel.wait(lambda: cell.of("stream"), "output")
    kernel.interrupt()
    pump_for(kernel, SECOND_INTERRUPT, cell)
    kernel.send("interrupt_request", {}, "control")
    kernel.finish(cell)
    assert cell.error["ename"] == "interrupted"
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


def compilers(kernel):
    return [p for p in kernel.process.children(recursive=True) if p.name().startswith("rustc")]


def test_interrupting_cancels_compilation(kernel, held):
    kernel.execute("let alive = vec![1, 2, 3];").ok()
    cell = kernel.submit(f'const TEXT: &str = {held.expression};\nprintln!("{{TEXT}}");')
    kernel.wait(held.has_begun, "the compiler's start")
    assert compilers(kernel)
    interrupted(kernel, cell)
    wait_until(lambda: not compilers(kernel), "the compiler is gone")
    assert not cell.of("stream")
    assert kernel.execute("alive").ok().result["text/plain"] == "[1, 2, 3]"
    assert kernel.execute("TEXT").error["ename"] == "compile error", "nothing of the cell stays"
