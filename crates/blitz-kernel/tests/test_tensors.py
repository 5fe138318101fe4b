"""Tensors and arrays as the last expression of a cell, on this kernel and on the stock one."""

import pytest
from driver import DEPENDENCIES, IMPORTS, Kernel, SharedKernel

VALUES = (
    "let mut x = tch::Tensor::from_slice(&[0.5f32, -1.0, 3.0]);\n"
    'let text = String::from("a b");\n'
    "#[derive(Debug)] struct WithDebug(i32);\n"
    "struct Without;"
)
PRINTED = "tensor([ 0.5000, -1.0000,  3.0000])"
TENSORS = ["x", "&x", "if x.size()[0] == 3 { x.shallow_clone() } else { tch::Tensor::from(1) }"]
OTHERS = [
    ("vec![1, 2]", "[1, 2]"),
    ("&text", '"a b"'),
    ("text.as_str()", '"a b"'),
    ("WithDebug(3)", "WithDebug(3)"),
    ("text.split(' ').map(str::len).collect::<Vec<_>>()", "[1, 1]"),
    ("if 1 > 2 { 1 } else { 2 }", "2"),
    ("1 + 1", "2"),
    ("x.size()", "[3]"),
    ('blitz::display::Html("<b>x</b>")', "x"),
]


@pytest.fixture(scope="module", params=["prelude", "no import"])
def kernels(request):
    imports = [IMPORTS] if request.param == "prelude" else []
    shared = SharedKernel([DEPENDENCIES, *imports, VALUES])
    yield shared
    shared.stop()


@pytest.fixture(scope="module")
def stock():
    kernel = Kernel("rust-stock")
    for cell in [DEPENDENCIES, IMPORTS, VALUES]:
        kernel.execute(cell).ok()
    yield kernel
    kernel.stop()


@pytest.mark.parametrize("code", [*TENSORS, "&mut x", "&&x", "let y = x.shallow_clone(); y"])
def test_a_tensor_is_shown_as_pytorch_prints_it(kernels, code):
    kernel = kernels.get()
    assert kernel.execute(code).ok().result == {"text/plain": PRINTED}
    assert "0.5" in kernel.execute('println!("{x:?} {text}");').ok().stdout, "nothing is consumed"


def test_a_gradient_that_is_not_there_is_none(kernels):
    assert kernels.get().execute("x.grad()").ok().result == {"text/plain": "None"}


@pytest.mark.parametrize("code, plain", OTHERS)
def test_other_values_are_shown_as_before(kernels, code, plain):
    assert kernels.get().execute(code).ok().result["text/plain"] == plain


@pytest.mark.parametrize("code", ["Without", "|a: i32| a + 1"])
def test_a_value_that_cannot_be_shown_is_an_error_that_says_so(kernels, code):
    assert "doesn't implement `Debug`" in kernels.get().execute(code).error["evalue"]


def test_a_cell_that_only_prints_has_no_result(kernels):
    cell = kernels.get().execute('println!("{}", x.dim())').ok()
    assert cell.stdout == "1\n" and cell.result is None


ARRAY = "[[1.0, 9.0],\n [3.0, 4.0]], shape=[2, 2], strides=[2, 1], layout=Cc (0x5), "


def test_an_array_is_a_variable_and_shares_memory_with_tensors(kernels):
    kernel = kernels.get()
    kernel.execute("use blitz::ndarray::{array, Array2};").ok()
    kernel.execute(
        "let mut n = array![[1f32, 2.], [3., 4.]];\nlet sum = n.sum_axis(blitz::ndarray::Axis(0));"
    ).ok()
    kernel.execute(
        "blitz::tensor::array::with_tensor(&mut n, |t| drop(t.get(0).get(1).fill_(9)))?;"
    ).ok()
    assert kernel.execute("n").ok().result == {"text/plain": f"{ARRAY}const ndim=2"}
    kernel.execute(
        "let mut t = blitz::tensor::array::from_array(n);\n"
        "let copied = blitz::tensor::array::copy::<f32>(&t)?;"
    ).ok()
    kernel.execute("blitz::tensor::array::view_mut::<f32>(&mut t)?[[0, 0]] = 0.5;").ok()
    expected = "tensor([[0.5000, 9.0000],\n        [3.0000, 4.0000]])"
    assert kernel.execute("t").ok().result == {"text/plain": expected}
    assert kernel.execute("copied").ok().result == {"text/plain": f"{ARRAY}dynamic ndim=2"}
    both = kernel.execute("(copied.len(), &sum)").ok().result["text/plain"]
    assert both.startswith("(4, [4.0, 6.0]")


def test_the_stock_kernel_shows_tensors_with_the_prelude_and_the_rest_as_ever(stock):
    for code in TENSORS:
        assert stock.execute(code).ok().result == {"text/plain": PRINTED}, code
    for code, plain in OTHERS:
        assert stock.execute(code).ok().result["text/plain"] == plain, code
    [error] = stock.execute("Without").of("error")
    assert "doesn't implement `Debug`" in error.content["evalue"]
    assert stock.execute('println!("{x:?} {text}");').ok().stdout == "[0.5, -1.0, 3.0] a b\n"


def test_a_panic_within_no_grad_does_not_switch_gradients_off(torch_kernel):
    torch_kernel.execute('fn stops() {\n    tch::no_grad(|| panic!("within"))\n}').ok()
    assert torch_kernel.execute("stops();").error["ename"] == "panic"
    after = torch_kernel.execute(
        "let x = Tensor::from(2.0f32).set_requires_grad(true);\n"
        '(&x * &x).backward();\nprintln!("{}", x.grad().double_value(&[]));'
    )
    assert after.ok().stdout == "4\n"
