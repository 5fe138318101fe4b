"""Questions of the editor at any time and of any kind: each gets an answer."""

import json
import os
import random

import pytest
from driver import Kernel, wait_until

SEED = 20_260
PIECES = [
    *"()[]{}<>.,:;!?&*-+=|#$'\"\\/@~^% \t\n\r_x1",
    "\ufeff",
    "é",
    "ß",
    "中",
    "😀",
    "👩‍👩‍👧",
    "e\u0301",
    "\u202e",
    "\u0000",
    "\u2028",
    "\u00a0",
    "::",
    "->",
    "=>",
    "..",
    "//",
    "/*",
    "*/",
    ":dep ",
    ":vars",
    "!ls",
    'r#"',
    "b'",
    "'a",
    "let ",
    "fn ",
    "impl ",
    "use ",
    "match ",
    "if ",
    "else ",
    "struct ",
    "x.",
    "Vec::",
    "std::",
    "println!(",
    "vec![",
    "async ",
    "await",
    "self",
    "1e",
    "0x",
    "|x|",
    "\r\n",
]


@pytest.fixture
def fresh():
    kernel = Kernel()
    yield kernel
    kernel.stop()


def inspect(kernel, code, cursor):
    return kernel.send("inspect_request", {"code": code, "cursor_pos": cursor, "detail_level": 0})


def complete(kernel, code, cursor):
    return kernel.send("complete_request", {"code": code, "cursor_pos": cursor})


def until_known(kernel):
    """Waits until the service answers: on a slow machine it starts for longer than one waits."""
    code = "Vec::<i32>::with_capacity"
    found = lambda: kernel.finish(inspect(kernel, code, len(code))).reply["found"]  # noqa: E731
    wait_until(found, "the completion service's start")


def test_questions_that_come_before_the_service_has_started(fresh):
    code = "Vec::<i32>::with_cap"
    questions = [complete(fresh, code, len(code)) for _ in range(4)]
    questions += [inspect(fresh, code + "acity", len(code)) for _ in range(4)]
    cell = fresh.submit("6 * 7")
    assert fresh.finish(cell).ok().result["text/plain"] == "42", "no question holds a cell up"
    for question in questions:
        reply = fresh.finish(question).reply
        assert reply["status"] == "ok"
        has_answer = reply.get("found") or reply.get("matches")
        assert has_answer or reply["metadata"]["reason"], "an answer, or why there is none yet"
    until_known(fresh)
    reply = fresh.finish(complete(fresh, code, len(code))).reply
    assert any(match.startswith("with_capacity") for match in reply["matches"])


def test_a_question_right_behind_a_cell_knows_its_variables(fresh):
    """rustc says the types of a cell's variables a moment after the cell."""
    fresh.execute('let words = vec![String::from("a")];').ok()
    reply = fresh.finish(complete(fresh, "words.pus", 9)).reply
    # It may still be starting.
    assert "push(value)" in reply["matches"] or reply["metadata"]["reason"], reply
    until_known(fresh)
    for number in range(3):
        fresh.execute(f"let text{number} = words[0].repeat({number});").ok()
        code = f"text{number}.push_s"
        reply = fresh.finish(complete(fresh, code, len(code))).reply
        assert "push_str(string)" in reply["matches"], reply
        fresh.execute(f"let count{number} = text{number}.len();").ok()
        code = f"count{number}.pow"
        assert fresh.finish(inspect(fresh, code, len(code))).reply["found"]


def analysts(kernel):
    return [child for child in kernel.process.children() if "analyse" in child.cmdline()]


def test_the_service_starts_in_a_pause_or_at_the_first_question():
    ours = {key: value for key, value in os.environ.items() if key != "BLITZ_COMPLETION"}
    edited = Kernel(env=ours)
    executed = Kernel(env=ours | {"BLITZ_COMPLETION": "when-asked"})
    try:
        for kernel in (edited, executed):
            kernel.execute("1 + 1").ok()
        wait_until(lambda: analysts(edited), "a person reads, and the service starts")
        # The other kernel has had the same pause.
        assert not analysts(executed)
        executed.finish(complete(executed, "Vec::ne", 7))
        assert analysts(executed)
    finally:
        edited.stop()
        executed.stop()


def test_any_code_with_any_cursor_is_answered(kernel):
    until_known(kernel)
    chance = random.Random(SEED)
    questions = []
    for count in range(400):
        code = "".join(chance.choices(PIECES, k=chance.randint(0, 8)))
        inside = chance.randint(0, 1 + len(code.encode("utf-16-le")) // 2)
        cursors = [inside, inside, -1, -(10**9), len(code), 10**9, 2**63, 1.5, None, "1", [], True]
        cursor = chance.choice(cursors)
        ask = complete if count % 2 else inspect
        questions.append((ask(kernel, code, cursor), code, cursor))
        # A few at once, as an editor does.
        while len(questions) >= 4:
            request, code, cursor = questions.pop(0)
            assert kernel.finish(request).reply["status"] == "ok", (code, cursor)
    for request, code, cursor in questions:
        assert kernel.finish(request).reply["status"] == "ok", (code, cursor)
    until_known(kernel)
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


def test_a_missing_cursor_is_the_end(kernel):
    until_known(kernel)
    code = "Vec::<i32>::with_cap"
    for content in [{"code": code}, {"code": code, "cursor_pos": None}]:
        reply = kernel.ask("complete", content).reply
        assert any(match.startswith("with_capacity") for match in reply["matches"])
        assert (reply["cursor_start"], reply["cursor_end"]) == (len(code) - 8, len(code))


def test_half_a_surrogate_pair_is_answered(kernel):
    """As a browser writes it: JSON's escapes can hold what UTF-8 cannot."""
    packed = kernel.client.session.pack
    kernel.client.session.pack = lambda message: json.dumps(message, default=str).encode()
    try:
        for code in ["\ud83d", "x.\ude00y", "a\ud83d\ud83d"]:
            for kind in ["complete", "inspect", "is_complete"]:
                content = {"code": code, "cursor_pos": 1, "detail_level": 0}
                assert kernel.ask(kind, content).reply["status"]
    finally:
        kernel.client.session.pack = packed


def test_however_deep_code_is(kernel):
    for code in ["(" * 10_000, "if x {" * 5_000, "!" * 3_000, "x = " * 300, "[" * 400]:
        for kind in ["complete", "inspect", "is_complete"]:
            content = {"code": code, "cursor_pos": len(code), "detail_level": 0}
            assert kernel.ask(kind, content).reply["status"]
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"
