"""Starts the processes of a training: torchrun, as `cargo blitz launch` calls it.

torchrun itself listens on all interfaces, for a meeting place without any authentication, and
tells of a failure in thirty lines. Here, on one machine (no --rdzv-endpoint), the meeting place
listens on the loopback interface alone; and a failure is one line, on standard error, after what
the process itself said.
"""

import logging
import os
import signal
import socket
import sys

import torch.distributed
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.elastic.rendezvous import c10d_rendezvous_backend
from torch.distributed.run import parse_args, run

LOOPBACK = "127.0.0.1"


class LoopbackStore(torch.distributed.TCPStore):
    """A meeting place that nobody else on the network sees."""

    def __init__(self, host_name, port, is_master=False, **options):
        if is_master:
            listening = socket.socket()
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((LOOPBACK, port))
            listening.listen(512)
            port = listening.getsockname()[1]
            options["master_listen_fd"] = listening.detach()
        super().__init__(host_name, port, is_master=is_master, **options)


def on_one_machine(arguments):
    """What --standalone does, on the loopback interface."""
    torch.distributed.TCPStore = LoopbackStore
    c10d_rendezvous_backend.TCPStore = LoopbackStore
    return [
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint={LOOPBACK}:0",
        "--rdzv-conf=is_host=true",
        f"--local-addr={LOOPBACK}",
        *arguments,
    ]


def main(arguments):
    # torchrun's own account; the processes have said what is wrong.
    logging.disable(logging.ERROR)
    # One process computes on one core, unless somebody knows better.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if not any(word.startswith(("--rdzv", "--master")) for word in arguments):
        arguments = on_one_machine(arguments)
    try:
        run(parse_args(arguments))
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        code = failure.exitcode
        how = f"exit code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
        print(f"rank {rank} ended first, with {how}", file=sys.stderr)
        sys.exit(code if code > 0 else 128 - code)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(sys.argv[1:])
