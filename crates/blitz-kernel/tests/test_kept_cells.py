"""Cells that a kernel has compiled are not compiled again by the next, unless something differs."""

import random

import pytest
from driver import DEPENDENCIES, IMPORTS, WITH_KEPT_CELLS, Kernel, called_tools


@pytest.fixture
def kernels():
    """Starts kernels as people do."""
    started = []

    def start(**variables):
        started.append(Kernel(env=WITH_KEPT_CELLS | variables))
        return started[-1]

    yield start
    for kernel in started:
        kernel.stop()


def notebook():
    """Cells that no kernel has seen yet."""
    new = random.randrange(10**12)
    return [
        DEPENDENCIES,
        IMPORTS,
        f"let x = Tensor::from({new}i64) * 2;",
        f"fn twice(x: i64) -> i64 {{ x * 2 + {new} - {new} }}",
        'let (a, words) = (twice(x.int64_value(&[])), vec!["b"]);',
        'println!("{a} {words:?}");',
        f"let y = 1; // {new}\nlet z = y;\nx",
    ]


def said(executed):
    executed.ok()
    return executed.stdout, executed.stderr, executed.result


def types(kernel):
    """The variables and their types; they have no order."""
    return sorted(kernel.execute(":vars").ok().result["text/plain"].splitlines())


def test_a_notebook_is_compiled_once(kernels, tmp_path):
    cells = notebook()
    first = kernels()
    told = [said(first.execute(cell)) for cell in cells]
    kernel = kernels()
    with called_tools(kernel, tmp_path) as calls:
        for cell, expected in zip(cells, told, strict=True):
            assert said(kernel.execute(cell)) == expected
            assert calls() == [], cell
        assert types(kernel) == types(first)
        # What comes next is compiled, with what the cells have left.
        what = f"a + words.len() as i64 + i64::from(y + z) // {random.random()}"
        assert kernel.execute(what).ok().result
        assert "rustc" in calls()


def test_what_was_changed_is_compiled_and_what_does_not_depend_on_it_is_not(kernels, tmp_path):
    cells = notebook()
    first = kernels()
    for cell in cells:
        first.execute(cell).ok()
    kernel = kernels()
    with called_tools(kernel, tmp_path) as calls:
        for number, cell in enumerate(cells):
            changed = cell.replace("x * 2 +", "x * 3 +").replace("let y = 1;", "let y = 2.5;")
            executed = kernel.execute(changed).ok()
            # The second `let` calls the function.
            is_compiled = changed != cell or "twice(" in cell
            assert bool(calls()) == is_compiled, cell
            if number == 5:
                value = int(cells[2].split("(")[1].split("i64")[0])
                assert executed.stdout == f'{value * 6} ["b"]\n'


def test_an_error_and_a_panic_are_told_as_the_first_time(kernels, tmp_path):
    new = random.randrange(10**6)
    cells = [
        DEPENDENCIES,
        IMPORTS,
        f"let moved = vec![{new}];\nlet n = moved.len();\nlet other = moved;",
        f"let wrong: i32 = {new}.5;",
        f"let x = Tensor::ones([2, {new}], (Kind::Float, Device::Cpu));\nx.matmul(&x);",
        f"let f = |a: usize| a + {new};",
        "other.len() + f(1)",
    ]
    told = []
    for _ in range(2):
        kernel = kernels()
        executed = [kernel.execute(cell, stop_on_error=False) for cell in cells]
        told.append([(it.status, it.of("error") and it.traceback, it.result) for it in executed])
    assert told[0] == told[1]
    assert [it[0] for it in told[0]] == ["ok", "ok", "ok", "error", "error", "ok", "ok"]
    assert "x.matmul(&x)" in told[0][4][1] and str(new + 2) in str(told[0][6][2])


def test_a_cell_that_waits_for_the_kernel_is_the_same_cell(kernels, tmp_path):
    new = random.randrange(10**12)
    cell = f'println!("{{}}", {new}i64);'
    patient, hasty = kernels(), kernels()
    patient.execute(":version").ok()
    patient.execute(cell).ok()
    with called_tools(hasty, tmp_path) as calls:
        assert hasty.execute(":version").ok() and hasty.execute(cell).ok().stdout == f"{new}\n"
        assert calls() == []


def test_what_a_cell_reads_while_it_is_compiled_is_read_again(kernels, tmp_path):
    words = tmp_path / "words.txt"
    cells = [
        f'println!("{{}}", include_str!("{words}"));',
        'println!("{:?}", option_env!("BLITZ_TEST_WORD"));',
    ]
    # An error of a file that is not there does not outlive it.
    missing = kernels()
    assert missing.execute(cells[0]).status == "error"
    words.write_text("first")
    assert missing.execute(cells[0]).ok().stdout == "first\n"
    for word in ["first", "second"]:
        words.write_text(word)
        kernel = kernels(BLITZ_TEST_WORD=word)
        assert kernel.execute(cells[0]).ok().stdout == f"{word}\n"
        assert kernel.execute(cells[1]).ok().stdout == f'Some("{word}")\n'


def test_a_crate_that_was_edited_is_another_one(kernels, tmp_path):
    source = tmp_path / "own/src/lib.rs"
    source.parent.mkdir(parents=True)
    manifest = '[package]\nname = "own"\nversion = "0.1.0"\nedition = "2021"\n'
    (tmp_path / "own/Cargo.toml").write_text(manifest)
    for number in [1, 2]:
        source.write_text(f"pub const NUMBER: i32 = {number};\n")
        kernel = kernels()
        kernel.execute(f':dep own = {{ path = "{tmp_path}/own" }}').ok()
        assert kernel.execute('println!("{}", own::NUMBER);').ok().stdout == f"{number}\n"
