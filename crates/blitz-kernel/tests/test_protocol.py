"""Jupyter's messaging protocol, 5.4: https://jupyter-client.readthedocs.io/en/stable/messaging.html"""

import uuid

import pytest


def test_kernel_info_tells_what_the_kernel_is(kernel):
    reply = kernel.ask("kernel_info").reply
    assert reply["status"] == "ok"
    assert tuple(map(int, reply["protocol_version"].split("."))) >= (5, 4)
    assert reply["implementation"] == "blitz-kernel"
    assert reply["implementation_version"] and "Rust" in reply["banner"]
    language = reply["language_info"]
    assert language["name"] == "rust" and language["file_extension"] == ".rs"
    assert language["mimetype"] == "text/x-rust" and language["pygments_lexer"] == "rust"
    assert language["version"][0].isdigit() and language["codemirror_mode"]


REQUESTS = [
    ("kernel_info", {}, "shell"),
    ("execute", {"code": "1 + 1"}, "shell"),
    ("execute", {"code": "no_such_name"}, "shell"),
    ("complete", {"code": "Vec::ne", "cursor_pos": 7}, "shell"),
    ("inspect", {"code": "Vec::new", "cursor_pos": 7, "detail_level": 0}, "shell"),
    ("is_complete", {"code": "fn f() {"}, "shell"),
    ("history", {"hist_access_type": "tail", "n": 1, "output": False, "raw": True}, "shell"),
    ("comm_info", {}, "shell"),
    ("kernel_info", {}, "control"),
    ("interrupt", {}, "control"),
]


@pytest.mark.parametrize("kind, content, channel", REQUESTS)
def test_every_request_is_answered_between_busy_and_idle(kernel, kind, content, channel):
    request = kernel.ask(kind, content, channel)
    states = [m.content["execution_state"] for m in request.of("status")]
    assert states == ["busy", "idle"]
    assert request.messages[0].kind == "status" and request.messages[-1].kind == "status"
    for message in request.messages:
        for key in ["msg_id", "session", "msg_type", "username"]:
            assert message.parent[key] == request.header[key], message
    assert request.reply["status"] in ["ok", "error", "incomplete"]


def test_a_cell_is_announced_and_counted(kernel):
    first, second = kernel.execute("let a = 20;").ok(), kernel.execute("a + 1").ok()
    [announced] = second.of("execute_input")
    assert announced.content["code"] == "a + 1"
    count = announced.content["execution_count"]
    assert count == first.reply["execution_count"] + 1 == second.reply["execution_count"]
    assert second.of("execute_result")[0].content["execution_count"] == count
    assert second.result["text/plain"] == "21"
    order = [message.kind for message in second.messages]
    assert order == ["status", "execute_input", "execute_result", "status"]
    assert second.reply["user_expressions"] == {} and second.reply["payload"] == []


def history(kernel, **query):
    content = {"output": False, "raw": True, "hist_access_type": "tail"} | query
    return kernel.ask("history", content).reply["history"]


def test_a_silent_cell_leaves_no_trace_but_its_effect(kernel):
    before = kernel.execute("let mut tally = 1;").ok().reply["execution_count"]
    silent = kernel.execute("tally += 1; tally", silent=True).ok()
    assert not silent.of("execute_input", "execute_result")
    assert "tally += 1" not in history(kernel, n=1)[0][2]
    after = kernel.execute("tally").ok()
    assert after.result["text/plain"] == "2" and after.reply["execution_count"] == before + 1


def test_a_cell_without_history_is_not_counted(kernel):
    before = kernel.execute("1").ok().reply["execution_count"]
    unstored = kernel.execute("// not to be remembered\n2", store_history=False).ok()
    assert unstored.result["text/plain"] == "2"
    assert "not to be remembered" not in history(kernel, n=1)[0][2]
    assert kernel.execute("3").ok().reply["execution_count"] == before + 1


def test_user_expressions_are_evaluated_after_the_cell(kernel):
    expressions = {"product": "six * 7", "broken": "no_such_name"}
    cell = kernel.execute("let six = 6;", user_expressions=expressions).ok()
    product, broken = (cell.reply["user_expressions"][name] for name in ["product", "broken"])
    assert product["status"] == "ok" and product["data"]["text/plain"] == "42"
    assert broken["status"] == "error" and broken["ename"] and "no_such_name" in str(broken)
    assert not cell.of("execute_result"), "expressions are answered, not shown"


def test_cells_queued_behind_a_failing_one_are_aborted(kernel):
    failing = kernel.submit('panic!("no more")')
    queued = [kernel.submit(f'println!("ran {number}")') for number in range(10)]
    assert kernel.finish(failing).error["ename"] == "panic"
    for request in queued:
        kernel.finish(request)
        assert request.status == "aborted"
        assert not request.of("execute_input", "stream", "error"), request.summary()
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


