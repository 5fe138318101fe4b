"""Notebooks anywhere: in any folder, of any user, started from any environment."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from driver import DEPENDENCIES, IMPORTS, NOTEBOOKS, ROOT, Kernel

SCRIPT = Path(__file__).with_name("another_user.py")
ANOTHER_USER = 12345
# Much for a busy machine: a kernel starts twice, once of them to complete.
TIMEOUT = 900


@pytest.fixture
def folder():
    """A folder as learners have them."""
    above = Path(tempfile.mkdtemp(prefix="blitz-anywhere-"))
    folder = above / '课程 one\'s "x"'
    folder.mkdir()
    yield folder
    shutil.rmtree(above)


@pytest.fixture
def kernel_in(folder):
    kernels = []

    def start(**options):
        kernels.append(Kernel(cwd=folder, **options))
        return kernels[-1]

    yield start
    for kernel in kernels:
        kernel.stop()


def code_cells(name, count):
    notebook = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return ["".join(cell["source"]) for cell in cells[:count]]


def test_a_copied_notebook_begins_as_the_original_does(kernel_in):
    kernel = kernel_in()
    cells = code_cells("01_tensors", 5)
    assert DEPENDENCIES.splitlines()[1] in cells[0], "the notebook names the crates so"
    for cell in cells:
        kernel.execute(cell).ok()
    # Nothing had to be asked of cargo: set-up had asked it all.
    assert not (kernel.build_dir() / "answers").exists()


def test_a_new_notebook_needs_no_dependencies(kernel_in):
    kernel = kernel_in()
    kernel.execute(IMPORTS).ok()
    result = (
        kernel.execute("Tensor::ones([2, 3], (Kind::Float, Device::Cpu)).sum(Kind::Float)")
        .ok()
        .result
    )
    assert result["text/plain"] == "tensor(6.)"


def test_the_crates_have_many_names_and_one_meaning(kernel_in):
    kernel = kernel_in()
    names = [
        ":dep blitz",
        ':dep blitz = "*"\n// more\n\n:dep tch # libtorch\nlet a = blitz::tch::Tensor::new();',
        '  :dep   blitz={ path = "../../somewhere/crates/blitz" }  # ours\n:dep tch = "0.24"',
        ":dep ../crates/blitz\nlet b = tch::Tensor::new();",
    ]
    for name in names:
        kernel.execute(name).ok()
    shown = kernel.execute(":show_deps").ok().result["text/plain"]
    declared = [
        f'blitz = {{ path = "{ROOT}/crates/blitz" }}',
        'evcxr_input = "=1.0.0"',
        'tch = "=0.24.0"',
    ]
    assert shown.split() == " ".join(declared).split()
    assert not (kernel.build_dir() / "answers").exists()
    refused = kernel.execute(':dep tch = "0.23"\nlet c = 1;')
    assert "0.24.0" in refused.error["evalue"] and "0.23" in refused.traceback
    assert kernel.execute("let d = tch::Tensor::new();").ok()


def test_other_paths_start_at_the_notebooks_folder(kernel_in, folder):
    crate = folder / "mycrate"
    (crate / "src").mkdir(parents=True)
    manifest = '[package]\nname = "mycrate"\nversion = "1.0.0"\nedition = "2024"\n'
    (crate / "Cargo.toml").write_text(manifest)
    (crate / "src/lib.rs").write_text("pub fn answer() -> i32 { 42 }")
    kernel = kernel_in()
    cell = ':dep blitz\n:dep mycrate = { path = "./mycrate" }\nmycrate::answer()'
    assert kernel.execute(cell, timeout=600).ok().result["text/plain"] == "42"
    missing = kernel.execute(':dep another = { path = "./another" }')
    assert "./another" in missing.traceback


@pytest.mark.parametrize("name", ["rust", "rust-stock"])
def test_the_kernel_finds_its_toolchain_by_itself(kernel_in, name):
    """As from a desktop's menu: neither cargo nor a variable that leads to it."""
    kept = {key: os.environ[key] for key in ["HOME", "LANG"] if key in os.environ}
    jupyter = {key: value for key, value in os.environ.items() if key.startswith("JUPYTER")}
    kernel = kernel_in(name=name, env={"PATH": "/usr/bin:/bin", **kept, **jupyter})
    cell = kernel.execute("1 + 1", timeout=600)
    assert cell.result["text/plain"].strip() == "2", kernel.log.read_text()


