"""What a Jupyter client hides: signatures, malformed messages, several clients, the heartbeat."""

import json

import pytest
import zmq
from driver import LIMIT


def address(kernel, name):
    info = kernel.manager.get_connection_info()
    return f"{info['transport']}://{info['ip']}:{info[name + '_port']}"


@pytest.fixture
def raw(kernel):
    """Makes sockets of one's own, for what a client hides."""
    context = zmq.Context()
    sockets = []

    def connect(kind, name):
        socket = context.socket(kind)
        socket.linger = 0
        sockets.append(socket)
        socket.connect(address(kernel, name))
        return socket

    yield connect
    for socket in sockets:
        socket.close()
    context.term()


def frames(kernel, kind, content, session=None):
    """A request as it travels: delimiter, signature and four parts."""
    session = session or kernel.client.session
    return session.serialize(session.msg(kind, content))


def receive(kernel, socket, what):
    """The next message, as header, parent and content."""
    assert socket.poll(LIMIT * 1000), f"{what} did not come within {LIMIT} s"
    _, parts = kernel.client.session.feed_identities(socket.recv_multipart())
    return json.loads(parts[1]), json.loads(parts[2]), json.loads(parts[4])


def test_a_message_with_a_bad_signature_is_dropped(kernel, raw):
    socket = raw(zmq.DEALER, "shell")
    forged = frames(kernel, "execute_request", {"code": "let forged = 1;"})
    forged[1] = b"0" * len(forged[1])
    socket.send_multipart(forged)
    unsigned = frames(kernel, "kernel_info_request", {})
    unsigned[1] = b""
    socket.send_multipart(unsigned)
    signed = kernel.client.session.msg("kernel_info_request", {})
    socket.send_multipart(kernel.client.session.serialize(signed))
    _, parent, _ = receive(kernel, socket, "the answer to the same client when it signs")
    assert parent["msg_id"] == signed["header"]["msg_id"], "a forged request is not answered"
    assert kernel.execute("forged").status == "error", "nor is it obeyed"
    assert not socket.poll(0), "nor is it answered later"


def test_nonsense_is_dropped(kernel, raw):
    session = kernel.client.session
    parts = [b"{", b"{}", b"{}", b"{}"]
    nonsense = [
        [b""],
        [b"no delimiter", b"at all"],
        [b"<IDS|MSG>"],
        [b"<IDS|MSG>", session.sign(parts), *parts],
        [b"<IDS|MSG>", session.sign([b"[]"] * 4), *[b"[]"] * 4],
    ]
    for name in ["shell", "control", "stdin"]:
        socket = raw(zmq.DEALER, name)
        for message in nonsense:
            socket.send_multipart(message)
    unknown = kernel.send("no_such_request", {})
    assert kernel.ask("kernel_info").status == "ok"
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"
    assert unknown.reply is None or unknown.status == "error"


def test_a_new_subscriber_is_welcomed(kernel, raw):
    socket = raw(zmq.SUB, "iopub")
    socket.subscribe(b"")
    header, _, content = receive(kernel, socket, "iopub_welcome")
    assert header["msg_type"] == "iopub_welcome" and content == {"subscription": ""}


def test_a_second_client_sees_all_broadcasts_and_only_its_own_replies(kernel, raw):
    shell, iopub = raw(zmq.DEALER, "shell"), raw(zmq.SUB, "iopub")
    iopub.subscribe(b"")
    receive(kernel, iopub, "the welcome, by which one knows that one is subscribed")
    cell = kernel.execute('println!("for all");').ok()
    seen = []
    while ("status", "idle") not in seen:
        header, parent, content = receive(kernel, iopub, "the cell's idle")
        if parent.get("msg_id") == cell.id:
            seen.append((header["msg_type"], content.get("execution_state")))
    assert [kind for kind, _ in seen] == [message.kind for message in cell.messages]
    own = kernel.client.session.msg("kernel_info_request", {})
    shell.send_multipart(kernel.client.session.serialize(own))
    _, parent, _ = receive(kernel, shell, "the reply to this client")
    assert parent["msg_id"] == own["header"]["msg_id"], "the other's reply is not for this client"


def test_the_heart_beats_while_a_cell_runs(kernel, gates, raw):
    cell = kernel.submit(f'println!("on");\n{gates.wait_at("end")}')
    kernel.wait_for_text(cell, "on")
    heart = raw(zmq.REQ, "hb")
    heart.send(b"beat 17")
    assert heart.poll(LIMIT * 1000) and heart.recv() == b"beat 17"
    assert kernel.ask("kernel_info", channel="control").status == "ok"
    assert not cell.idle
    gates.open("end")
    kernel.finish(cell).ok()
