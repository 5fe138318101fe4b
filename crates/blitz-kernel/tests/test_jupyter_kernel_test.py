"""Jupyter's own tests for kernels, with every optional test that applies switched on.

Not switched on: `code_page_something`, because this kernel has no pager.
"""

import os

from driver import LIMIT, NOTEBOOKS, display_command, wait_until
from jupyter_kernel_test import IopubWelcomeTests, KernelTests
from jupyter_kernel_test.msgspec_v5 import validate_message


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
        'for i in 0..3 {\n    println!("{i}");',
    ]
    invalid_code_samples = ["}", "let x = (1];", "fn f( }"]
    code_generate_error = 'panic!("no more");'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"a".repeat(3)', "result": '"aaa"'},
        {"code": "vec![1, 2]", "result": "[1, 2]"},
    ]
    code_display_data = [
        {
            "code": display_command({"display": {"data": {"text/html": "<b>x</b>"}}}),
            "mime": "text/html",
        },
        {
            "code": display_command({"display": {"data": {"image/png": "iVBORw=="}}}),
            "mime": "image/png",
        },
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
        # The suite expects some messages within a tenth of a second, which a busy machine may need.
        for channel in [cls.kc.iopub_channel, cls.kc.shell_channel]:
            be_patient(channel)

    # The kernel says nothing rather than keep an editor waiting, and at first it has much to read.
    # So these begin when it has answered once.

    def test_completion(self):
        wait_until(
            lambda: self.answer(self.kc.complete, "Vec::<i32>::with_cap")["matches"], "a completion"
        )
        super().test_completion()

    def test_inspect(self):
        wait_until(
            lambda: self.answer(self.kc.inspect, self.code_inspect_sample)["found"],
            "an explanation",
        )
        super().test_inspect()

    def answer(self, ask, code):
        asked = ask(code)
        while True:
            reply = self.kc.get_shell_msg()
            if reply["parent_header"].get("msg_id") == asked:
                return reply["content"]

    def flush_channels(self):
        """Takes in what was sent before; the suite itself waits for a tenth of a second."""
        asked = self.kc.kernel_info()
        is_last = lambda m: m["content"].get("execution_state") == "idle"  # noqa: E731
        for channel, is_end in [(self.kc.iopub_channel, is_last), (self.kc.shell_channel, bool)]:
            while True:
                message = channel.get_msg()
                validate_message(message)
                if message["parent_header"].get("msg_id") == asked and is_end(message):
                    break


def be_patient(channel):
    """Makes a channel wait for a message as long as any test does, however long it is told to."""
    get_msg = channel.get_msg
    channel.get_msg = lambda timeout=None: get_msg(timeout=LIMIT)  # noqa: ARG005


class TestIopubWelcome(IopubWelcomeTests):
    kernel_name = "rust"
    support_iopub_welcome = True


# The base classes are not tests of this kernel.
del KernelTests, IopubWelcomeTests
