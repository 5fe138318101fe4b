"""Messages in the person's language: that of an option, of the notebook, or of the environment."""

import os
import re

import pytest
from driver import DEPENDENCIES, IMPORTS, NOTEBOOKS, Kernel

CHINESE = re.compile("[\u4e00-\u9fff]")
UNSET = ["BLITZ_LANGUAGE", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"]

EXERCISES = """
fn half(x: i64) -> i64 { x - 1 }
fn unwritten(x: i64) -> i64 { todo!("half of {x}") }
fn right(x: i64) -> i64 { x / 2 }
let exercises = Exercises::new("halves").keep_in("FOLDER")
    .exercise("1", "一半", &["除以二。"])
    .exercise("2", "另一半", &[]);
"""


def environment(**more):
    """This process's environment without a language, but for `more`."""
    return {name: value for name, value in os.environ.items() if name not in UNSET} | more


def started(cwd=NOTEBOOKS, **more):
    return Kernel(env=environment(**more), cwd=cwd)


@pytest.fixture(scope="module")
def chinese(tmp_path_factory):
    kernel = started(BLITZ_LANGUAGE="zh", BLITZ_DATA="/nowhere/at/all")
    folder = str(tmp_path_factory.mktemp("progress"))
    for cell in [DEPENDENCIES, IMPORTS, EXERCISES.replace("FOLDER", folder)]:
        kernel.execute(cell).ok()
    yield kernel
    kernel.stop()


def shown(bundle):
    return "".join(str(text) for text in bundle["data"].values())


def test_a_failed_check_says_so(chinese):
    failed = chinese.execute('check!(exercises, "1", { half(4) => 2, "剩下多少？"; });')
    assert failed.error["ename"] == "Error"
    expected = (
        "练习 1 (一半)：`half(4)` 得到 3，应为 2\n→ 剩下多少？\n本练习的提示：exercises.hint(1)"
    )
    assert failed.error["evalue"] == expected
    assert expected in failed.traceback
    # The code stays as it is.
    assert re.search(r"单元格 \[\d+\]，第 1 行\n  \|\n1 \| check!\(exercises", failed.traceback)


def test_a_list_and_a_tensor_are_compared(chinese):
    failed = chinese.execute('check!(exercises, "1", { vec![1i64, 2] => [1i64, 3]; });')
    assert "得到 2，应为 3，位于索引 1（完整的应为 [1, 3]）" in failed.traceback
    two, three = (f"Tensor::from_slice(&[1i64, {last}])" for last in (2, 3))
    failed = chinese.execute(f'check!(exercises, "1", {{ {two} => {three}; }});')
    assert "首个不同之处在 [1]：得到 2，应为 3（2 个元素中有 1 个不同）" in failed.traceback
    assert "\n得到：Int64 [2]: tensor([1, 2])\n应为：Int64 [2]: tensor([1, 3])" in failed.traceback


def test_what_is_not_written_yet(chinese):
    failed = chinese.execute('check!(exercises, "1", { unwritten(4) => 2; });')
    assert failed.error["evalue"].startswith("练习 1 (一半)：还没有写：half of 4\n")


def test_hints_and_progress(chinese):
    passed = chinese.execute('check!(exercises, "1", { right(4) => 2; });').ok()
    assert passed.stdout == "✓ 1: 一半\n"
    hint = chinese.execute('exercises.hint_for("1", 1);').ok()
    assert "**练习 1，提示 1（共 1 条）。** 除以二。" in shown(hint.of("display_data")[0].content)
    assert "*其他练习的提示：*" in shown(hint.of("display_data")[0].content)
    assert chinese.execute("exercises.hint(1);").ok().stdout == "练习 2（另一半）：没有提示\n"
    html = shown(chinese.execute("exercises.progress();").ok().of("display_data")[0].content)
    assert "2 道练习中已完成 1 道" in html and "<th>标题</th>" in html and "✓ 已完成" in html


def test_errors_of_the_library_leave_a_cell(chinese):
    zeros = "Tensor::zeros([2, 3], (Kind::Float, Device::Cpu))"
    failed = chinese.execute(f"{zeros}.f_matmul(&{zeros}).map_err(blitz::Error::from)?;")
    # libtorch's own words stay.
    assert failed.error["evalue"].startswith("libtorch 拒绝执行张量运算：mat1 and mat2")
    failed = chinese.execute(f"{zeros}.f_matmul(&{zeros})?;")
    assert "mat1 and mat2" in failed.error["evalue"]
    failed = chinese.execute("Cifar10::load(&Cifar10Options::default())?;")
    assert "缺少 /nowhere/at/all" in failed.error["evalue"]
    assert "请把 BLITZ_DATA（或 data）设为包含" in failed.error["evalue"]
    options = "SgdOptions { lr: -1.0, ..Default::default() }"
    failed = chinese.execute(f"Sgd::new(&tch::nn::VarStore::new(Device::Cpu), {options})?;")
    assert failed.error["evalue"] == "选项 lr 应为不小于 0 的有限数，实际是 -1"


def test_a_layer_that_does_not_fit_panics_in_chinese(chinese):
    cell = """
let vs = tch::nn::VarStore::new(Device::Cpu);
let layer = linear(vs.root() / "fc", 3, 2);
layer.forward(&Tensor::zeros([2, 4], (Kind::Float, Device::Cpu)));
"""
    failed = chinese.execute(cell)
    assert failed.error["ename"] == "panic"
    expected = "需要形状为 [.., 3] 的输入，实际是 [2, 4]。每行有 4 个特征：请用 in_features=4"
    assert expected in failed.error["evalue"]


def test_a_program_that_prints_an_error_has_it_in_english(chinese):
    cell = 'println!("{}", Cifar10::load(&Cifar10Options::default()).unwrap_err());'
    printed = chinese.execute(cell).ok().stdout
    assert " is missing. " in printed and not CHINESE.search(printed)


def test_a_panic_keeps_its_own_words(chinese):
    failed = chinese.execute('panic!("the tensor and I are lost");')
    assert failed.error["evalue"] == "the tensor and I are lost"
    assert failed.error["ename"] == "panic" and "单元格 [" in failed.traceback


def test_names_of_cells_that_failed(chinese):
    failed = chinese.execute('let lost: i64 = "x".parse::<i64>().unwrap();')
    cell = failed.reply["execution_count"]
    failed = chinese.execute('println!("{lost}");')
    # rustc's own words stay.
    assert "cannot find value `lost`" in failed.error["evalue"]
    note = f"note: `lost` 在单元格 [{cell}] 中，而它以错误结束。请先改好并运行那个单元格。"
    assert note in failed.traceback


def test_refusals_and_notes(chinese):
    failed = chinese.execute(
        "let text = String::from(\"a b\");\nlet word = text.split(' ').next();"
    )
    assert "`word` 借用了 `text`，因此不能留给后面的单元格" in failed.error["evalue"]
    assert "help: " in failed.traceback and "放进同一个单元格的花括号里" in failed.traceback
    failed = chinese.execute(':dep tch = "0.1"')
    assert "这里不能使用 `tch` 0.1" in failed.error["evalue"]
    chinese.execute("struct Size(i64);\nfn area(size: &Size) -> i64 { size.0 }").ok()
    changed = chinese.execute("struct Size { side: i64 }").ok()
    assert "不再适用，已被搁置" in changed.stderr
    listed = chinese.execute(":definitions").ok().result["text/plain"]
    assert re.search(r"area.*单元格 \[\d+\]，第 2 行，已被搁置：", listed)


def test_an_interrupt(chinese):
    request = chinese.submit('println!("runs"); loop { interrupt::check()?; }')
    chinese.wait_for_text(request, "runs")
    chinese.interrupt()
    stopped = chinese.finish(request)
    assert stopped.error["ename"] == "interrupted"
    assert CHINESE.search(stopped.error["evalue"]), stopped.error


NO_NAME = "let = 2;"


def said(kernel):
    """What the kernel says of a `let` without a name."""
    try:
        return kernel.execute(NO_NAME).error["evalue"]
    finally:
        kernel.stop()


ENGLISH_WORDS = "expected a name after `let` in line 1"
CHINESE_WORDS = "第 1 行的 `let` 之后应有一个名称"


def test_the_language_is_the_options_then_the_notebooks_then_the_environments():
    in_chinese = str(NOTEBOOKS / "zh/my_exercises/01_tensors.ipynb")
    assert said(started(JPY_SESSION_NAME=in_chinese, LANG="en_GB.UTF-8")) == CHINESE_WORDS
    assert said(started(JPY_SESSION_NAME=in_chinese, BLITZ_LANGUAGE="en")) == ENGLISH_WORDS
    assert said(started(LANG="zh_CN.UTF-8")) == CHINESE_WORDS
    assert said(started(LANG="fr_FR.UTF-8")) == ENGLISH_WORDS
