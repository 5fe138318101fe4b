"""What is started for a cell: one rustc, one more for types that are not written, and nothing else.
How fast that is, `cargo blitz bench kernel` measures."""

import pytest
from driver import called_tools


@pytest.fixture
def calls(torch_kernel, tmp_path):
    """Returns which tools were called since the last time, in their order."""
    with called_tools(torch_kernel, tmp_path) as since_last:
        yield since_last


CELLS = [
    "let x = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));",
    "x.size()",
    'println!("{x}");',
    "let (rows, columns) = x.size2()?;",
    "rows * columns",
    "fn doubled(tensor: &Tensor) -> Tensor { tensor * 2 }",
    "doubled(&x).sum(Kind::Float).double_value(&[])",
]


def test_a_cell_is_compiled_by_one_rustc_and_no_cargo(torch_kernel, calls):
    for cell in CELLS:
        torch_kernel.execute(cell).ok()
        # What has no written type is asked for first.
        asked = 1 if cell.startswith("let ") else 0
        assert calls() == ["rustc"] * (1 + asked), cell
    torch_kernel.execute("let n: i64 = 3;").ok()
    assert calls() == ["rustc"]


def test_a_cell_that_does_not_compile_is_seen_by_rustc_alone(torch_kernel, calls):
    assert torch_kernel.execute('let n: i32 = "two";').status == "error"
    assert set(calls()) == {"rustc"}
