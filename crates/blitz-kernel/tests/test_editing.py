"""Completion and documentation: for tch and blitz, in half-written cells, while a cell runs.

How fast the answers come, `cargo blitz bench kernel` measures.
"""

import pytest
from driver import Gates, wait_until

ASKED = 5
SETUP = """
let x = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));
fn of_my_own(tensor: &Tensor) -> i64 { tensor.size()[0] }
struct Holder { my_field: i64 }
impl Holder { fn my_method(&self) -> i64 { self.my_field } }
let holder = Holder { my_field: 1 };
"""


@pytest.fixture
def editor(torch_kernel):
    """A kernel whose analyzer has read tch."""
    if not hasattr(torch_kernel, "prepared"):
        torch_kernel.execute(SETUP + Gates.RUST).ok()
        # The first question makes it read, and whoever asks meanwhile gets no answer after some
        # seconds.
        is_ready = lambda: named(complete(torch_kernel, "Tensor::zer").matches, "zeros")  # noqa: E731
        wait_until(is_ready, "the analyzer knows tch")
        torch_kernel.prepared = True
    return torch_kernel


def ask(kernel, kind, content, has_answer):
    """Asks up to `ASKED` times: on a busy machine the kernel may say nothing rather than keep an
    editor waiting."""
    for _ in range(ASKED):
        request = kernel.ask(kind, content)
        if has_answer(request.reply):
            break
    return request


def complete(kernel, code, cursor=None):
    cursor = len(code) if cursor is None else cursor
    content = {"code": code, "cursor_pos": cursor}
    request = ask(kernel, "complete", content, lambda reply: reply["matches"])
    request.matches = request.reply["matches"]
    return request


def inspect(kernel, code, cursor=None):
    cursor = len(code) if cursor is None else cursor
    content = {"code": code, "cursor_pos": cursor, "detail_level": 0}
    request = ask(kernel, "inspect", content, lambda reply: reply["found"])
    request.text = request.reply["data"].get("text/plain", "") if request.reply["found"] else None
    return request


def named(matches, name):
    """Whether a match is that name, with or without its brackets."""
    return any(match == name or match.startswith((f"{name}(", f"{name}!")) for match in matches)


@pytest.mark.parametrize(
    "code, name",
    [
        ("Tensor::zer", "zeros"),
        ("x.mat", "matmul"),
        ("let y = x.mat", "matmul"),
        ("for i in 0..3 {\n    let y = x.mat", "matmul"),
        ("let y = x.matmul(&x.t", "tr"),
        ("fn f(t: &Tensor) -> Tensor {\n    t.rel", "relu"),
        ("Kind::Flo", "Float"),
        ("nn::lin", "linear"),
        ("blitz::nn::conv", "conv2d"),
        ("image_gr", "image_grid"),
        ("LoaderOptions { batch_s", "batch_size"),
        ("of_my_", "of_my_own"),
        ("holder.my_", "my_method"),
        ("holder.my_", "my_field"),
        ("Vec::<i32>::with_cap", "with_capacity"),
        ('let s = "é😀"; x.mat', "matmul"),
    ],
)
def test_names_are_completed(editor, code, name):
    request = complete(editor, code)
    assert named(request.matches, name), request.matches[:20]
    begun = code[request.reply["cursor_start"] : request.reply["cursor_end"]]
    assert name.startswith(begun) and begun and code.endswith(begun), begun


def test_the_middle_of_a_cell_is_completed(editor):
    code = "let y = x.mat\nlet z = x.size();"
    request = complete(editor, code, code.index("\n"))
    assert named(request.matches, "matmul"), request.matches[:20]
    assert code[request.reply["cursor_start"] : request.reply["cursor_end"]] == "mat"


def test_positions_are_counted_in_characters(editor):
    code = 'let s = "é😀"; x.mat'
    reply = complete(editor, code).reply
    assert (reply["cursor_start"], reply["cursor_end"]) == (len(code) - 3, len(code))


def test_nothing_to_complete_is_no_error(editor):
    for code in ["", "no_such_name_anywhere.", "}}}}", "// words in a comm"]:
        assert complete(editor, code).reply["status"] == "ok"


@pytest.mark.parametrize(
    "code, at, words",
    [
        ("Tensor::zeros", None, ["zeros", "Tensor"]),
        ("x.matmul(&x)", 4, ["matmul", "fn"]),
        ("let y = x.matmul(", 12, ["matmul"]),
        ("image_grid", None, ["image_grid", "labels"]),
        ("let loader = DataLoader::new(", 15, ["DataLoader", "batches"]),
        ("Vec::<i32>::with_capacity", None, ["capacity"]),
        ("of_my_own", None, ["of_my_own", "Tensor"]),
    ],
)
def test_documentation_is_found(editor, code, at, words):
    request = inspect(editor, code, at)
    assert request.text is not None, "not found"
    assert all(word in request.text for word in words), request.text[:500]


def test_what_has_no_documentation_is_not_found(editor):
    for code in ["", "   ", "no_such_name_anywhere"]:
        reply = inspect(editor, code).reply
        assert reply["status"] == "ok" and reply["found"] is False and reply["data"] == {}


def test_help_comes_while_a_cell_runs(editor, tmp_path):
    gates = Gates(tmp_path)
    cell = editor.submit(f'println!("on");\n{gates.wait_at("end")}')
    editor.wait_for_text(cell, "on")
    completion = complete(editor, "let y = x.mat")
    documentation = inspect(editor, "Tensor::zeros")
    assert named(completion.matches, "matmul")
    assert "zeros" in documentation.text
    assert not cell.idle, "the cell still runs"
    gates.open("end")
    editor.finish(cell).ok()


def test_help_comes_while_a_cell_compiles(editor, held):
    cell = editor.submit(f"{held.expression}.len()")
    editor.wait(held.has_begun, "the compiler's start")
    completion = complete(editor, "x.mat")
    assert named(completion.matches, "matmul")
    assert not cell.idle, "the cell still compiles"
    held.release("four")
    assert editor.finish(cell).ok().result["text/plain"] == "4"