def test_cells_queued_behind_a_failing_one_run_where_it_does_not_stop(kernel):
    failing = kernel.submit('panic!("no more")', stop_on_error=False)
    queued = kernel.submit('println!("ran")')
    assert kernel.finish(failing).status == "error"
    assert kernel.finish(queued).ok().stdout == "ran\n"


@pytest.mark.parametrize(
    "code, status",
    [
        ("let x = 1;", "complete"),
        ("let y = 1;\n\ny + 1", "complete"),
        ("struct Point { x: f32 }", "complete"),
        (":dep serde", "complete"),
        ("fn f(x: i32) -> i32 {", "incomplete"),
        ("vec![1,", "incomplete"),
        ('let text = "begun', "incomplete"),
        ("fn f( }", "invalid"),
        ("let x = (1];", "invalid"),
    ],
)
def test_is_complete(kernel, code, status):
    assert kernel.ask("is_complete", {"code": code}).reply["status"] == status


def test_an_incomplete_cell_is_indented(kernel):
    indent = lambda code: kernel.ask("is_complete", {"code": code}).reply["indent"]  # noqa: E731
    assert indent("fn f() {") == "    "
    assert indent("fn f() {\n    for i in 0..3 {") == "        "
    assert indent("fn f() {\n    let x = 1;") == "    "


def test_history_by_tail_range_and_search(kernel):
    mark = uuid.uuid4().hex
    count = kernel.execute(f'"{mark} one"').ok().reply["execution_count"]
    kernel.execute(f'"{mark} two"').ok()
    tail = history(kernel, n=2)
    assert [entry[2] for entry in tail] == [f'"{mark} one"', f'"{mark} two"']
    session, line = tail[0][:2]
    assert line == count
    with_output = history(kernel, n=1, output=True)[0][2]
    assert with_output[0] == f'"{mark} two"' and mark in with_output[1]
    query = {"hist_access_type": "range", "start": line, "stop": line + 1}
    for session_asked_for in [0, session]:
        [entry] = history(kernel, session=session_asked_for, **query)
        assert entry == [session, line, f'"{mark} one"'] or entry == [0, line, f'"{mark} one"']
    search = {"hist_access_type": "search", "pattern": f'"{mark}*'}
    assert len(history(kernel, **search)) == 2
    assert [entry[2] for entry in history(kernel, **search, n=1)] == [f'"{mark} two"']
    kernel.execute(f'"{mark} two"').ok()
    assert len(history(kernel, **search, unique=True)) == 2
    assert history(kernel, hist_access_type="search", pattern=f"no {mark}") == []


def test_a_comm_nobody_knows_is_closed(kernel):
    comm = uuid.uuid4().hex
    content = {"comm_id": comm, "target_name": "no-such-target", "data": {}}
    opened = kernel.send("comm_open", content)
    kernel.wait(lambda: opened.idle, "idle after comm_open")
    [closed] = opened.of("comm_close")
    assert closed.content["comm_id"] == comm
    for kind in ["comm_msg", "comm_close"]:
        request = kernel.send(kind, {"comm_id": comm, "data": {}})
        kernel.wait(lambda request=request: request.idle, f"idle after {kind}")
        assert request.reply is None
    assert kernel.ask("comm_info", {"target_name": "no-such-target"}).reply["comms"] == {}


# What the crate evcxr_input does: a line for the kernel, and an answer on standard input.
# (test_input.py has the rest of what cells read.)
INPUT = """
fn ask(request: &str, prompt: &str) -> String {
    println!("EVCXR_INPUT_REQUEST{request}:{prompt}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    line.trim().to_owned()
}
"""
ASK_FOR_NAME = 'let name = ask("", "Who? ");\nprintln!("hello, {name}");'


def test_a_cell_asks_for_input(kernel):
    kernel.execute(INPUT).ok()
    cell = kernel.submit(ASK_FOR_NAME, allow_stdin=True)
    kernel.wait(lambda: cell.of("input_request"), "an input request")
    [asked] = cell.of("input_request")
    assert asked.content == {"prompt": "Who? ", "password": False}
    kernel.client.input("Ferris")
    assert kernel.finish(cell).ok().stdout == "hello, Ferris\n"
    cell = kernel.submit('let word = ask("_PASSWORD", "Word? ");', allow_stdin=True)
    kernel.wait(lambda: cell.of("input_request"), "an input request")
    assert cell.of("input_request")[0].content["password"] is True
    kernel.client.input("secret")
    kernel.finish(cell).ok()


def test_a_request_with_fields_missing_is_answered(kernel):
    assert kernel.ask("execute", {"code": "1 + 1"}).ok().result["text/plain"] == "2"
    for kind in ["execute", "complete", "inspect", "is_complete", "history"]:
        assert kernel.ask(kind, {}).reply["status"]
