"""Errors: one message that says what happened, where, and what is left."""

import os
import re

import pytest
from driver import DEPENDENCIES, Kernel

MATRIX = "let matrix = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));"
SHAPES = "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"


def everything(cell):
    return str([message.content for message in cell.messages])


def test_a_panic_names_the_line_of_the_cell(kernel):
    cell = kernel.execute("let numbers = vec![1];\n\nlet place = 7;\nnumbers[place]")
    assert cell.error["ename"] == "panic"
    assert cell.error["evalue"] == "index out of bounds: the len is 1 but the index is 7"
    assert re.search(r"(line |:)4\b", cell.traceback), cell.traceback
    assert "numbers[place]" in cell.traceback and cell.error["evalue"] in cell.traceback
    assert "thread" not in everything(cell), "not printed a second time"
    assert "/.blitz/" not in cell.traceback and "stack backtrace" not in cell.traceback


def test_a_panic_in_a_function_of_an_earlier_cell_names_that_line(kernel):
    kernel.execute(
        "fn third(numbers: &[i32]) -> i32 {\n    let place = 2;\n    numbers[place]\n}"
    ).ok()
    cell = kernel.execute("\n\n\n\n\nthird(&[1])")
    assert cell.error["ename"] == "panic"
    assert "numbers[place]" in cell.traceback, cell.traceback


@pytest.mark.parametrize(
    "code", ['assert_eq!(1, 2, "not {}", "equal");', 'None::<i32>.expect("some");']
)
def test_a_panic_message_is_whole(kernel, code):
    cell = kernel.execute(code)
    expected = ["not equal", "left: 1", "right: 2"] if "assert" in code else ["some"]
    assert all(part in cell.error["evalue"] for part in expected), cell.error


def test_a_panic_after_text_without_a_line_break(kernel):
    cell = kernel.execute('print!("working... ");\npanic!("no more");')
    assert cell.error["evalue"] == "no more" and cell.stdout == "working... "


def test_a_panic_that_the_cell_catches_is_no_error(kernel):
    cell = kernel.execute('std::panic::catch_unwind(|| panic!("caught")).is_err()').ok()
    assert cell.result["text/plain"] == "true"


@pytest.mark.parametrize(
    "code, name, value",
    [
        ('let n: i32 = "seven".parse()?;', "ParseIntError", "invalid digit found in string"),
        ('let x: f32 = "pi".parse()?;', "ParseFloatError", "invalid float literal"),
        ('std::fs::read("/no/such/file")?;', "Error", "No such file or directory"),
    ],
)
def test_an_error_through_the_question_mark_is_named_by_its_type(kernel, code, name, value):
    cell = kernel.execute(code)
    assert cell.error["ename"] == name and value in cell.error["evalue"]
    assert value in cell.traceback


def test_an_error_type_of_ones_own(kernel):
    kernel.execute(
        "#[derive(Debug)]\nstruct TooSmall(i32);\n"
        "impl std::fmt::Display for TooSmall {\n"
        "    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {\n"
        '        write!(f, "{} is too small", self.0)\n    }\n}\n'
        "impl std::error::Error for TooSmall {}\n"
        "fn check(n: i32) -> Result<i32, TooSmall> { if n < 3 { Err(TooSmall(n)) } else { Ok(n) } }"
    ).ok()
    cell = kernel.execute("check(2)?;")
    assert cell.error["ename"] == "TooSmall" and cell.error["evalue"] == "2 is too small"
    assert kernel.execute("let checked = check(5)?;\nchecked").ok().result["text/plain"] == "5"


def test_compile_errors_are_all_told_with_their_lines(kernel):
    cell = kernel.execute('let a = 1;\nlet b: i32 = "two";\n\nlet c: u8 = vec![3];')
    assert cell.error["ename"] == "compile error" and "mismatched types" in cell.error["evalue"]
    assert 'let b: i32 = "two";' in cell.traceback and "let c: u8 = vec![3];" in cell.traceback
    assert "2" in cell.traceback and "4" in cell.traceback
    assert "/.blitz/" not in cell.traceback


def test_a_borrow_of_a_moved_value_is_explained(kernel):
    cell = kernel.execute('let text = String::from("a");\nlet moved = text;\nprintln!("{text}");')
    assert cell.error["ename"] == "compile error" and "moved" in cell.error["evalue"]


@pytest.mark.parametrize("code", [":no_such_command", ":dep no-such-crate-of-blitz", "let = ;"])
def test_a_command_or_cell_that_makes_no_sense_is_an_error(kernel, code):
    cell = kernel.execute(code)
    assert cell.error["ename"] and cell.error["evalue"].strip()
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


