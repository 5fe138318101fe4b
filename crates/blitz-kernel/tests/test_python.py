"""Python in a cell, and names that are not there: what the error says of them."""

import re

import pytest
from driver import ROOT

HINTS = ROOT / "crates/blitz-kernel/src/failure/python.rs"
MADE = """
let x = Tensor::from_slice(&[1f32, 2.0, 3.0, 4.0]).view([2, 2]);
let vs = nn::VarStore::new(Device::Cpu);
let net = cifar10_net(&vs.root());
let input = Tensor::zeros([1, 3, 32, 32], (Kind::Float, Device::Cpu));
"""
# What the examples of hints use: numbers, lists, texts, a function, a file.
EXAMPLES_USE = """
let (n, m) = (2.5_f64, 1.5_f64);
let mut a = vec![3_i64, 1];
let b = vec![1.0, 2.0];
let d = std::collections::HashMap::from([("a", 1)]);
let (s, t) = ("text", "t");
let f = |x: &i64| x + 1;
let path = "none.safetensors";
"""
# What a cell of Python's says.
TOLD = {
    "x.shape": "Python's `x.shape` is `x.size()` in Rust",
    "x.dtype": "Python's `x.dtype` is `x.kind()` in Rust",
    "x.numpy()": "`let n = array::view::<f32>(&mut t).unwrap();`",
    "x.view(-1, 4)": "`x.view((-1, 8))`",
    "x.mean()": "`x.mean(Kind::Float)`",
    "x[0]": "`x.i(0)`",
    "let y = x[:, 0];": "write `.i((.., 0))` instead",
    "x @ x": "write `x.matmul(&x)`",
    "2 ** 3": "`a.pow_tensor_scalar(2)`",
    "net(input)": "`net.forward(&input)`",
    "net.eval()": "`nn::ModuleT::forward_t(&net, &input, false)`",
    "torch.rand(3)": "`Tensor::rand([5, 3], float_cpu)`",
    "torch::rand(3)": "`Tensor::rand([5, 3], float_cpu)`",
    "nn.Linear(3, 4)": '`let layer = linear(root / "fc1", 4, 2);`',
    'for i in range(3) { println!("{i}"); }': "`0..3`",
    "len(x)": "`a.len()`",
    "print(x)": '`println!("{x}")`',
    "max(1, 2)": "`n.max(m)`",
    "let k: int = 3;": "Python's `int` is `i64` in Rust",
    "import torch": "write `use blitz::prelude::*;` for PyTorch",
    "def f(x):\n    return x": "write `fn f(x: &Tensor) -> Tensor { … }`",
    "for i in 0..3:\n    f(i)": "write `for i in 0..3 {`",
    "# why\nx": "write `// why`",
    "true and false": "write `&&`",
    'print(f"{x}")': 'write `format!("{x}")`',
}


@pytest.mark.parametrize("code", TOLD)
def test_python_is_told_with_rusts_words(torch_kernel, code):
    torch_kernel.execute(MADE).ok()
    cell = torch_kernel.execute(code, stop_on_error=False)
    assert cell.error["ename"] == "compile error"
    text = cell.traceback
    assert TOLD[code] in text, text
    line = code.split("\n")[0]
    assert line in text and "vcxr" not in text and "EvcxrD" not in text, text


def test_each_example_of_rust_compiles(torch_kernel):
    """Those that the table of the crate `blitz`, which is run, does not have."""
    torch_kernel.execute(MADE + EXAMPLES_USE).ok()
    source = HINTS.read_text().split("const TYPES")[0]
    pairs = re.findall(r'^    \("(?:[^"\\]|\\.)*", "((?:[^"\\]|\\.)*)"\),$', source, re.M)
    examples = [rust.replace('\\"', '"') for rust in pairs if "…" not in rust]
    assert len(examples) > 30
    # None of them runs: files are read and written.
    lines = [f"    let _ = {{ {rust} }};" for rust in examples]
    torch_kernel.execute("if std::env::args().count() > 99 {\n" + "\n".join(lines) + "\n}").ok()


def test_advice_to_import_does_not_hide_the_error(torch_kernel):
    text = torch_kernel.execute("max(1, 2)", stop_on_error=False).traceback
    assert "cannot find function `max` in this scope" in text and "cell:1:1" in text, text
    assert "use std::cmp::max;" in text, text


def test_a_crate_is_not_added_to_a_file_that_a_notebook_has_not(torch_kernel):
    text = torch_kernel.execute("serde::de::value(3)", stop_on_error=False).traceback
    assert 'write `:dep serde = "VERSION"` in a cell above' in text and "Cargo.toml" not in text, (
        text
    )


def test_a_tensor_of_which_rustc_learns_the_type_last_is_shown_like_others(torch_kernel):
    torch_kernel.execute(MADE).ok()
    shown = torch_kernel.execute("2.0 * &x").ok().result["text/plain"]
    assert shown == "tensor([[2., 4.],\n        [6., 8.]])"
    shown = torch_kernel.execute("let twice = 2 * &x;\ntwice").ok().result["text/plain"]
    assert shown == "tensor([[2., 4.],\n        [6., 8.]])"
    assert (
        torch_kernel.execute("repr(&twice.size())").ok().result["text/plain"]
        == "torch.Size([2, 2])"
    )
    unknown = torch_kernel.execute("let unknown = Vec::new();\nunknown", stop_on_error=False)
    assert "type annotations needed" in unknown.traceback
    assert torch_kernel.execute("1 + &x").ok().result["text/plain"].startswith("tensor([[2., 3.]")


def test_a_name_is_told_why_it_is_not_there(torch_kernel):
    torch_kernel.execute("let given = Tensor::from(1.0);").ok()
    cell = torch_kernel.execute("let sum = given + 1.0;").ok()
    number = cell.reply["execution_count"]
    text = torch_kernel.execute("given.size()", stop_on_error=False).traceback
    assert f"`given` was moved in cell [{number}]. Lend it there (`&given`)" in text, text
    torch_kernel.execute("let given = Tensor::from(1.0);").ok()
    torch_kernel.execute("given.size()").ok()
    text = torch_kernel.execute("nowhere.size()", stop_on_error=False).traceback
    assert "nothing that has run defines `nowhere` now" in text, text
    text = torch_kernel.execute("givem.size()", stop_on_error=False).traceback
    assert (
        "a variable with a similar name, `given`" in text and "nothing that has run" not in text
    ), text
    text = torch_kernel.execute("return 3;", stop_on_error=False).traceback
    assert "expected no value: a cell is no function" in text, text
