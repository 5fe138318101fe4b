"""The kernel answers quickly: limits that the stock kernel misses, with room for a busy machine.

`cargo blitz bench kernel` measures exactly; README.md has its table.
"""

import statistics
import time

from driver import DEPENDENCIES, IMPORTS, Kernel

# Seconds. On the machine of README.md's table ours needs 3 and the stock kernel 14.
FIRST_TENSOR = 9
# Ours needs 0.2, the stock kernel 0.45.
MEDIAN = 0.4
ATTEMPTS = 2

CELLS = [
    "let x = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));",
    "x.size()",
    "let y = &x + &x;",
    'println!("{y}");',
    "let (rows, columns) = y.size2()?;",
    "rows * columns",
    "let z = y.view([3, 2]).tr();",
    "z.i((0, ..)).size()",
    "let total = z.sum(Kind::Float).double_value(&[]);",
    "assert_eq!(total, 12.0);",
    "let names = vec![\"a\", \"b\"];",
    "names.len()",
    "let mut w = x.copy();",
    "let _ = w.fill_(2.0);",
    "w.mean(Kind::Float).double_value(&[])",
]


def first_tensor():
    """Seconds from starting a kernel to its first printed tensor; the kernel goes on."""
    began = time.time()
    kernel = Kernel()
    kernel.execute(DEPENDENCIES).ok()
    kernel.execute(IMPORTS).ok()
    cell = kernel.execute('println!("{}", Tensor::ones([2], (Kind::Float, Device::Cpu)));').ok()
    assert "[1., 1.]" in cell.stdout
    return cell.of("stream")[0].time - began, kernel


def median_of_cells(kernel):
    """The median of small cells' times, from sending a cell to its `idle`."""
    cells = [kernel.execute(code).ok() for code in CELLS]
    return statistics.median(cell.idle - cell.sent for cell in cells)


def test_first_tensor_and_small_cells_come_quickly():
    measured = []
    for _ in range(ATTEMPTS):
        seconds, kernel = first_tensor()
        try:
            measured.append((seconds, median_of_cells(kernel)))
        finally:
            kernel.stop()
        if measured[-1][0] <= FIRST_TENSOR and measured[-1][1] <= MEDIAN:
            return
    assert not measured, f"first tensor and median in seconds: {measured}"