CRASHES = [
    ("unsafe { std::ptr::null::<i32>().read_volatile(); }", "SIGSEGV"),
    ("std::process::abort();", "SIGABRT"),
    ("std::process::exit(3);", "3"),
    # As the kernel of the operating system does when memory runs out.
    (
        # The shell's own `kill`: not every machine has the program.
        'let kill = format!("kill -9 {}", std::process::id());\n'
        'std::process::Command::new("sh").args(["-c", &kill]).status()?;\n'
        "loop {}",
        "SIGKILL",
    ),
]


@pytest.mark.parametrize("code, reason", CRASHES)
def test_a_crash_says_why_and_what_is_gone_and_the_next_cell_works(kernel, code, reason):
    kernel.execute("let lost = 1;\nfn kept() -> i32 { 2 }").ok()
    cell = kernel.execute(f'println!("so far");\n{code}')
    assert cell.error["ename"] == "crash" and cell.stdout == "so far\n"
    told = cell.error["evalue"] + cell.traceback
    assert reason in told and "variables" in told, told
    if reason == "SIGKILL":
        assert "memory" in told, "the usual cause is named"
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"
    assert kernel.execute("lost").error["ename"] == "compile error"


def test_a_crash_leaves_no_core_file(kernel):
    limits = kernel.execute('println!("{}", std::fs::read_to_string("/proc/self/limits")?);').ok()
    assert re.search(r"Max core file size +0 ", limits.stdout), limits.stdout


def test_a_stack_overflow_is_a_crash(kernel):
    kernel.execute("fn down(n: u64) -> u64 { std::hint::black_box(down(n + 1)) + 1 }").ok()
    assert kernel.execute("down(0)").error["ename"] == "crash"
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


def test_after_a_panic_or_an_error_variables_are_there(torch_kernel):
    torch_kernel.execute(
        f'{MATRIX}\nlet words = vec![String::from("kept")];\nlet mut count = 1;'
    ).ok()
    for failing in [
        'count += 1; panic!("no more");',
        'count += 1; "x".parse::<i32>()?;',
        "no_such_name",
    ]:
        assert torch_kernel.execute(failing).status == "error"
        after = torch_kernel.execute('println!("{:?} {words:?}", matrix.size());').ok()
        assert after.stdout == '[2, 3] ["kept"]\n'
    torch_kernel.execute("count").ok()


def test_a_libtorch_error_is_its_first_sentence_with_the_shapes(torch_kernel):
    torch_kernel.execute(MATRIX).ok()
    for code, name in [
        ("matrix.matmul(&matrix);", "panic"),
        ("matrix.f_matmul(&matrix)?;", "TchError"),
    ]:
        cell = torch_kernel.execute(f"\n{code}")
        assert cell.error["ename"] == name and SHAPES in cell.error["evalue"]
        assert cell.error["evalue"].endswith(SHAPES) or cell.error["evalue"] == SHAPES
        for noise in ["frame #", "Exception raised from", "stack backtrace", ".so"]:
            assert noise not in everything(cell), noise
        assert code.rstrip(";") in cell.traceback, "the line of the cell"


def test_after_a_crash_dependencies_are_still_there(torch_kernel):
    assert torch_kernel.execute("std::process::abort();").error["ename"] == "crash"
    cell = torch_kernel.execute('println!("{:?}", Tensor::from_slice(&[1.0f32]).size());').ok()
    assert cell.stdout == "[1]\n"


def test_rust_backtrace_shows_all():
    kernel = Kernel(env=os.environ | {"RUST_BACKTRACE": "full"})
    try:
        kernel.execute(DEPENDENCIES).ok()
        kernel.execute(f"use tch::{{Device, Kind, Tensor}};\n{MATRIX}").ok()
        cell = kernel.execute("matrix.matmul(&matrix);")
        assert SHAPES in cell.error["evalue"] and "frame #" in cell.traceback
        assert "core::panicking" in cell.traceback, "Rust's frames"
    finally:
        kernel.stop()


def test_a_name_of_a_failed_cell_is_told_with_that_cell(kernel):
    broken = kernel.execute("fn twice(text: String) -> String {\n    drop(text);\n    text\n}")
    assert "E0382" in broken.error["evalue"]
    count = broken.reply["execution_count"]
    unknown = kernel.execute('twice("a".to_owned())')
    assert f"`twice` stands in cell [{count}], which did not compile" in unknown.traceback
    count = kernel.execute('let parsed = "x".parse::<i32>()?;').reply["execution_count"]
    unknown = kernel.execute("parsed + 1")
    assert f"`parsed` stands in cell [{count}], which ended with an error" in unknown.traceback
    kernel.execute("fn twice(text: String) -> String {\n    text\n}").ok()
    kernel.execute('twice("a".to_owned())').ok()
    assert "stands in cell" not in kernel.execute("never_defined").traceback


