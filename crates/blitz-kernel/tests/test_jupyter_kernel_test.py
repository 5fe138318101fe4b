"""Jupyter's own tests for kernels, with every optional test that applies switched on.

Not switched on: `code_page_something`, because this kernel has no pager.
"""

import os

import jupyter_kernel_test
from driver import LIMIT, NOTEBOOKS, display_command
from jupyter_kernel_test import IopubWelcomeTests, KernelTests

# Fifteen seconds otherwise, which a busy machine may need.
jupyter_kernel_test.TIMEOUT = LIMIT


class TestRustKernel(KernelTests):
    kernel_name = "rust"
    language_name = "rust"
    file_extension = ".rs"

    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("oh no");'
    completion_samples = [
        {"text": "let v = Vec::<i32>::with_cap"},
        {"text": "let only_here = 1; only_he", "matches": ["only_here"]},
        {"text": "std::f64::consts::FRAC_PI_"},
    ]
    complete_code_samples = [
        "1 + 1",
        "let x = 1;",
        "fn f() -> i32 {\n    1\n}",
        'println!("hello");',
        ":help",
        "// nothing but a comment",
    ]
    incomplete_code_samples = [
        "fn f() {",
        "let v = vec![1,",
        'let s = "begun',
        "/* begun",
        "for i in 0..3 {\n    println!(\"{i}\");",
    ]
    invalid_code_samples = ["}", "let x = (1];", "fn f( }"]
    code_generate_error = 'panic!("no more");'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"a".repeat(3)', "result": '"aaa"'},
        {"code": "vec![1, 2]", "result": "[1, 2]"},
    ]
    code_display_data = [
        {"code": display_command({"display": {"data": {"text/html": "<b>x</b>"}}}), "mime": "text/html"},
        {"code": display_command({"display": {"data": {"image/png": "iVBORw=="}}}), "mime": "image/png"},
    ]
    # Whole, because the history is that of every session in this directory.
    code_history_pattern = "6 [*] 7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Vec::<i32>::with_capacity"
    code_clear_output = display_command({"clear": {"wait": False}})

    @classmethod
    def setUpClass(cls):
        previous = os.getcwd()
        os.chdir(NOTEBOOKS)
        try:
            super().setUpClass()
        finally:
            os.chdir(previous)


class TestIopubWelcome(IopubWelcomeTests):
    kernel_name = "rust"
    support_iopub_welcome = True


# The base classes are not tests of this kernel.
del KernelTests, IopubWelcomeTests
