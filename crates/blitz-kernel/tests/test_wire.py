"""What a Jupyter client hides: signatures, malformed messages, several clients, the heartbeat."""

import json

import pytest
import zmq


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


def test_a_message_with_a_bad_signature_is_dropped(kernel, raw):
    socket = raw(zmq.DEALER, "shell")
    forged = frames(kernel, "execute_request", {"code": "let forged = 1;"})
    forged[1] = b"0" * len(forged[1])
    socket.send_multipart(forged)
    unsigned = frames(kernel, "kernel_info_request", {})
    unsigned[1] = b""
    socket.send_multipart(unsigned)
    assert not socket.poll(1000), "a forged request is not answered"
    assert kernel.execute("forged").status == "error", "nor is it obeyed"
    socket.send_multipart(frames(kernel, "kernel_info_request", {}))
    assert socket.poll(10_000), "the same client is answered when it signs"


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
    assert kernel.ask("kernel_info", timeout=10).status == "ok"
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"
    assert unknown.reply is None or unknown.status == "error"


def test_a_new_subscriber_is_welcomed(kernel, raw):
    socket = raw(zmq.SUB, "iopub")
    socket.subscribe(b"")
    assert socket.poll(5000), "no iopub_welcome"
    identities, parts = kernel.client.session.feed_identities(socket.recv_multipart())
    message = json.loads(parts[1])
    assert message["msg_type"] == "iopub_welcome"
    assert json.loads(parts[4]) == {"subscription": ""}


def test_a_second_client_sees_all_broadcasts_and_only_its_own_replies(kernel, raw):
    shell, iopub = raw(zmq.DEALER, "shell"), raw(zmq.SUB, "iopub")
    iopub.subscribe(b"")
    assert iopub.poll(5000), "subscribed"
    cell = kernel.execute('println!("for all");').ok()
    seen = []
    while iopub.poll(500):
        _, parts = kernel.client.session.feed_identities(iopub.recv_multipart())
        if json.loads(parts[2]).get("msg_id") == cell.id:
            seen.append(json.loads(parts[1])["msg_type"])
    assert seen == [message.kind for message in cell.messages]
    assert not shell.poll(100)


def test_the_heart_beats_while_a_cell_runs(kernel, raw):
    cell = kernel.submit('println!("on");\nstd::thread::sleep(std::time::Duration::from_secs(2));')
    kernel.wait_for_text(cell, "on")
    heart = raw(zmq.REQ, "hb")
    heart.send(b"beat 17")
    assert heart.poll(500) and heart.recv() == b"beat 17"
    assert kernel.ask("kernel_info", channel="control", timeout=1).status == "ok"
    assert not cell.idle
    kernel.finish(cell).ok()