def test_a_name_within_a_function_of_a_failed_cell_is_none_of_its_names(kernel):
    code = 'fn holder() { let inner = 1; println!("{inner}"); }\nErr::<(), String>("no".into())?;'
    assert kernel.execute(code).status == "error"
    assert "stands in cell" not in kernel.execute("inner").traceback


def test_the_head_of_a_report_names_the_errors_own_place(kernel):
    shown = kernel.execute('let a = 1;\nlet b =\n  1 + "x";').traceback
    assert "cell:3:5 " in shown and "cell:1:1 " not in shown, shown


def test_a_missing_semicolon_is_told_as_that(kernel):
    for code, end in [("let y = 1", "cell:1:10"), ("let y = {\n    1\n}", "cell:3:2")]:
        cell = kernel.execute(code)
        assert cell.error["evalue"] == "expected `;`, found the end of the cell"
        assert "add `;` here" in cell.traceback and end in cell.traceback, cell.traceback
        assert "evcxr" not in everything(cell)


def test_a_changed_function_that_is_no_rust_is_not_defined_twice(kernel):
    kernel.execute("fn again() -> i64 { 1 }").ok()
    cell = kernel.execute("fn again() -> i64 { 1 otherwise 2 }")
    assert "expected one of" in cell.error["evalue"] and "E0428" not in everything(cell)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("let x = (1, 2;", ["this `(` is never closed", "1 | let x = (1, 2;", "  |         ^"]),
        ('print!("a");\nlet s = "abc;', ['a `"` is missing', "line 2", '2 | let s = "abc;']),
        ('let s = "abc   ', ['a `"` is missing', "  |         ^^^^"]),
        ("let z = f（3);", ["`（` is another character than `(`", "write `let z = f(3);`"]),
        ('println!("形状：{}”, 1);', ["this text has no end", "`”` does not end a text"]),
        ('for i in 0..3 {\n    print!("{i}"\n}', ["`(` is not closed before `}` in line 3"]),
    ],
)
def test_what_cannot_be_read_is_told_at_its_place(kernel, code, told):
    cell = kernel.execute(code)
    text = re.sub(r"\x1b\[[0-9;]*m", "", cell.traceback)
    assert cell.error["ename"] == "compile error"
    assert all(part in text for part in told), text
    assert "evcxr" not in everything(cell)


def test_a_moved_value_that_the_last_line_shows_is_told_as_moved(kernel):
    for cell in ["let a = vec![1];\nlet b = a;\na", "let v = vec![1];\ndrop(v);\nv"]:
        failed = kernel.execute(cell)
        assert "E0382" in failed.traceback and "value moved here" in failed.traceback
        assert "the last line of the cell uses it after that" in failed.traceback
        assert "EvcxrInferred" not in everything(failed)


def test_a_panic_of_an_operator_in_the_last_line_names_that_line(torch_kernel):
    torch_kernel.execute(f"{MATRIX}\nlet other = Tensor::ones([5], tch::kind::FLOAT_CPU);").ok()
    cell = torch_kernel.execute('println!("(");\n(1);\n&matrix + &other')
    assert "line 3" in cell.traceback and "&matrix + &other" in cell.traceback


@pytest.mark.parametrize(
    ("code", "mended"),
    [
        ("let n = 3;\nif n % 2 = 0 { println!(); }", "  | if n % 2 == 0 { println!(); }"),
        ("let s = 'abc';", '  | let s = "abc";'),
        ("fn f(x: i64) -> i64 {\n    x + 1;\n}", "  |     x + 1;\n  |          ^"),
        ("let m = HashMap::<u8, u8>::new();", "  | use std::collections::HashMap;"),
    ],
)
def test_a_help_is_shown_as_the_line_that_it_makes(kernel, code, mended):
    text = re.sub(r"\x1b\[[0-9;]*m", "", kernel.execute(code).traceback)
    assert mended in text, text


def test_a_function_that_names_a_variable_is_told_that_it_does_not_see_it(kernel):
    kernel.execute("let four = 4;").ok()
    failed = kernel.execute("fn twice() -> i32 { four * 2 }")
    assert "`four` is a variable of the notebook" in failed.traceback
    assert kernel.execute("fn twice(four: i32) -> i32 { four * 2 }\ntwice(four)").ok()
    assert "variable of the notebook" not in kernel.execute("five").traceback
