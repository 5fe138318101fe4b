"""Starts JupyterLab for `cargo blitz lab`, and says who can reach it.

Usage: lab.py ARGUMENTS, which are those of `jupyter lab`.

Jupyter refuses to run as root. In a container or a cloud notebook one is root and nothing else, so
it is allowed here; what that means depends on the address and the token that Jupyter ends up with,
by its arguments, its configuration files or the environment. So Jupyter is asked for them, just
before it listens.
"""

import ipaddress
import os
import sys

from jupyter_server.serverapp import ServerApp
from jupyterlab.labapp import LabApp

EVERYWHERE = {"", "*", "0.0.0.0", "::"}


def is_loopback(ip):
    try:
        return ip == "localhost" or ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False


def advice(server, is_root):
    """The line for the person; None where there is nothing to say."""
    who = "root" if is_root else "you"
    chosen = "You are root, so JupyterLab runs with --allow-root. " if is_root else ""
    has_secret = server.identity_provider.auth_enabled
    if server.sock:
        place, reach, is_local = f"the socket {server.sock}", "may open it", True
    elif is_loopback(server.ip):
        place, reach, is_local = server.ip, "has an account on this machine", True
    else:
        every = (
            "every address of this machine"
            if server.ip in EVERYWHERE
            else "not the loopback address"
        )
        place, reach, is_local = f"{server.ip or '*'} ({every})", "can reach this machine", False
    if is_local and has_secret:
        safe = (
            f"That is safe here: it listens on {place} only, which other machines cannot reach, "
            "and it asks for the token in the address below."
        )
        return f"{chosen}{safe}" if is_root else None
    secret = "has the token or password" if has_secret else None
    open_to = " and ".join(filter(None, [reach, secret]))
    guard = "" if has_secret else ", without asking for a token or a password"
    return (
        f"{chosen}WARNING: it listens on {place}{guard}. Whoever {open_to} can run commands here "
        f"as {who}."
    )


start = ServerApp.start


def start_and_tell(server):
    is_root = os.geteuid() == 0
    server.allow_root = server.allow_root or is_root
    if line := advice(server, is_root):
        print(line, file=sys.stderr, flush=True)
    start(server)


ServerApp.start = start_and_tell
LabApp.launch_instance(sys.argv[1:])