def run_elsewhere(command, home, **changes):
    """Runs the script by the shell `command`, which ends with it, and returns what it printed."""
    env = {"HOME": str(home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **changes}
    run = subprocess.run(
        command, env=env, cwd="/", capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def in_namespace(setup):
    """A command that runs `setup`, shell commands that mount, where only it sees them."""
    users = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *users, "--mount", "sh", "-ec", setup]


def skip_unless_possible(setup):
    tried = subprocess.run(in_namespace(setup), capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"this system does not let its users mount: {tried.stderr.strip()}")


def check(seen, home):
    """What has to be true of a kernel whose project is not its user's to write."""
    assert seen["total"] == "tensor(6.)"
    assert any("mean" in match for match in seen["matches"]), seen["matches"]
    assert "cannot ask for input" in seen["read"]
    assert seen["permissions"] == ["0o700"] * 3
    assert seen["recorded_anew"] == []
    assert len(seen["history"]) == 4, "this session's cells and nobody else's"
    shared = ROOT / ".blitz/data"
    has_data = (shared / "cifar-10-batches-bin").is_dir()
    assert seen["data"] == f'"{shared if has_data else home / ".cache/rust-blitz/data"}"'


@pytest.fixture
def home():
    home = Path(tempfile.mkdtemp(prefix="blitz-home-"))
    yield home
    shutil.rmtree(home)


def test_a_read_only_project_serves(home):
    root = shlex.quote(str(ROOT))
    read_only = f"mount --bind {root} {root}; mount -o remount,bind,ro {root}"
    skip_unless_possible(read_only)
    words = shlex.join([sys.executable, str(SCRIPT)])
    check(run_elsewhere(in_namespace(f"{read_only}; exec {words}"), home), home)


def closed_above(path):
    """The outermost directory above `path` that others may not enter; None where all may."""
    above = reversed(Path(path).parents)
    return next((it for it in above if not it.stat().st_mode & 0o001), None)


def opened(paths):
    """Shell commands that let others reach `paths`, each in a closed directory, and nothing else
    there: what its owner would do with `chmod`."""
    commands = []
    for index, path in enumerate(paths):
        commands.append(f"mkdir /tmp/$$-{index}; mount --bind {shlex.quote(path)} /tmp/$$-{index}")
    for closed in {str(closed_above(path)) for path in paths}:
        commands.append(f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(closed)}")
    for index, path in enumerate(paths):
        quoted = shlex.quote(path)
        commands.append(f"mkdir -p {quoted}; mount --bind /tmp/$$-{index} {quoted}")
        commands.append(f"umount /tmp/$$-{index}; rmdir /tmp/$$-{index}")
    return "; ".join(commands)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_users_kernel_leaves_the_project_alone(home):
    toolchain = json.loads((ROOT / ".blitz/warm/answers/toolchain.json").read_text())
    if closed_above(ROOT / "x"):
        pytest.skip(f"others cannot enter {closed_above(ROOT / 'x')}")
    needed = [toolchain["sysroot"], os.path.realpath(sys.base_prefix)]
    closed = [path for path in needed if closed_above(path)]
    setup = opened(closed) or "true"
    skip_unless_possible(setup)
    os.chown(home, ANOTHER_USER, ANOTHER_USER)
    user = ["setpriv", f"--reuid={ANOTHER_USER}", f"--regid={ANOTHER_USER}", "--clear-groups"]
    words = shlex.join([*user, sys.executable, str(SCRIPT)])
    before = {path.name for path in (ROOT / ".blitz").iterdir()}
    seen = run_elsewhere(in_namespace(f"{setup}; exec {words}"), home)
    assert seen["user"] == ANOTHER_USER
    check(seen, home)
    assert {path.name for path in (ROOT / ".blitz").iterdir()} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_toolchain_that_only_its_owner_can_read_is_named(home):
    toolchain = json.loads((ROOT / ".blitz/warm/answers/toolchain.json").read_text())
    rustc = toolchain["rustc"]["path"]
    hidden = f"mount -t tmpfs -o mode=700 tmpfs {shlex.quote(toolchain['sysroot'])}"
    skip_unless_possible(hidden)
    os.chown(home, ANOTHER_USER, ANOTHER_USER)
    connection = home / "connection.json"
    ports = {
        name: 0 for name in ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"]
    }
    described = {"ip": "127.0.0.1", "transport": "tcp", "key": "k", **ports}
    connection.write_text(json.dumps({**described, "signature_scheme": "hmac-sha256"}))
    connection.chmod(0o644)
    user = ["setpriv", f"--reuid={ANOTHER_USER}", f"--regid={ANOTHER_USER}", "--clear-groups"]
    kernel = [str(ROOT / ".blitz/bin/blitz-kernel"), "--control_file", str(connection)]
    run = subprocess.run(
        in_namespace(f"{hidden}; exec {shlex.join([*user, *kernel])}"),
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert run.returncode == 1, run.stderr
    assert rustc in run.stderr and "chmod -R a+rX" in run.stderr
    assert "rustup toolchain install 1." in run.stderr
