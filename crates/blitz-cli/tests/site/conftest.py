"""The site and single pages in a browser that has no network.

`cargo blitz test site` makes them and says where they are: BLITZ_SITE and BLITZ_PAGES.
BLITZ_CHROMIUM is the browser.
"""

import os
from pathlib import Path

import pytest
from audit import Auditor
from folder import Folder
from playwright.sync_api import sync_playwright

FOLDERS = ["BLITZ_SITE", "BLITZ_PAGES"]


def folders():
    """The folders that there are."""
    named = [os.environ.get(name) for name in FOLDERS]
    return [Folder(path) for path in named if path]


def pytest_generate_tests(metafunc):
    if "page_of_folder" in metafunc.fixturenames:
        pages = [(folder, page) for folder in folders() for page in folder.pages()]
        names = [f"{folder.root.name}/{folder.name(page)}" for folder, page in pages]
        metafunc.parametrize("page_of_folder", pages, ids=names)


@pytest.fixture(scope="session")
def browser():
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        program = os.environ["BLITZ_CHROMIUM"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def auditor(browser):
    auditor = Auditor(browser)
    yield auditor
    auditor.close()


@pytest.fixture(scope="session")
def site():
    path = os.environ.get("BLITZ_SITE")
    if not path:
        pytest.skip("no BLITZ_SITE")
    return Path(path).resolve()
