"""Bad input: a clear error, never a hang, and the kernel lives on where it can."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from driver import BUILD_DIRS, DEPENDENCIES, LIMIT, NOTEBOOKS, PROGRAM, ROOT, Kernel

MEGABYTE = 1_000_000


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def connection(**changes):
    names = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"]
    fields = {
        "transport": "tcp",
        "ip": "127.0.0.1",
        "key": "a key",
        "signature_scheme": "hmac-sha256",
    }
    return fields | dict(zip(names, free_ports(5), strict=True)) | {"kernel_name": "rust"} | changes


def start(file, prefix=(), **options):
    """Starts the kernel, which is expected to end by itself, and returns what it said."""
    command = [*prefix, PROGRAM, "--control_file", str(file)]
    ended = subprocess.run(
        command,
        cwd=NOTEBOOKS,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        **options,
    )
    assert ended.returncode == 1, (ended.returncode, ended.stderr)
    assert "panicked" not in ended.stderr
    return ended.stderr


def can_mount():
    """Whether a process may be given a view of the file system of its own."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


needs_mount = pytest.mark.skipif(
    not can_mount(), reason="needs the right to mount, to change what one kernel sees of the disk"
)


def with_mount(arguments):
    """The start of a command whose process alone sees a mount."""
    return ["unshare", "--mount", "sh", "-c", f'mount {arguments} && exec "$0" "$@"']


@contextmanager
def kernel_started_by(folder, change):
    """A kernel whose command is changed by a function."""
    spec = json.loads((ROOT / ".venv/share/jupyter/kernels/rust/kernel.json").read_text())
    spec["argv"] = change(spec["argv"])
    place = folder / "share/kernels/rust-started-otherwise"
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps(spec))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder / "share"))
        kernel = Kernel("rust-started-otherwise")
    try:
        yield kernel
    finally:
        kernel.stop()


def kernel_with_mount(folder, arguments):
    """A kernel that alone sees a mount: other users of this checkout are not disturbed."""
    return kernel_started_by(folder, lambda argv: [*with_mount(arguments), *argv])


def test_a_missing_connection_file_is_named(tmp_path):
    assert str(tmp_path / "no.json") in start(tmp_path / "no.json")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"shell_port": 1}', '{"transport": "tcp"}', "\0\1"]
)
def test_a_damaged_connection_file_is_named(tmp_path, text):
    file = tmp_path / "connection.json"
    file.write_text(text)
    assert str(file) in start(file)


def test_a_signature_scheme_nobody_knows_is_named(tmp_path):
    file = tmp_path / "connection.json"
    file.write_text(json.dumps(connection(signature_scheme="rot13")))
    assert "rot13" in start(file)


