"""Kernels for the tests: few, because a start takes seconds."""

import pytest
from driver import DEPENDENCIES, IMPORTS, Gates, HeldCompilation, SharedKernel

# Its kernels run whole notebooks: begun last, it would be waited for alone.
LONGEST = "test_notebooks.py"


class FailuresAtOnce:
    """Tells of a failure when it happens: a run that is ended from outside has no summary."""

    def pytest_runtest_logreport(self, report):
        if report.failed:
            lines = report.longreprtext.splitlines()
            reasons = [line[:300] for line in lines if line.startswith("E ")]
            print(f"\n{report.nodeid}", *reasons[:5], sep="\n", flush=True)


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailuresAtOnce())


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name != LONGEST)


@pytest.fixture(scope="module")
def plain_kernels():
    shared = SharedKernel([])
    yield shared
    shared.stop()


@pytest.fixture(scope="module")
def torch_kernels():
    shared = SharedKernel([DEPENDENCIES, IMPORTS])
    yield shared
    shared.stop()


@pytest.fixture
def kernel(plain_kernels):
    """A kernel without dependencies, shared by the module's tests."""
    return plain_kernels.get()


@pytest.fixture
def torch_kernel(torch_kernels):
    """A kernel with `tch` and `blitz`, shared by the module's tests."""
    return torch_kernels.get()


@pytest.fixture
def gates(kernel, tmp_path):
    """Gates for the cells of `kernel`."""
    kernel.execute(Gates.RUST).ok()
    return Gates(tmp_path)


@pytest.fixture
def held(tmp_path):
    """A compilation that lasts until the test ends it."""
    held = HeldCompilation(tmp_path)
    yield held
    held.abandon()
