"""What is started for a cell: one rustc, which also tells the types that are not written, and
nothing else. How fast that is, `cargo blitz bench kernel` measures."""

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
        assert calls() == ["rustc"], cell


def test_what_rustc_does_not_tell_it_is_asked(torch_kernel, calls):
    torch_kernel.execute("#![deny(warnings)]\nlet n = vec![1u8];").ok()
    assert len(calls()) == 3
    assert torch_kernel.execute("n[0].leading_zeros()").ok().result["text/plain"] == "7"


def test_a_cell_that_does_not_compile_is_seen_by_rustc_alone(torch_kernel, calls):
    assert torch_kernel.execute('let n: i32 = "two";').status == "error"
    assert set(calls()) == {"rustc"}