def test_a_program_outside_the_project_asks_for_it(tmp_path):
    program = shutil.copy(PROGRAM, str(tmp_path / "blitz-kernel"))
    file = tmp_path / "connection.json"
    file.write_text(json.dumps(connection()))
    command = [program, "--control_file", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert ended.returncode == 1
    assert program in ended.stderr and "--root DIR" in ended.stderr, ended.stderr
    with kernel_started_by(tmp_path, lambda argv: [program, "--root", str(ROOT), *argv[1:]]) as it:
        cell = it.execute('println!("{}", tch::Tensor::from(3.5).double_value(&[]));')
        assert cell.ok().stdout == "3.5\n"


@pytest.mark.parametrize("name", ["shell_port", "iopub_port", "hb_port"])
def test_a_port_in_use_is_named(tmp_path, name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = tmp_path / "connection.json"
        file.write_text(json.dumps(connection(**{name: port})))
        said = start(file)
    assert str(port) in said and "in use" in said


def test_no_place_for_a_build_directory_is_named():
    """Somebody who may not write in the project builds in a cache of their own, if there is one."""
    if os.getuid() != 0:
        pytest.skip("needs root, to start the kernel as somebody who may not write there")
    nowhere = {**os.environ, "HOME": "/nonexistent", "TMPDIR": "/nonexistent/tmp"}
    nowhere.pop("XDG_CACHE_HOME", None)
    # pytest's own folders are for their owner only.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder, "connection.json")
        file.write_text(json.dumps(connection()))
        said = start(file, user=65534, group=65534, extra_groups=[], env=nowhere)
    assert "build directory" in said and "/nonexistent/tmp" in said, said


# From no room for the first file to room for the kernel's own files and for no cell.
@needs_mount
@pytest.mark.parametrize("size", ["4k", "16k", "64k", "256k", "1m", "7m"])
def test_a_full_disk_at_the_start_is_told(tmp_path, size):
    file = tmp_path / "connection.json"
    file.write_text(json.dumps(connection()))
    said = start(file, prefix=with_mount(f"-t tmpfs -o size={size} none {BUILD_DIRS}"))
    assert "cannot copy" in said and "disk full" in said, said


LARGE = 'static LARGE: [u8; 30_000_000] = [1; 30_000_000];\nprintln!("{}", LARGE[kept as usize]);'


@needs_mount
def test_a_disk_that_is_full_for_a_while_fails_cells_and_spares_the_kernel(tmp_path):
    with kernel_with_mount(tmp_path, f"-t tmpfs -o size=2g none {BUILD_DIRS}") as kernel:
        kernel.execute("let kept = 7;").ok()
        filler = Path(f"/proc/{kernel.process.pid}/root{BUILD_DIRS}/filler")
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(bytes(MEGABYTE))
        # A large library: a small one may find room in what the kernel's other process frees.
        cell = kernel.execute(LARGE)
        told = cell.error["evalue"] + cell.traceback
        assert "space left" in told or "disk" in told, told
        filler.unlink()
        assert kernel.execute("kept * 3").ok().result["text/plain"] == "21"


@needs_mount
def test_libtorch_gone_since_set_up_is_told(tmp_path):
    lib = (ROOT / ".blitz/libtorch/lib").resolve()
    empty = tmp_path / "empty"
    empty.mkdir()
    with kernel_with_mount(tmp_path, f"--bind {empty} {lib}") as kernel:
        assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"
        kernel.execute(DEPENDENCIES)
        cell = kernel.execute("tch::Tensor::from_slice(&[1.0]).size()")
        told = str(cell.error) + cell.stderr
        assert "libtorch" in told and "cargo blitz setup" in told, told
        assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


@pytest.mark.parametrize("code", ["", "   \n\n", "// a comment", "/* a comment */", ";"])
def test_a_cell_without_code_is_fine(kernel, code):
    assert kernel.execute(code).ok().result is None


def test_line_ends_of_windows_are_fine(kernel):
    assert kernel.execute("let a = 1;\r\nlet b = 2;\r\na + b").ok().result["text/plain"] == "3"


def test_a_cell_of_a_megabyte(kernel):
    text = "a" * MEGABYTE
    cell = kernel.execute(f'let long = "{text}";\nlong.len()').ok()
    assert cell.result["text/plain"] == str(MEGABYTE)
    comment = "// words\n" * (MEGABYTE // 9)
    assert kernel.execute(f"{comment}1 + 1").ok().result["text/plain"] == "2"


def test_a_cell_with_a_nul_byte_is_an_error(kernel):
    assert kernel.execute("let a = 1\0;").status == "error"
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


def test_a_hundred_megabytes_of_output_arrive_whole(kernel):
    line = "0123456789" * 10
    cell = kernel.execute(f'for _ in 0..1_000_000 {{ println!("{line[:-1]}"); }}').ok()
    assert sum(len(message.content["text"]) for message in cell.of("stream")) == 100 * MEGABYTE
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


def test_a_line_of_ten_megabytes_arrives_whole(kernel):
    cell = kernel.execute('println!("{}", "x".repeat(10_000_000));').ok()
    assert len(cell.stdout) == 10 * MEGABYTE + 1


def test_bytes_that_are_no_text_are_replaced(kernel):
    write = 'std::io::Write::write_all(&mut std::io::{}, b"ok \\xff\\xfe end\\n")?;'
    cell = kernel.execute(write.format("stdout()") + write.format("stderr()")).ok()
    for text in [cell.stdout, cell.stderr]:
        assert (
            text.startswith("ok ")
            and text.endswith(" end\n")
            and "\N{REPLACEMENT CHARACTER}" in text
        )
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


def test_ten_cells_behind_a_failing_one_do_not_hang(kernel):
    cells = [kernel.submit(code) for code in ["no_such_name"] + ["1 + 1"] * 10]
    statuses = [kernel.finish(cell).status for cell in cells]
    assert statuses == ["error"] + ["aborted"] * 10
    assert kernel.execute("1 + 1").ok().result["text/plain"] == "2"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_leaks_over_many_cells(kernel):
    count = lambda: len(os.listdir(f"/proc/{kernel.process.pid}/fd"))  # noqa: E731
    kernel.execute("1").ok()
    before = count()
    for number in range(20):
        kernel.execute(f'println!("{number}");').ok()
        kernel.ask("kernel_info", channel="control")
    assert count() <= before + 3
