"""Every page, for everybody: see audit.py. And no link leads nowhere."""

import pytest
from folder import Folder


def test_page(auditor, page_of_folder):
    folder, page = page_of_folder
    report([str(finding) for finding in sorted(set(auditor.findings(page, folder.name(page))))])


def test_links(page_of_folder):
    folder, page = page_of_folder
    report([f"{folder.name(page)}: {link}: {missing}" for link, missing in folder.broken(page)])


def report(findings):
    """Fails with all of them."""
    if findings:
        pytest.fail("\n".join([f"{len(findings)} findings", *findings]), pytrace=False)


def test_what_is_missing_is_seen(tmp_path):
    page = tmp_path / "a.html"
    page.write_text(
        '<p id="x"><a href="#x">1</a><a href="#y">2</a><a href="b.html">3</a><img src="../c.png">'
        '<a href="https://example.org/">4</a><a href="a.html?q=1#x">5</a><a href="a%20b.html">6</a>'
    )
    (tmp_path / "a b.html").write_text("")
    broken = [address for address, _ in Folder(tmp_path).broken(page)]
    assert broken == ["#y", "b.html", "../c.png"]
