"""Lines that are commands, and lines of Rust that look like one."""

import pytest
from driver import ROOT


def text(request):
    return request.ok().result["text/plain"].strip()


@pytest.fixture
def session(kernel):
    kernel.execute(
        "let ready = true; let list = vec![1]; fn is_odd(n: i32) -> bool { n % 2 == 1 }"
    ).ok()
    return kernel


@pytest.mark.parametrize(
    "code, answer",
    [
        ("let a = true\n    &&\n!ready;\na", "false"),
        ("let b = [\n!ready,\n!false,\n];\nb", "[false, true]"),
        ("ready &&\n!list.is_empty()", "true"),
        ("1 +\n!0", "0"),
        ("// a comment\n\n!ready", "false"),
        ("!ready", "false"),
        ("!ready\n    || true", "true"),
        ("!list.is_empty() && ready", "true"),
        ("!(ready && ready)", "false"),
        ("!!ready", "true"),
        ("!true", "false"),
        ("!0u8", "255"),
        ("!is_odd(2)", "true"),
        ('!std::path::Path::new("/no such").exists()', "true"),
        ("!matches!(list.len(), 2)", "true"),
        ('let s = "\n:dep no_such_crate\n!ls\n";\ns.len()', "24"),
        ("/*\n:dep no_such_crate\n!exit 1\n*/\n5", "5"),
        ("::std::cmp::max(1, 2)", "2"),
        ("let x = match ready {\n    true\n    => 1, _ => 2 }\n    as i64;\nx", "1"),
    ],
)
def test_rust_is_rust(session, code, answer):
    assert session.ask("is_complete", {"code": code}).reply["status"] == "complete"
    assert text(session.execute(code)) == answer


@pytest.mark.parametrize(
    "code, answer",
    [
        ("!echo one", "one"),
        ("// first\n!echo 'a && b'", "a && b"),
        ("!(cd / && echo two)", "two"),
        ('!echo "it is (so)" | tr a-z A-Z', "IT IS (SO)"),
    ],
)
def test_commands_are_commands(session, code, answer):
    assert text(session.execute(code)) == answer


def test_an_error_on_a_line_that_begins_with_a_negation_is_shown_there(session):
    shown = session.execute("!ready.no_such()").traceback
    rows = shown.splitlines()
    row = next(at for at, line in enumerate(rows) if "1 │ !ready.no_such()" in line)
    column = rows[row].index("no_such")
    assert rows[row + 1][column] in "─┬" and rows[row + 1][column - 1] == " ", shown


@pytest.mark.parametrize(
    "code, status",
    [
        ("!ready", "complete"),
        ("!ready &&", "incomplete"),
        ("!is_odd(", "incomplete"),
        ("!ls -l (", "complete"),
        ("let a =\n!ready", "incomplete"),
        ("fn f() {\n:vars", "incomplete"),
        (":vars", "complete"),
    ],
)
def test_completeness(session, code, status):
    assert session.ask("is_complete", {"code": code}).reply["status"] == status


def test_every_command_stands_on_the_kernels_page(session):
    listed = session.execute(":help").ok().result["text/plain"]
    commands = [line.split()[0] for line in listed.splitlines() if line.startswith(":")]
    page = (ROOT / "docs/kernel.md").read_text()
    assert len(commands) > 30
    assert [it for it in commands if f"`{it}`" not in page and f"`{it} " not in page] == []


class TestRestart:
    def test_variables_are_gone_and_definitions_stay(self, kernel):
        kernel.execute("let gone = vec![1]; fn stays() -> i32 { 7 }").ok()
        kernel.execute("static COUNT: std::sync::Mutex<i32> = std::sync::Mutex::new(3);").ok()
        kernel.execute("*COUNT.lock().unwrap() += 1;").ok()
        before = kernel.execute("std::process::id()").ok().result["text/plain"]
        kernel.execute(":restart").ok()
        after = kernel.execute("std::process::id()").ok().result["text/plain"]
        assert before != after
        assert kernel.execute("gone").error["ename"] == "compile error"
        shown = kernel.execute("(stays(), *COUNT.lock().unwrap())").ok()
        assert shown.result["text/plain"] == "(7, 3)"
        assert text(kernel.execute("let gone = 2;\ngone")) == "2"

    def test_with_rust_behind_it_in_the_same_cell(self, kernel):
        kernel.execute("let gone = vec![1];").ok()
        shown = kernel.execute(':restart\nlet made = 5;\nprintln!("{made}");').ok()
        assert shown.stdout == "5\n"
        assert text(kernel.execute("made")) == "5"
        assert kernel.execute("gone").error["ename"] == "compile error"
        kernel.execute(":restart\nfn later() -> i32 { 8 }").ok()
        assert text(kernel.execute("later()")) == "8"


def test_offline_0_counts_at_once(kernel):
    """cargo says that it was offline where it might have found the crate otherwise."""
    code = ':dep no-such-crate-of-blitz = "1"'
    assert "--offline" in kernel.execute(code).traceback
    assert "--offline" not in kernel.execute(f":offline 0\n{code}").traceback
    kernel.execute(":offline 0").ok()
    assert "--offline" not in kernel.execute(code).traceback
    kernel.execute(":offline 1").ok()
    assert "--offline" in kernel.execute(code).traceback
